//! A refusal never reads as consent; a navigation is sent to the form and back.

use http::{StatusCode, header};
use http_body_util::BodyExt;
use tower_magic_link::{Rejection, Session, revocation::Standing};

use super::{Answer, PROXY, STRANGER, ask, configured, layer, question};
use crate::site::{as_gateway, cookie_of};

const LOGIN: &str = "https://app.example.com/auth/login";
const NAVIGATION: (&str, &str) = ("sec-fetch-mode", "navigate");

fn location(answer: &Answer) -> &str {
    answer
        .headers()
        .get("location")
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_navigation_is_shown_the_way_to_the_form_and_back() {
    let cases = [
        (
            "trusted",
            PROXY,
            "GET",
            "/x?a=b&c",
            "?return_to=/x%3Fa%3Db%26c",
        ),
        ("HEAD", PROXY, "HEAD", "/x", "?return_to=/x"),
        ("off the origin", PROXY, "GET", "//evil.example", ""),
        ("a stranger", STRANGER, "GET", "/x", "?return_to=/"),
    ];
    let layer = layer();
    for (kind, status) in [("forwarded", 303), ("original", 401)] {
        for (name, peer, method, target, query) in cases {
            let request = question(kind, peer, method, target)
                .header(NAVIGATION.0, NAVIGATION.1)
                .header("x-forwarded-host", "evil.example")
                .header("host", "evil.example");
            let answer = ask(&layer, kind, request).await;
            assert_eq!(answer.status(), status, "{kind}, {name}");
            assert_eq!(
                location(&answer),
                format!("{LOGIN}{query}"),
                "{kind}, {name}"
            );
        }
        let post = question(kind, PROXY, "POST", "/x").header(NAVIGATION.0, NAVIGATION.1);
        let answer = ask(&layer, kind, post).await;
        assert_eq!(
            (answer.status().as_u16(), location(&answer)),
            (401, ""),
            "{kind}, a post"
        );
    }
}

#[tokio::test]
async fn no_refusal_reads_as_a_yes_in_any_language() {
    let audiences = [
        NAVIGATION,
        ("accept", "text/html"),
        ("accept", "application/json"),
        ("content-type", "application/grpc"),
        ("content-type", "application/grpc-web"),
        ("content-type", "application/grpc-web-text"),
        ("hx-request", "true"),
        ("upgrade", "websocket"),
        ("sec-purpose", "prefetch"),
        ("accept", "text/event-stream"),
    ];
    let layers = [
        ("no session", layer(), None),
        (
            "store down",
            configured()
                .revocations(|_: Session| async {
                    Err::<Standing, _>(std::io::Error::other("down"))
                })
                .build()
                .unwrap(),
            Some(()),
        ),
    ];
    for (state, layer, signed_in) in layers {
        for kind in ["forwarded", "original"] {
            for method in ["GET", "HEAD", "POST", "OPTIONS", "CONNECT"] {
                for (field, value) in audiences {
                    let mut request = question(kind, PROXY, method, "/x").header(field, value);
                    if signed_in.is_some() {
                        request = request.header("cookie", cookie_of(&layer).0);
                    }
                    let answer = ask(&layer, kind, request).await;
                    let name = format!("{state}, {kind}, {method}, {field}: {value}");
                    assert!(!answer.status().is_success(), "{name}");
                    assert!(
                        kind == "forwarded" || !answer.status().is_redirection(),
                        "{name}"
                    );
                    assert!(answer.extensions().get::<Rejection>().is_some(), "{name}");
                    assert_eq!(answer.headers()["cache-control"], "no-store", "{name}");
                    assert_eq!(as_gateway(answer.headers()), [], "{name}");
                    // A length that the body does not have would break the connection to the proxy.
                    let length = answer.headers().get(header::CONTENT_LENGTH).cloned();
                    let body = answer.into_body().collect().await.unwrap().to_bytes();
                    assert!(
                        length.is_none_or(|length| length == body.len().to_string()),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn an_endpoint_of_the_layers_own_is_no_question() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    for target in [
        "/auth/login",
        "/auth/callback?code=1&state=2",
        "/auth/logout",
        "/auth/session",
    ] {
        for method in ["GET", "POST", "PUT"] {
            let request = question("forwarded", PROXY, method, target)
                .header("cookie", &cookie)
                .header("sec-fetch-site", "same-origin");
            let answer = ask(&layer, "forwarded", request).await;
            assert_eq!(
                answer.status(),
                StatusCode::BAD_REQUEST,
                "{method} {target}"
            );
        }
    }
}

/// Pinned: `HX-Redirect` stayed a path, and htmx looked for the form at the guarded host.
#[tokio::test]
async fn no_field_of_a_refusal_leads_to_a_path_of_the_guarded_host() {
    let layer = layer();
    let asked = [
        NAVIGATION,
        ("accept", "application/json"),
        ("hx-request", "true"),
        ("upgrade", "websocket"),
    ];
    for kind in ["forwarded", "original"] {
        for (field, value) in asked {
            let request = question(kind, PROXY, "GET", "/part")
                .header(field, value)
                .header("hx-current-url", "https://app.example.com/reports?x=1");
            let answer = ask(&layer, kind, request).await;
            for (name, value) in answer.headers() {
                let value = value.to_str().unwrap();
                let is_path = value.starts_with('/') || value.contains("url=/");
                assert!(!is_path, "{kind}, {field}: {name}: {value}");
            }
            if field == "hx-request" {
                let want = format!("{LOGIN}?return_to=/reports%3Fx%3D1");
                assert_eq!(answer.headers()["hx-redirect"], want, "{kind}");
            }
        }
    }
}
