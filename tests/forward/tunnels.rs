//! Nothing but a WebSocket becomes a tunnel, before a server that takes others too: Hypercorn, with
//! its defaults.
//!
//! Pinned: through the guard, and through the nginx configuration that was documented, `Upgrade:
//! h2c` opened a tunnel in which a client wrote the identity headers itself.

use std::time::Duration;

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    front::{Front, Running},
    names::{ADA, EVE},
    person::ProxiedPerson,
    service::{Seen, Server, Service},
    site::NAMES,
};

const SETTINGS: &str = "HTTP2-Settings: AAMAAABkAAQAAP__\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const WISH: &str = "Connection: Upgrade, HTTP2-Settings\r\n";
/// Asked for in the tunnel alone.
const INSIDE: &str = "/inside";
/// Asked for in a second request on the same connection.
const SECOND: &str = "/second";

/// Somebody who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    SignedIn,
    StrangerAtPublicPath,
    StrangerAtProtectedPath,
}

/// A request head without `Host` and `Cookie`, and what follows it. Each asks for an upgrade.
fn variants() -> Vec<(&'static str, String, String)> {
    let h2c = format!("{WISH}Upgrade: h2c\r\n{SETTINGS}");
    let get = |fields: String| (format!("GET PATH HTTP/1.1\r\n{fields}"), String::new());
    let websocket = |protocols: &str| {
        get(format!(
            "Connection: Upgrade\r\nUpgrade: {protocols}\r\n{KEY}{SETTINGS}"
        ))
    };
    let second = format!(
        "GET {SECOND} HTTP/1.1\r\nHost: app.example.com\r\nCOOKIEX-Auth-Email: eve@example.com\r\n\r\n"
    );
    let all = [
        ("h2c", get(h2c.clone())),
        (
            "without Connection",
            get(format!("Upgrade: h2c\r\n{SETTINGS}")),
        ),
        (
            "without settings",
            get("Connection: Upgrade\r\nUpgrade: h2c\r\n".to_owned()),
        ),
        ("alone", get("Upgrade: h2c\r\n".to_owned())),
        ("capitals", get(format!("{WISH}Upgrade: H2C\r\n{SETTINGS}"))),
        ("h2", get(format!("{WISH}Upgrade: h2\r\n{SETTINGS}"))),
        (
            "TLS/1.0",
            get("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n".to_owned()),
        ),
        (
            "foo",
            get("Connection: Upgrade\r\nUpgrade: foo\r\n".to_owned()),
        ),
        ("list, h2c first", websocket("h2c, websocket")),
        ("list, h2c last", websocket("websocket, h2c")),
        (
            "two fields, h2c first",
            websocket("h2c\r\nUpgrade: websocket"),
        ),
        (
            "two fields, h2c last",
            websocket("websocket\r\nUpgrade: h2c"),
        ),
        ("a parameter", websocket("h2c;websocket")),
        (
            "two Connection fields",
            get(format!("Connection: close\r\n{h2c}")),
        ),
        ("settings twice", get(format!("{h2c}{SETTINGS}"))),
        (
            "HTTP/1.0",
            (format!("GET PATH HTTP/1.0\r\n{h2c}"), String::new()),
        ),
        (
            "HTTP/1.0 without settings",
            (
                format!("GET PATH HTTP/1.0\r\n{WISH}Upgrade: h2c\r\n"),
                String::new(),
            ),
        ),
        (
            "a body",
            (
                format!("POST PATH HTTP/1.1\r\n{h2c}Content-Length: 5\r\n"),
                "hello".to_owned(),
            ),
        ),
        (
            "a body in chunks",
            (
                format!("POST PATH HTTP/1.1\r\n{h2c}Transfer-Encoding: chunked\r\n"),
                "5\r\nhello\r\n0\r\n\r\n".to_owned(),
            ),
        ),
        (
            "a second request",
            (format!("GET PATH HTTP/1.1\r\n{h2c}"), second),
        ),
        (
            "a WebSocket by POST",
            (
                format!("POST PATH HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n{KEY}"),
                String::new(),
            ),
        ),
        (
            "CONNECT",
            ("CONNECT PATH HTTP/1.1\r\n".to_owned(), String::new()),
        ),
    ];
    all.map(|(name, (head, rest))| (name, head, rest)).into()
}

/// What a client says in a tunnel of HTTP/2: its preface, its settings, and a request of its own
/// with a forged identity.
fn inside() -> Bytes {
    let literal = |name: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        let mut field = vec![0, length(name)];
        field.extend(name.bytes());
        field.push(length(value));
        field.extend(value.bytes());
        field
    };
    // GET and http have a place of their own in HPACK's table (RFC 7541, appendix A).
    let mut block = vec![0x82, 0x86];
    block.extend(literal(":path", INSIDE));
    block.extend(literal(":authority", "app.example.com"));
    for name in NAMES {
        block.extend(literal(name, EVE));
    }
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [
            length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
        ];
        [&head[..], payload].concat()
    };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    [preface, frame(4, 0, 0, &[]), frame(1, 5, 3, &block)]
        .concat()
        .into()
}

