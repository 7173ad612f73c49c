//! `forward_auth` behind real proxies, by the very configuration that its documentation shows.

use crate::{
    front::Front,
    names::ADA,
    person::{ProxiedPerson, location},
    site::{as_gateway, spellings},
    upstream,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn nginx_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn debians_caddy_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn the_newest_caddy_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn traefik_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn haproxy_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn envoy_lets_through_who_is_signed_in_and_nobody_else() {
    walk(Front::Envoy).await;
}

/// Pins: Caddy and Traefik were not asked about names such as `X~Auth~Email`, and Caddy handed them
/// on.
async fn walk(front: Front) {
    let running = front.before(&upstream::serve().await).await;
    let origin = &running.origin;
    let stranger = ProxiedPerson::at(origin);
    let answer = stranger.get("/page?a=b&c=d", &[]).await;
    let form = format!("{origin}/auth/login?return_to=/page%3Fa%3Db%26c%3Dd");
    assert_eq!(
        (answer.status().as_u16(), location(&answer)),
        (303, form.as_str())
    );
    let fields = [
        ("sec-fetch-mode", "cors"),
        ("x-original-uri", "/about"),
        ("x-forwarded-uri", "/about"),
    ];
    assert_eq!(stranger.get("/page", &fields).await.status(), 401);
    let grpc = [
        ("content-type", "application/grpc"),
        ("sec-fetch-mode", "cors"),
    ];
    let refused = stranger.get("/page", &grpc).await;
    // Envoy turns the refusal into gRPC's own: 200, and the status in a field.
    let want = if front == Front::Envoy { 200 } else { 401 };
    assert_eq!(refused.status(), want);
    assert_eq!(refused.headers()["grpc-status"], "16");
    // The question is the proxy's to ask.
    for path in ["/.ask", "/ask"] {
        let is_internal = front == Front::Nginx && path == "/.ask";
        let want = if is_internal { 404 } else { 303 };
        assert_eq!(stranger.get(path, &[]).await.status(), want, "{path}");
    }
    assert_eq!(stranger.greet("/socket").await, Err(401));

    let person = running.person().await;
    for spelling in spellings() {
        for (who, path) in [
            (&person, "/page?x=1"),
            (&person, "/about"),
            (&stranger, "/about"),
        ] {
            let fields = [
                (spelling.as_str(), "eve"),
                ("connection", "close, x-auth-email"),
            ];
            let answer = who.get(path, &fields).await;
            assert_eq!(answer.status(), 200, "{spelling} {path}");
            let text = answer.text().await.unwrap();
            assert!(text.starts_with(&format!("GET {path}\n")), "{text}");
            let fields = upstream::fields_of(&text);
            let told = as_gateway(&fields);
            assert!(
                !fields.contains_key("connection"),
                "the client's names nothing"
            );
            let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
            if who.cookie.is_empty() {
                assert_eq!(told, [], "{spelling} {path}");
            } else {
                assert_eq!(
                    names,
                    ["X_AUTH_EMAIL", "X_AUTH_SESSION", "X_AUTH_SUBJECT"],
                    "{spelling} {path}"
                );
                assert_eq!(fields["x-auth-email"], ADA, "{spelling} {path}");
            }
        }
    }
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
}
