//! `forward_identity`: who is signed in arrives in our words alone, and our cookies do not.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, MagicLinkLayer, Session, event::Event, revocation::Standing, testing::ManualClock,
};

use crate::{
    names::ADA,
    site::{as_gateway, builder, cookie_of, spellings, told},
};

fn forwarding() -> Builder {
    builder(&ManualClock::new()).forward_identity()
}

/// A revocation store that has to wait.
fn waiting(builder: Builder) -> Builder {
    builder.revocations(|_: Session| async {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(Standing::Active)
    })
}

/// Sends a request through the layer, and returns what the inner service was handed.
async fn handed_on(layer: &MagicLinkLayer, request: Request<String>) -> HeaderMap {
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let service = layer.layer(service_fn(move |request: Request<String>| {
        *sink.lock().unwrap() = Some(request.headers().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    seen.lock().unwrap().take().expect("it was handed on")
}

fn request(path: &str, fields: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::get(path).body(String::new()).unwrap();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().append(name, value);
    }
    request
}

#[tokio::test]
async fn spoofed_identity_headers_never_arrive_in_any_spelling() {
    let layers = [
        ("settled", forwarding().build().unwrap()),
        ("pending", waiting(forwarding()).build().unwrap()),
    ];
    for (store, layer) in layers {
        let (cookie, session) = cookie_of(&layer);
        let strange = (String::new(), Vec::new());
        let ours = (cookie, told(&session));
        let cases = [
            ("admitted", "/x", &ours),
            ("public, signed in", "/about", &ours),
            ("public, stranger", "/about", &strange),
        ];
        for (name, path, (cookie, want)) in cases {
            for spelling in spellings() {
                let fields = [
                    ("cookie", cookie.as_str()),
                    (&spelling, "eve"),
                    (&spelling, "mallory"),
                ];
                let headers = handed_on(&layer, request(path, &fields)).await;
                assert_eq!(&as_gateway(&headers), want, "{store}, {name}, {spelling}");
            }
        }
    }
}

#[tokio::test]
async fn other_names_are_the_applications_own() {
    let layer = forwarding().build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    for name in [
        "xauthsubject",
        "x-auth",
        "x-auth-user",
        "x-auth-subjects",
        "x-auth-subject-",
        "x--auth-subject",
        "ax-auth-subject",
        "x-authsubject",
    ] {
        let fields = [("cookie", cookie.as_str()), (name, "theirs")];
        let headers = handed_on(&layer, request("/x", &fields)).await;
        assert_eq!(headers[name], "theirs", "{name}");
    }
}

#[tokio::test]
async fn a_client_cannot_have_the_next_proxy_remove_our_headers() {
    let cases: [(&str, &str, Option<&str>); 12] = [
        ("alone", "x-auth-subject", None),
        (
            "between",
            "close, X-Auth-Subject, keep-alive",
            Some("close, keep-alive"),
        ),
        ("last", "close,x-auth-email", Some("close")),
        ("first", "x-auth-session ,close", Some("close")),
        (
            "all",
            "x-auth-subject,x-auth-email,x-auth-organization,x-auth-session",
            None,
        ),
        ("underscores", "close, x_auth_subject", Some("close")),
        ("quoted", "close, \"x-auth-subject\"", Some("close")),
        ("behind a parameter", "close;x-auth-subject", None),
        ("behind a space", "close x-auth-subject", None),
        (
            "a space that is no space to us",
            "\u{a0}x-auth-subject, close",
            Some("close"),
        ),
        ("another name", "x-auth-user,  te", Some("x-auth-user,  te")),
        (
            "nothing of ours",
            "keep-alive , Close",
            Some("keep-alive , Close"),
        ),
    ];
    let layer = forwarding().build().unwrap();
    let (cookie, session) = cookie_of(&layer);
    for field in ["connection", "trailer"] {
        for (name, list, want) in cases {
            let mut request = request("/x", &[("cookie", &cookie)]);
            let latin: Vec<u8> = list
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect();
            let latin = HeaderValue::from_bytes(&latin).unwrap();
            request.headers_mut().append(field, latin);
            let headers = handed_on(&layer, request).await;
            assert_eq!(
                headers.get(field).map(HeaderValue::as_bytes),
                want.map(str::as_bytes),
                "{field}, {name}"
            );
            assert_eq!(as_gateway(&headers), told(&session), "{field}, {name}");
        }
    }
}

/// Pinned: any upgrade was handed on, and inside an h2c tunnel a client wrote our headers itself.
#[tokio::test]
async fn a_websocket_is_the_one_upgrade_that_is_handed_on() {
    let handshake: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];
    let settings = ("http2-settings", "AAMAAABkAAQAAP__");
    let with = |field| [&handshake[..], &[field]].concat();
    type Case<'c> = (
        &'c str,
        Vec<(&'c str, &'c str)>,
        &'c [&'c str],
        &'c [&'c str],
    );
    let h2c = "Upgrade, HTTP2-Settings";
    let cases: [Case<'_>; 12] = [
        (
            "websocket",
            handshake.to_vec(),
            &["websocket"],
            &["keep-alive, Upgrade"],
        ),
        (
            "h2c",
            vec![("connection", h2c), ("upgrade", "h2c"), settings],
            &[],
            &[],
        ),
        (
            "TLS",
            vec![("connection", "upgrade"), ("upgrade", "TLS/1.0")],
            &[],
            &[],
        ),
        ("without a wish", vec![("upgrade", "h2c")], &[], &[]),
        (
            "a wish alone",
            vec![("connection", "close, UPGRADE")],
            &[],
            &["close"],
        ),
        (
            "settings alone",
            vec![settings, ("connection", "http2-settings")],
            &[],
            &[],
        ),
        (
            "settings, other spelling",
            vec![("http2_settings", "AA")],
            &[],
            &[],
        ),
        (
            "upgrade in quotes",
            vec![("connection", "\"upgrade\", x")],
            &[],
            &["x"],
        ),
        (
            "websocket and settings",
            with(settings),
            &[],
            &["keep-alive"],
        ),
        (
            "websocket and h2c",
            with(("upgrade", "h2c")),
            &[],
            &["keep-alive"],
        ),
        (
            "websocket with a body",
            with(("content-length", "3")),
            &[],
            &["keep-alive"],
        ),
        (
            "websocket without a key",
            [&handshake[..2], &handshake[3..]].concat(),
            &[],
            &["keep-alive"],
        ),
    ];
    let layers = [
        ("settled", forwarding().build().unwrap()),
        ("pending", waiting(forwarding()).build().unwrap()),
    ];
    for (store, layer) in layers {
        let (cookie, _) = cookie_of(&layer);
        for (path, cookie) in [("/x", cookie.as_str()), ("/about", &cookie), ("/about", "")] {
            for (name, fields, upgrade, connection) in &cases {
                let fields = [&[("cookie", cookie)], &fields[..]].concat();
                let headers = handed_on(&layer, request(path, &fields)).await;
                let name = format!("{store}, {path}, {name}");
                let got: Vec<_> = headers.get_all("upgrade").iter().collect();
                assert_eq!(&got, upgrade, "{name}");
                let got: Vec<_> = headers.get_all("connection").iter().collect();
                assert_eq!(&got, connection, "{name}");
                for gone in ["http2-settings", "http2_settings"] {
                    assert!(!headers.contains_key(gone), "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_identity_headers_an_upgrade_is_the_applications_own() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    let fields = [
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
        ("http2-settings", "AA"),
    ];
    let headers = handed_on(&layer, request("/about", &fields)).await;
    for (name, value) in fields {
        assert_eq!(headers[name], value);
    }
}

/// A `CONNECT` without a path of its own is a tunnel to the service behind, whatever HTTP calls it.
#[tokio::test]
async fn a_connect_for_a_tunnel_is_not_handed_on() {
    let layer = forwarding()
        .public_path((http::Method::CONNECT, "/about"))
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    let cases = [
        (http::Version::HTTP_11, "/x", 400),
        (http::Version::HTTP_11, "/about", 400),
        (http::Version::HTTP_11, "app.example.com:443", 400),
        (http::Version::HTTP_2, "app.example.com:443", 400),
        (http::Version::HTTP_2, "https://app.example.com/x", 200),
        (http::Version::HTTP_2, "https://app.example.com/about", 200),
    ];
    for (version, uri, want) in cases {
        let mut request = request("/", &[("cookie", &cookie)]);
        *request.method_mut() = http::Method::CONNECT;
        *request.version_mut() = version;
        *request.uri_mut() = uri.parse().unwrap();
        let service = layer.layer(service_fn(|_| {
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        }));
        let status = service.oneshot(request).await.unwrap().status();
        assert_eq!(status.as_u16(), want, "{version:?} {uri}");
    }
}

#[tokio::test]
async fn our_cookies_stay_with_the_layer_and_others_pass_byte_for_byte() {
    let layer = forwarding().build().unwrap();
    let (ours, _) = cookie_of(&layer);
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("alone", &["OURS"], &[]),
        ("between", &["a=1; OURS; b=\"2, 3\""], &["a=1; b=\"2, 3\""]),
        ("first", &["OURS; a=1"], &["a=1"]),
        ("last, tight", &["a=1;b=2;OURS"], &["a=1;b=2"]),
        ("twice", &["OURS; a=1; OURS"], &["a=1"]),
        ("crumbs", &["a=1", "OURS", "b=2"], &["a=1", "b=2"]),
        (
            "the browser's and the return's",
            &["OURS; __Host-magic-link-browser=x; __Host-magic-link-return=y; a=1"],
            &["a=1"],
        ),
        (
            "names that are not ours",
            &[
                "magic-link=1; __host-magic-link=2; __Host-magic-link2=3;  __Host-magic-link=4; =5;; OURS",
            ],
            &["magic-link=1; __host-magic-link=2; __Host-magic-link2=3;  __Host-magic-link=4; =5;"],
        ),
        (
            "odd bytes elsewhere",
            &["a=1;b = 2 ;; c", "OURS"],
            &["a=1;b = 2 ;; c"],
        ),
    ];
    for (name, fields, want) in cases {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| field.replace("OURS", &ours))
            .collect();
        for path in ["/x", "/about"] {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| ("cookie", field.as_str()))
                .collect();
            let headers = handed_on(&layer, request(path, &fields)).await;
            let got: Vec<_> = headers.get_all("cookie").iter().collect();
            assert_eq!(got, want, "{name}");
        }
    }
}

