//! A WebSocket is the only upgrade that is passed on.

use std::convert::Infallible;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::testing::ManualClock;

use super::{forwarding, handed_on, request, waiting};
use crate::site::{builder, cookie_of};

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
