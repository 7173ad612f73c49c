//! How a session answers a proxy's question: in headers, renewed, ended or expired.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use tower::ServiceExt;
use tower_magic_link::{
    Authorization, KeyRing, MagicLinkLayer, Session, SigningKey,
    revocation::Standing,
    sessions::MemorySessions,
    testing::{ManualClock, StubProvider},
};

use super::{PROXY, STRANGER, ask, configured, layer, question};
use crate::{
    names::ORIGIN,
    site::{as_gateway, builder, cookie_of, told},
};

#[tokio::test]
async fn a_session_that_stands_is_told_in_headers() {
    let layer = layer();
    let (cookie, session) = cookie_of(&layer);
    for kind in ["forwarded", "original"] {
        for (peer, target) in [
            (PROXY, "/x"),
            (PROXY, "/docs"),
            (STRANGER, "/x"),
            (STRANGER, "/docs"),
        ] {
            let request = question(kind, peer, "POST", target)
                .header("cookie", &cookie)
                .header("x-auth-email", "eve");
            let answer = ask(&layer, kind, request).await;
            assert_eq!(answer.status(), StatusCode::OK, "{kind} {peer} {target}");
            assert_eq!(as_gateway(answer.headers()), told(&session));
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.headers()["vary"], "cookie");
        }
    }
}

/// Pinned: a renewal by a question noted an unknown device in an unknown network.
#[tokio::test]
async fn a_renewal_by_a_question_notes_the_clients_device_and_network() {
    let clock = ManualClock::new();
    let layer = builder(&clock)
        .trusted_proxies(["10.0.0.0/8"])
        .idle_timeout(Duration::from_secs(3_600))
        .session_index(MemorySessions::default())
        .build()
        .unwrap();
    let (cookie, session) = cookie_of(&layer);
    clock.advance(Duration::from_secs(1_800));
    for kind in ["forwarded", "original"] {
        let request = question(kind, PROXY, "GET", "/x")
            .header("x-forwarded-for", "203.0.113.9")
            .header("user-agent", "reader/1.0")
            .header("cookie", &cookie);
        let answer = ask(&layer, kind, request).await;
        assert!(answer.headers().contains_key("set-cookie"), "{kind}");
        let [listed] =
            <[_; 1]>::try_from(layer.sessions_of(session.subject()).await.unwrap()).unwrap();
        let seen = (listed.user_agent(), listed.network());
        assert_eq!(seen, (Some("reader/1.0"), Some("203.0.113.9")), "{kind}");
    }
}

/// nginx asks for the refusal by a second question: the application's word is a reason there, too.
/// Only a page in a window of its own loses the cookie by it, as everywhere.
#[tokio::test]
async fn whom_the_application_denies_loses_the_cookie_at_the_refusal_of_a_page() {
    let active = |_: Session| async { Ok::<_, std::io::Error>(Standing::Active) };
    let clock = ManualClock::new();
    let hour = Duration::from_secs(3_600);
    let layer = builder(&clock)
        .trusted_proxies(["10.0.0.7"])
        .idle_timeout(hour)
        .revocations(active)
        .session_index(MemorySessions::default())
        .reauthorize(hour / 4, |_: Session| async {
            Ok::<_, std::io::Error>(Authorization::Denied)
        })
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    clock.advance(hour / 2);
    let asked = layer.forward_auth().for_nginx();
    let refusing = asked.clone().refusing();
    for (accept, destination, status) in [("*/*", "empty", 401), ("text/html", "document", 303)] {
        let question = || {
            question("original", PROXY, "GET", "/x")
                .header("cookie", &cookie)
                .header("accept", accept)
                .header("sec-fetch-dest", destination)
                .body(Full::<Bytes>::default())
                .unwrap()
        };
        let refused = asked.clone().oneshot(question()).await.unwrap();
        assert_eq!(refused.status(), 401, "{destination}");
        let refused = refusing.clone().oneshot(question()).await.unwrap();
        assert_eq!(refused.status(), status, "{destination}");
        let removal = refused.headers().get("set-cookie");
        let is_removed =
            removal.is_some_and(|text| text.as_bytes().starts_with(b"__Host-magic-link=;"));
        assert_eq!(is_removed, destination == "document", "{removal:?}");
    }
}

