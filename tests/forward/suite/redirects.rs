//! No answer of the service has a proxy serve another path than the one that was asked about.

use axum::{Router, extract::Request, response::Response};
use tokio::net::TcpListener;

use crate::{front::Front, heads::Heads, person::ProxiedPerson};

/// Fields by which a service has one proxy or another send something else.
const FIELDS: [&str; 5] = [
    "x-accel-redirect",
    "x-lighttpd-send-file",
    "x-reproxy-url",
    "x-sendfile",
    "x-sendfile2",
];

/// What a client has the service say in them: a protected path, an endpoint, and what nginx's file
/// has for itself.
const PLACES: [&str; 4] = ["/private/secret", "/auth/login", "/.ask", "@refused"];

/// Its own answer, with an include such as a person may have written into a page.
const OWN: &str = r#"its own <!--# include virtual="/private/secret" -->"#;

/// In this field the client names the place.
const PLACE: &str = "x-place";

/// Starts a service that leads elsewhere in every answer, and notes what it is sent.
async fn leading_elsewhere(reached: &Heads) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answer = |request: Request| async move {
        let mut response = Response::builder();
        for name in FIELDS {
            if let Some(place) = request.headers().get(PLACE) {
                response = response.header(name, place.clone());
            }
        }
        let response = response.header("content-type", "text/html");
        response.body(String::from(OWN)).unwrap()
    };
    let app = reached.before(Router::new().fallback(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

/// Pins: nginx followed a service's `X-Accel-Redirect` from a public path to a protected one, asked
/// about the public one again, and took the permit for the other. A client could name the protected
/// one through Rack's `Sendfile` (CVE-2025-61780). With `ssi on` around the file, nginx included
/// any path of the service's into a page.
async fn serves_what_was_asked_about(front: Front) {
    let reached = Heads::default();
    let running = front.before(&leading_elsewhere(&reached).await).await;
    let stranger = ProxiedPerson::at(&running.origin);
    let person = running.person().await;
    reached.take();
    for place in PLACES {
        for (who, path) in [
            (&stranger, "/about"),
            (&person, "/about"),
            (&person, "/page"),
        ] {
            let answer = who.get(path, &[(PLACE, place)]).await;
            assert_eq!(answer.status(), 200, "{front:?}: {path} to {place}");
            let text = answer.text().await.unwrap();
            assert_eq!(text, OWN, "{front:?}: {path} to {place}");
            let heads = reached.take();
            let targets: Vec<_> = heads.iter().map(|head| head.target.as_str()).collect();
            assert_eq!(targets, [path], "{front:?}: {path} to {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn no_answer_of_the_service_leads_nginx_to_another_path() {
    serves_what_was_asked_about(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn no_answer_of_the_service_leads_debians_caddy_to_another_path() {
    serves_what_was_asked_about(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn no_answer_of_the_service_leads_the_newest_caddy_to_another_path() {
    serves_what_was_asked_about(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn no_answer_of_the_service_leads_traefik_to_another_path() {
    serves_what_was_asked_about(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn no_answer_of_the_service_leads_haproxy_to_another_path() {
    serves_what_was_asked_about(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn no_answer_of_the_service_leads_envoy_to_another_path() {
    serves_what_was_asked_about(Front::Envoy).await;
}
