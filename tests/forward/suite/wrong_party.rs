//! A question that reaches another server than the sign-in service lets nobody in, whatever that
//! server answers.
//!
//! Pinned: under load, Caddy 2.6 sent some questions to the guarded service, and took its 200 for a
//! permit.

use axum::{Router, response::Response};
use http::{Method, StatusCode};
use tokio::net::TcpListener;

use crate::{front::Front, heads::Heads, person::ProxiedPerson, upstream};

/// Starts a server that answers everything with a status, and nothing that is the layer's.
async fn answering(status: StatusCode) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answer = move || async move {
        let response = Response::builder().status(status);
        let response = response.header("x-auth-email", "eve@example.com");
        response.body(String::from("stray")).unwrap()
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    origin
}

async fn lets_nobody_in(front: Front) {
    let reached = Heads::default();
    let service = upstream::serve_noting(&reached).await;
    for status in [200, 204, 206] {
        let stray = answering(StatusCode::from_u16(status).unwrap()).await;
        let running = front.misled(&service, &stray).await;
        let stranger = ProxiedPerson::at(&running.origin);
        for (path, name) in [("/page", "accept"), ("/page", "x-auth-decision")] {
            let request = stranger.request(Method::GET, path).header(name, "permit");
            let answer = request.send().await.unwrap();
            let got = answer.status();
            assert!(got == status || got.as_u16() >= 400, "{status}: {got}");
            assert_ne!(
                answer.text().await.unwrap().get(..3),
                Some("GET"),
                "{status}"
            );
        }
        let reached = reached.take();
        assert!(reached.is_empty(), "{front:?}, {status}: {reached:?}");
    }
    // Nor does no server at all.
    let running = front.misled(&service, "http://127.0.0.1:9").await;
    let answer = ProxiedPerson::at(&running.origin).request(Method::GET, "/page");
    let got = answer.send().await.unwrap().status();
    assert!(got.is_server_error(), "{front:?}: {got}");
    assert!(reached.take().is_empty(), "{front:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn another_servers_200_is_no_permit_to_nginx() {
    lets_nobody_in(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn another_servers_200_is_no_permit_to_debians_caddy() {
    lets_nobody_in(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn another_servers_200_is_no_permit_to_the_newest_caddy() {
    lets_nobody_in(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn another_servers_200_is_no_permit_to_traefik() {
    lets_nobody_in(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn another_servers_200_is_no_permit_to_haproxy() {
    lets_nobody_in(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn another_servers_200_is_no_permit_to_envoy() {
    lets_nobody_in(Front::Envoy).await;
}