#[tokio::test]
async fn a_session_is_renewed_ended_and_expired_as_everywhere() {
    let clock = ManualClock::new();
    let hour = Duration::from_secs(3_600);
    let layer = builder(&clock)
        .trusted_proxies(["10.0.0.7"])
        .idle_timeout(hour)
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    let with_cookie = || question("forwarded", PROXY, "GET", "/x").header("cookie", &cookie);
    clock.advance(hour / 2);
    let answer = ask(&layer, "forwarded", with_cookie()).await;
    assert_eq!(answer.status(), 200);
    let renewed = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(renewed.starts_with("__Host-magic-link=ey"), "{renewed}");
    clock.advance(hour);
    let answer = ask(&layer, "forwarded", with_cookie()).await;
    assert_eq!(answer.status(), 401);
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("__Host-magic-link=;")
    );
}

#[tokio::test]
async fn a_session_that_was_ended_is_told_to_nobody() {
    let ended = |_: Session| async { Ok::<_, std::io::Error>(Standing::Revoked) };
    let down = |_: Session| async { Err::<Standing, _>(std::io::Error::other("down")) };
    let cases = [
        ("ended", configured().revocations(ended), 401),
        ("store down", configured().revocations(down), 503),
    ];
    for (name, configured, want) in cases {
        let layer = configured.build().unwrap();
        let (cookie, _) = cookie_of(&layer);
        for (target, want) in [("/x", want), ("/about", 200)] {
            let request = question("forwarded", PROXY, "GET", target).header("cookie", &cookie);
            let answer = ask(&layer, "forwarded", request).await;
            assert_eq!(answer.status(), want, "{name}, {target}");
            assert_eq!(as_gateway(answer.headers()), [], "{name}, {target}");
        }
    }
}

#[tokio::test]
async fn in_axum_the_peer_is_what_axum_says_it_is() {
    for (proxies, want) in [("127.0.0.0/8", 200), ("10.0.0.0/8", 401)] {
        let layer = builder(&ManualClock::new())
            .trusted_proxies([proxies])
            .build()
            .unwrap();
        let app = Router::new().route_service("/ask", layer.forward_auth());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}/ask", listener.local_addr().unwrap());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let question = reqwest::Client::new()
            .get(url)
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", "/about");
        let answer = question.send().await.unwrap();
        assert_eq!(answer.status(), want, "{proxies}");
    }
}

/// Pins: a proxy let in who had a session of a layer with wider lists.
#[tokio::test]
async fn who_may_not_pass_is_told_to_nobody_and_keeps_the_cookie() {
    let (clock, keys) = (
        ManualClock::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    );
    let builder = || {
        MagicLinkLayer::builder(StubProvider::new(), keys.clone())
            .public_url(ORIGIN)
            .public_path("/about")
            .trusted_proxies(["10.0.0.0/8"])
            .clock(clock.clone())
    };
    let (cookie, _) = cookie_of(&builder().build().unwrap());
    let narrowed = [
        ("domain", builder().email_domains(["example.org"])),
        ("organization", builder().organization("org_1")),
    ];
    for (name, narrowed) in narrowed {
        let layer = narrowed.build().unwrap();
        for kind in ["forwarded", "original"] {
            for (target, want) in [("/x", 403), ("/about", 200)] {
                let request = question(kind, PROXY, "GET", target).header("cookie", &cookie);
                let answer = ask(&layer, kind, request).await;
                assert_eq!(answer.status(), want, "{name}, {kind}, {target}");
                assert_eq!(as_gateway(answer.headers()), [], "{name}, {kind}, {target}");
                assert!(answer.headers().get("set-cookie").is_none(), "{name}");
            }
        }
    }
}
