//! `ForwardAuth::refusing`: the whole answer to a refused request, and never a permit.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use tower_magic_link::{
    MagicLinkLayer, PeerAddr, ResponseBody, Session, companion::ForwardAuth, revocation::Standing,
    testing::ManualClock,
};

use crate::site::{as_gateway, builder, cookie_of};

fn layer() -> MagicLinkLayer {
    let layer = builder(&ManualClock::new()).bearer_tokens();
    layer.trusted_proxies(["10.0.0.7"]).build().unwrap()
}

fn question(target: &str) -> http::request::Builder {
    let peer = SocketAddr::from(([10, 0, 0, 7], 40_000));
    Request::get("/refuse")
        .extension(PeerAddr::from(peer))
        .header("x-original-method", "GET")
        .header("x-original-uri", target)
}

async fn ask(
    service: ForwardAuth,
    question: http::request::Builder,
) -> Response<ResponseBody<Full<Bytes>>> {
    let question = question.body(Full::default()).unwrap();
    service.oneshot(question).await.unwrap()
}

fn refusing(layer: &MagicLinkLayer) -> ForwardAuth {
    layer.forward_auth().for_nginx().refusing()
}

#[tokio::test]
async fn a_refusal_is_what_the_client_gets_elsewhere_with_its_own_status() {
    let layer = layer();
    let page = question("/x").header("accept", "text/html");
    let page = ask(refusing(&layer), page.header("sec-fetch-mode", "navigate")).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    let form = "https://app.example.com/auth/login?return_to=/x";
    assert_eq!(page.headers()["location"], form);

    let api = ask(refusing(&layer), question("/x")).await;
    assert_eq!(api.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(api.headers()["content-type"], "application/problem+json");
    let challenges = api.headers().get_all(header::WWW_AUTHENTICATE).iter();
    assert_eq!(challenges.count(), 2);
    let body = api.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{"), "{body:?}");

    // nginx would make a 500 of a 400 to its question, and sends this one on.
    let ambiguous = ask(refusing(&layer), question("/x#y")).await;
    assert_eq!(ambiguous.status(), StatusCode::BAD_REQUEST);
}

/// Pinned: a request that was refused was not delivered. A 200 would tell the client that it was.
#[tokio::test]
async fn a_session_that_is_good_by_now_is_a_503_without_identity() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    for (path, cookie) in [
        ("/x", cookie.as_str()),
        ("/about", cookie.as_str()),
        ("/about", ""),
    ] {
        let answer = ask(refusing(&layer), question(path).header("cookie", cookie)).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.headers().contains_key(header::RETRY_AFTER), "{path}");
        assert_eq!(as_gateway(answer.headers()), [], "{path}");
        for permit in ["x-auth-decision", "set-cookie"] {
            assert!(!answer.headers().contains_key(permit), "{path}: {permit}");
        }
    }
}

#[tokio::test]
async fn nothing_that_a_client_sends_makes_a_2xx_of_it() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    let audiences = [
        ("sec-fetch-mode", "navigate"),
        ("accept", "text/html"),
        ("content-type", "application/grpc"),
        ("content-type", "application/grpc-web-text"),
        ("hx-request", "true"),
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
        ("sec-purpose", "prefetch"),
        ("accept", "text/event-stream"),
        ("access-control-request-method", "GET"),
    ];
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
    let services = [layer.forward_auth().refusing(), refusing(&layer)];
    for service in services {
        for method in &methods {
            for (name, value) in audiences {
                for target in ["/x", "/about", "/auth/login", "/auth/logout", "//x"] {
                    for cookie in ["", "magic-link=dead", cookie.as_str()] {
                        let mut request = question(target).header(name, value);
                        let fields = request.headers_mut().unwrap();
                        let said = method.as_str().parse().unwrap();
                        fields.insert("x-original-method", said);
                        fields.insert("x-forwarded-method", fields["x-original-method"].clone());
                        fields.insert("x-forwarded-uri", target.parse().unwrap());
                        let request = request.header("cookie", cookie);
                        let answer = ask(service.clone(), request).await;
                        let name = format!("{method} {target}, {name}: {value}, {cookie:.16}");
                        assert!(!answer.status().is_success(), "{name}");
                        assert!(!answer.headers().contains_key("x-auth-decision"), "{name}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_comes_back_between_both_questions_is_a_503() {
    let is_out = Arc::new(AtomicBool::new(true));
    let store = is_out.clone();
    let layer = builder(&ManualClock::new())
        .trusted_proxies(["10.0.0.7"])
        .revocations(move |_: Session| {
            let is_out = store.load(Ordering::Relaxed);
            async move {
                match is_out {
                    true => Err(std::io::Error::other("down")),
                    false => Ok(Standing::Active),
                }
            }
        })
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    let with_cookie = || question("/x").header("cookie", &cookie);
    let first = ask(layer.forward_auth().for_nginx(), with_cookie()).await;
    assert_eq!(first.status(), StatusCode::SERVICE_UNAVAILABLE);
    is_out.store(false, Ordering::Relaxed);
    let second = ask(refusing(&layer), with_cookie()).await;
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(second.headers().contains_key(header::RETRY_AFTER));
}

/// Pins: behind nginx each refusal was reported twice.
#[tokio::test]
async fn a_refusal_that_nginx_asks_about_twice_is_reported_once() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let layer = builder(&ManualClock::new())
        .trusted_proxies(["10.0.0.7"])
        .on_event(move |event, _| listener.lock().unwrap().push(format!("{event:?}")))
        .build()
        .unwrap();
    let (cookie, session) = cookie_of(&layer);
    layer.issuer().sign_out(&session).await.unwrap();
    let cases = [
        ("/x", "", "NoSession"),
        ("/x", cookie.as_str(), "RevokedSession"),
        ("/x#y", "", "AmbiguousRequest"),
        ("/auth/login", "", "Malformed"),
    ];
    for (target, cookie, kind) in cases {
        heard.lock().unwrap().clear();
        let head = || question(target).header("cookie", cookie);
        let first = ask(layer.forward_auth().for_nginx(), head()).await;
        let second = ask(refusing(&layer), head()).await;
        for answer in [first, second] {
            assert!(!answer.status().is_success(), "{target} {cookie:.16}");
        }
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard, [format!("Refused {{ kind: {kind} }}")], "{target}");
    }
}

#[tokio::test]
async fn a_permit_alone_says_that_it_is_one() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    let cases = [
        ("/x", cookie.as_str(), Some("permit")),
        ("/about", "", Some("permit")),
        ("/x", "", None),
        ("/x#y", cookie.as_str(), None),
        ("/auth/login", cookie.as_str(), None),
    ];
    for (target, cookie, want) in cases {
        let question = question(target)
            .header("cookie", cookie)
            .header("x-auth-decision", "permit");
        let answer = ask(layer.forward_auth().for_nginx(), question).await;
        let got = answer.headers().get("x-auth-decision");
        assert_eq!(got.map(|it| it.to_str().unwrap()), want, "{target}");
        assert_eq!(answer.status().is_success(), want.is_some(), "{target}");
    }
}
