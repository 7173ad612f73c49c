//! Which proxies may name a target, and which targets and upgrades are refused.

use std::net::SocketAddr;

use http::{HeaderName, HeaderValue, Request, StatusCode};
use tower_magic_link::{PathRule, PeerAddr, Rejection, RejectionKind, testing::ManualClock};

use super::{PROXY, STRANGER, ask, configured, layer, question};
use crate::site::{as_gateway, builder, cookie_of};

#[tokio::test]
async fn a_path_is_public_by_the_word_of_a_trusted_proxy_alone() {
    let cases = [
        ("public", PROXY, "GET", "/about", true),
        ("with a query", PROXY, "GET", "/about?a=b", true),
        ("below", PROXY, "HEAD", "/docs/a", true),
        ("any method", PROXY, "DELETE", "/open", true),
        ("protected", PROXY, "GET", "/x", false),
        ("other method", PROXY, "POST", "/about", false),
        ("unknown method", PROXY, "get", "/about", false),
        ("dot segments", PROXY, "GET", "/docs/../x", false),
        ("encoded", PROXY, "GET", "/docs/%2e%2e/x", false),
        ("cookieless", PROXY, "GET", "/docs/(S(x))/x", false),
        ("two slashes", PROXY, "GET", "//docs", false),
        ("a query that names it", PROXY, "GET", "/x?/about", false),
        ("a stranger's word", STRANGER, "GET", "/about", false),
        (
            "a neighbour's word",
            "11.0.0.7:40000",
            "GET",
            "/about",
            false,
        ),
        ("of loopback", "127.0.0.1:40000", "GET", "/about", false),
    ];
    let layer = layer();
    for kind in ["forwarded", "original"] {
        for (name, peer, method, target, is_public) in cases {
            let answer = ask(&layer, kind, question(kind, peer, method, target)).await;
            let want = if is_public {
                StatusCode::OK
            } else {
                StatusCode::UNAUTHORIZED
            };
            assert_eq!(answer.status(), want, "{kind}, {name}");
            assert_eq!(as_gateway(answer.headers()), [], "{kind}, {name}");
        }
    }
}

/// Pinned: a stranger's permit for an optional path had no `Vary`.
#[tokio::test]
async fn an_optional_path_depends_on_the_cookie_and_a_public_one_does_not() {
    let layer = configured().optional_path("/home").build().unwrap();
    for kind in ["forwarded", "original"] {
        for (target, want) in [("/home", Some("cookie")), ("/about", None)] {
            let answer = ask(&layer, kind, question(kind, PROXY, "GET", target)).await;
            assert_eq!(answer.status(), StatusCode::OK, "{kind} {target}");
            let vary = answer.headers().get("vary");
            let vary = vary.map(|vary| vary.to_str().unwrap());
            assert_eq!(vary, want, "{kind} {target}");
        }
    }
}