#[tokio::test]
async fn a_strangers_forged_cookie_does_not_pass_on_a_public_path() {
    let layer = forwarding().build().unwrap();
    let fields = [("cookie", "__Host-magic-link=forged; a=1")];
    let headers = handed_on(&layer, request("/about", &fields)).await;
    assert_eq!(headers["cookie"], "a=1");
}

#[tokio::test]
async fn an_inner_set_cookie_for_one_of_ours_is_dropped_and_told() {
    let cases = [
        (
            "ours",
            "__Host-magic-link=x; Secure; Path=/",
            Some("__Host-magic-link"),
        ),
        (
            "removal",
            "__Host-magic-link=; Max-Age=0",
            Some("__Host-magic-link"),
        ),
        (
            "browser",
            "__Host-magic-link-browser=x",
            Some("__Host-magic-link-browser"),
        ),
        (
            "return",
            "__Host-magic-link-return=x",
            Some("__Host-magic-link-return"),
        ),
        (
            "padded",
            " \t__Host-magic-link\t =x",
            Some("__Host-magic-link"),
        ),
        (
            "nameless",
            "=__Host-magic-link=x",
            Some("__Host-magic-link"),
        ),
        ("theirs", "id=1; Path=/", None),
        ("a longer name", "__Host-magic-link2=x", None),
        ("ours as a value", "id=__Host-magic-link=x", None),
        ("ours as an attribute", "id=1; __Host-magic-link=x", None),
        ("empty", "", None),
    ];
    for (name, set, dropped) in cases {
        for (path, waits) in [
            ("/x", false),
            ("/x", true),
            ("/about", false),
            ("/about", true),
        ] {
            let events = Arc::new(Mutex::new(Vec::new()));
            let heard = events.clone();
            let configured = forwarding().on_event(move |event| {
                if let Event::CookieDropped { name } = event {
                    heard.lock().unwrap().push((*name).to_owned());
                }
            });
            let configured = if waits {
                waiting(configured)
            } else {
                configured
            };
            let layer = configured.build().unwrap();
            let service = layer.layer(service_fn(move |_: Request<String>| {
                let response = Response::builder()
                    .header("set-cookie", "kept=1")
                    .header("set-cookie", set);
                let response = response
                    .header("set-cookie", "kept=2")
                    .body(Full::<Bytes>::default());
                std::future::ready(Ok::<_, Infallible>(response.unwrap()))
            }));
            let (cookie, _) = cookie_of(&layer);
            let response = service
                .oneshot(request(path, &[("cookie", &cookie)]))
                .await
                .unwrap();
            let got: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
            let kept: Vec<_> = ["kept=1", set, "kept=2"]
                .into_iter()
                .filter(|set_| dropped.is_none() || *set_ != set)
                .collect();
            assert_eq!(got, kept, "{name}");
            assert_eq!(*events.lock().unwrap(), Vec::from_iter(dropped), "{name}");
        }
    }
}