/// Sends a head and what follows, then what would be said in a tunnel; returns all that comes back.
async fn try_once(authority: &str, head: &str, rest: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let text = format!("{head}\r\n{rest}");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Whoever closes early has said what there is to say.
    let exchange = async {
        let mut piece = [0; 4_096];
        let mut has_spoken = false;
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            answer.extend(&piece[..length]);
            if !has_spoken && answer.windows(4).any(|end| end == b"\r\n\r\n") {
                has_spoken = true;
                if stream.write_all(&inside()).await.is_err() {
                    break;
                }
            }
        }
    };
    let _ = timeout(Duration::from_secs(10), exchange).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn tries(front: Front) {
    let service = Service::start(Server::Hypercorn);
    let running = front.before(&service.origin).await;
    let person = running.person().await;
    let callers = [
        (Caller::SignedIn, "/page", person.cookie.as_str()),
        (Caller::SignedIn, "/about", person.cookie.as_str()),
        (Caller::StrangerAtPublicPath, "/about", ""),
        (Caller::StrangerAtProtectedPath, "/page", ""),
    ];
    for (name, head, rest) in variants() {
        for (caller, path, cookie) in callers {
            let cookie = match cookie {
                "" => String::new(),
                cookie => format!("Cookie: {cookie}\r\n"),
            };
            let head = head.replace("PATH", path);
            let head = format!("{head}Host: app.example.com\r\n{cookie}");
            let rest = rest.replace("COOKIE", &cookie);
            let before = service.seen().await.len();
            let answer = try_once(running.authority(), &head, &rest).await;
            let first = answer.lines().next().unwrap_or_default().to_owned();
            let seen = service.seen().await;
            let seen = &seen[before..];
            let name = format!("{front:?}, {name}, {caller:?}, {path}: {first:?}");
            // Of two fields nginx before 1.23 and Traefik read the first, and hand that on: the
            // service sees a WebSocket alone.
            let reads_first = matches!(front, Front::Nginx | Front::Traefik);
            let may_open = reads_first && name.contains("two fields, h2c last");
            assert!(may_open || !answer.contains("HTTP/1.1 101"), "{name}");
            check(seen, caller, &name);
            // Without its wish the request is a usual one.
            let is_usual = head.starts_with("GET") && !name.contains("settings twice");
            // Envoy refuses such a wish, and HTTP/1.0.
            let refusals = ["HTTP/1.1 403 Forbidden", "HTTP/1.1 426 Upgrade Required"];
            let is_refused = front == Front::Envoy && refusals.contains(&first.as_str());
            assert!(!is_refused || seen.is_empty(), "{name}");
            let may_differ = may_open || is_refused;
            if caller != Caller::StrangerAtProtectedPath && is_usual && !may_differ {
                assert!(first.contains(" 200"), "{name}");
                assert!(!seen.is_empty(), "{name}");
            }
        }
    }
    websockets(&running, &person).await;
}

/// No stream of a tunnel arrives, and no identity but our own word.
fn check(seen: &[Seen], caller: Caller, name: &str) {
    for request in seen {
        assert_ne!(request.path, INSIDE, "{name}");
        assert_ne!(request.version, "2", "{name}: {request:?}");
        for gone in ["upgrade", "http2-settings"] {
            assert_eq!(request.values(gone), [""; 0], "{name}: {request:?}");
        }
        let told = request.values("x-auth-email");
        match caller {
            Caller::SignedIn => assert_eq!(told, [ADA], "{name}: {request:?}"),
            Caller::StrangerAtPublicPath => {
                assert_eq!(told, [""; 0], "{name}: {request:?}");
                assert_eq!(request.path, "/about", "{name}");
            }
            Caller::StrangerAtProtectedPath => panic!("{name}: {request:?}"),
        }
    }
}

async fn websockets(running: &Running, person: &ProxiedPerson) {
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
    assert_eq!(
        ProxiedPerson::at(&running.origin).greet("/socket").await,
        Err(401)
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_the_guard() {
    tries(Front::Guard).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_nginx() {
    tries(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_debians_caddy() {
    tries(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_the_newest_caddy() {
    tries(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_traefik() {
    tries(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_haproxy() {
    tries(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy, Python with hypercorn and starlette; run by tests/run"]
async fn no_tunnel_but_a_websocket_leads_through_envoy() {
    tries(Front::Envoy).await;
}