#[tokio::test]
async fn without_a_peer_or_the_pair_nothing_is_public_not_even_where_the_question_arrives() {
    let layer = configured()
        .public_path(PathRule::any_method("/"))
        .public_path("/ask")
        .build()
        .unwrap();
    let peer: SocketAddr = PROXY.parse().unwrap();
    let from_proxy = || Request::get("/ask").extension(PeerAddr::from(peer));
    let cases = [
        (
            "nobody knows the peer",
            Request::get("/ask")
                .header("x-forwarded-method", "GET")
                .header("x-forwarded-uri", "/about"),
        ),
        ("nothing said", from_proxy()),
        ("no method", from_proxy().header("x-forwarded-uri", "/open")),
        (
            "no address",
            from_proxy().header("x-forwarded-method", "GET"),
        ),
        (
            "the other pair",
            question("original", PROXY, "GET", "/about"),
        ),
        (
            "the other pair besides",
            question("forwarded", PROXY, "GET", "/x")
                .header("x-original-method", "GET")
                .header("x-original-uri", "/about"),
        ),
        (
            "other headers",
            from_proxy()
                .header("x-rewrite-url", "/about")
                .header("x-original-url", "/about")
                .header("x-http-method-override", "GET"),
        ),
    ];
    for (name, request) in cases {
        let answer = ask(&layer, "forwarded", request).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
    }
    let none_trusted = builder(&ManualClock::new()).build().unwrap();
    let answer = ask(
        &none_trusted,
        "forwarded",
        question("forwarded", "127.0.0.1:1", "GET", "/about"),
    )
    .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

/// Pinned: a target was cut at `#` and decided on by what stood before it, while the proxy handed
/// on the whole.
#[tokio::test]
async fn a_target_that_the_service_may_read_differently_is_refused_with_a_session_too() {
    let layer = configured()
        .public_path(PathRule::any_method("/"))
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    let cases: [(&str, &str, &[&[u8]]); 27] = [
        ("fragment", "GET", &[b"/about#/../private/secret.txt"]),
        (
            "fragment behind the query",
            "GET",
            &[b"/about?x#/../private"],
        ),
        ("fragment alone", "GET", &[b"/about#"]),
        ("fragment first", "GET", &[b"#/about"]),
        ("space", "GET", &[b"/about x"]),
        ("space behind", "GET", &[b"/about "]),
        ("space before", "GET", &[b" /about"]),
        ("space in the query", "GET", &[b"/about?x y"]),
        ("tab", "GET", &[b"/about\t"]),
        ("tab in the query", "GET", &[b"/about?\t"]),
        ("backslash", "GET", &[b"/about\\..\\private"]),
        ("backslash first", "GET", &[b"\\about"]),
        ("backslash for the slash", "GET", &[b"/\\about"]),
        ("Latin-1", "GET", &[b"/about\xe9"]),
        ("Latin-1 in the query", "GET", &[b"/about?\xe9"]),
        ("UTF-8", "GET", &["/docs/\u{e9}".as_bytes()]),
        ("full-width slash", "GET", &["/docs\u{ff0f}x".as_bytes()]),
        ("no-break space", "GET", &["/about\u{a0}".as_bytes()]),
        ("absolute-form", "GET", &[b"https://app.example.com/about"]),
        (
            "absolute-form, other case",
            "GET",
            &[b"HTTP://APP.EXAMPLE.COM/about"],
        ),
        ("authority-form", "CONNECT", &[b"app.example.com:443"]),
        ("asterisk-form", "OPTIONS", &[b"*"]),
        ("relative", "GET", &[b"about"]),
        ("query alone", "GET", &[b"?x=/about"]),
        ("empty", "GET", &[b""]),
        ("two", "GET", &[b"/about", b"/x"]),
        ("two alike", "GET", &[b"/about", b"/about"]),
    ];
    for (kind, status) in [("forwarded", 400), ("original", 403)] {
        for (name, method, targets) in cases {
            for cookie in ["", &cookie] {
                let mut request = question(kind, PROXY, method, "/").header("cookie", cookie);
                let fields = request.headers_mut().unwrap();
                let field = HeaderName::try_from(format!("x-{kind}-uri")).unwrap();
                fields.remove(&field);
                for target in targets {
                    fields.append(&field, HeaderValue::from_bytes(target).unwrap());
                }
                let answer = ask(&layer, kind, request).await;
                let name = format!("{kind}, {name}, {:?}", !cookie.is_empty());
                assert_eq!(answer.status().as_u16(), status, "{name}");
                assert_eq!(as_gateway(answer.headers()), [], "{name}");
                let rejection = answer.extensions().get::<Rejection>().unwrap();
                assert_eq!(rejection.kind(), RejectionKind::AmbiguousRequest, "{name}");
            }
        }
        for (name, method, other) in [("no method", "", None), ("two", "GET", Some("POST"))] {
            let mut request = question(kind, PROXY, method, "/about");
            if let Some(other) = other {
                request = request.header(format!("x-{kind}-method"), other);
            }
            let answer = ask(&layer, kind, request.header("cookie", &cookie)).await;
            assert_eq!(answer.status().as_u16(), status, "{kind}, {name}");
        }
        // What browsers send and every reader takes for the same target.
        for target in [
            "/about?file=C:\\x",
            "/about?a={b}|c^d`e",
            "/about?/../private?x",
            "/x%23/..;a=b",
        ] {
            let request = question(kind, PROXY, "GET", target).header("cookie", &cookie);
            let answer = ask(&layer, kind, request).await;
            assert_eq!(answer.status(), StatusCode::OK, "{kind}, {target}");
        }
        // From a stranger's mouth a target means nothing: what counts is the session.
        let request = question(kind, STRANGER, "GET", "/about#").header("cookie", &cookie);
        assert_eq!(ask(&layer, kind, request).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_question_that_shows_an_upgrade_to_anything_but_a_websocket_is_refused() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let handshake = [
        ("upgrade", "websocket"),
        key,
        ("sec-websocket-version", "13"),
    ];
    let with = |field| [&handshake[..], &[field]].concat();
    type Case<'c> = (&'c str, &'c str, Vec<(&'c str, &'c str)>, bool);
    let cases: [Case<'_>; 10] = [
        ("none", "GET", vec![], true),
        ("websocket", "GET", handshake.to_vec(), true),
        ("h2c", "GET", vec![("upgrade", "h2c")], false),
        ("TLS", "GET", vec![("upgrade", "TLS/1.0")], false),
        (
            "list",
            "GET",
            vec![("upgrade", "websocket, h2c"), handshake[1], handshake[2]],
            false,
        ),
        ("two fields", "GET", with(("upgrade", "h2c")), false),
        (
            "settings",
            "GET",
            with(("http2-settings", "AAMAAABkAAQAAP__")),
            false,
        ),
        (
            "settings alone",
            "GET",
            vec![("http2-settings", "AAMAAABkAAQAAP__")],
            false,
        ),
        ("no key", "GET", vec![handshake[0], handshake[2]], false),
        ("post", "POST", handshake.to_vec(), false),
    ];
    for (kind, status) in [("forwarded", 400), ("original", 403)] {
        for (name, method, fields, passes) in &cases {
            for (who, peer, cookie, target) in [
                ("a stranger", PROXY, "", "/open"),
                ("signed in", PROXY, cookie.as_str(), "/x"),
                ("signed in, untrusted", STRANGER, &cookie, "/x"),
            ] {
                let mut request = question(kind, peer, method, target).header("cookie", cookie);
                for (field, value) in fields {
                    request = request.header(*field, *value);
                }
                let answer = ask(&layer, kind, request).await;
                // Without the proxy's word the method is the question's own.
                let passes = *passes || (peer == STRANGER && *name == "post");
                let want = if passes { 200 } else { status };
                assert_eq!(answer.status().as_u16(), want, "{kind}, {who}, {name}");
            }
        }
    }
}