#[tokio::test]
async fn the_renewed_cookie_is_ours_to_set() {
    let clock = ManualClock::new();
    let hour = std::time::Duration::from_secs(3_600);
    let layer = builder(&clock)
        .forward_identity()
        .idle_timeout(hour)
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    clock.advance(hour / 2);
    let service = layer.layer(service_fn(async |_: Request<String>| {
        let response = Response::builder().header("set-cookie", "__Host-magic-link=theirs");
        Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
    }));
    let response = service
        .oneshot(request("/x", &[("cookie", &cookie)]))
        .await
        .unwrap();
    let got: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(got[0].to_str().unwrap().starts_with("__Host-magic-link=ey"));
}

#[tokio::test]
async fn no_address_stands_in_the_debug_output_of_the_headers() {
    let layer = forwarding().build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    let headers = handed_on(&layer, request("/x", &[("cookie", &cookie)])).await;
    assert_eq!(headers["x-auth-email"], ADA);
    assert!(!format!("{headers:?}").contains(ADA));
}

#[tokio::test]
async fn without_the_setting_a_request_passes_as_it_is() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    let fields = [
        ("cookie", cookie.as_str()),
        ("x-auth-email", "theirs"),
        ("connection", "x-auth-email"),
    ];
    let sent = request("/x", &fields);
    let want = sent.headers().clone();
    assert_eq!(handed_on(&layer, sent).await, want);
}
