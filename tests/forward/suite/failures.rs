//! A question that fails, or that a proxy cannot ask, lets nobody in and ends no proxy.
//!
//! Pinned: HAProxy logs an error in Lua and goes on with its next rule, which passed the request on
//! unasked. And HAProxy 2.6 crashed when its question had 102 fields.

use std::{ops::Range, time::Duration};

use http::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use super::{Stage, list};
use crate::{exchange::exchange, front::Front, heads::Heads, person::ProxiedPerson, upstream};

/// What a sign-in service says that is out of order, and the status that its client may get. Each
/// ends its connection then.
const BROKEN: [(&str, &str, Range<u16>); 5] = [
    ("nothing", "", 500..600),
    // nginx hands such a thing on: it is no permit, but the client's answer.
    ("no HTTP", "\0\u{1}no HTTP\r\n\r\n", 0..600),
    (
        "half a permit",
        "HTTP/1.1 200 OK\r\nX-Auth-Decision: permit\r\nX-Auth-Ema",
        500..600,
    ),
    (
        "an interim answer alone",
        "HTTP/1.1 100 Continue\r\n\r\n",
        100..600,
    ),
    ("silence", SILENT, 500..600),
];

/// Statuses that are no permit, whatever stands beside them. A redirect leads to the service.
const NO_PERMITS: [(&str, Range<u16>); 8] = [
    ("101 Switching Protocols", 101..600),
    ("302 Found", 302..600),
    ("400 Bad Request", 400..600),
    ("404 Not Found", 400..600),
    ("500 Internal Server Error", 500..600),
    ("502 Bad Gateway", 500..600),
    ("503 Service Unavailable", 500..600),
    ("504 Gateway Timeout", 500..600),
];

/// In place of an answer: the service holds the connection, and says nothing.
const SILENT: &str = "silent";

const PATIENCE: Duration = Duration::from_secs(1);

/// Has a proxy wait for an answer for less than its file says. Caddy waits for as long as the
/// client does, and Traefik for 30 seconds: their files say nothing of it.
fn impatient(front: Front) -> &'static [(&'static str, &'static str)] {
    match front {
        Front::Envoy => &[("timeout: 10s", "timeout: 0.1s")],
        Front::Haproxy => &[("timeout = 10000", "timeout = 100")],
        Front::Nginx => &[
            ("internal;\n", "internal;\n proxy_read_timeout 100ms;\n"),
            (
                "/refuse? break;\n",
                "/refuse? break;\n proxy_read_timeout 100ms;\n",
            ),
        ],
        _ => &[],
    }
}

/// Starts a server that answers each connection by what stands in the channel.
async fn saying(answers: watch::Receiver<String>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answers.borrow().clone();
            tokio::spawn(say(stream, answer));
        }
    });
    origin
}

async fn say(mut stream: TcpStream, answer: String) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return;
        }
    }
    if answer == SILENT {
        let _ = stream.read(&mut [0]).await;
    } else {
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn fails_closed(front: Front) {
    let reached = Heads::default();
    let service = upstream::serve_noting(&reached).await;
    let ours = "X-Auth-Decision: permit\r\nX-Auth-Email: eve@example.com\r\n";
    let heads = NO_PERMITS.map(|(line, want)| {
        let fields = "Connection: close, upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n";
        let head = format!("HTTP/1.1 {line}\r\n{ours}{fields}Location: {service}/page\r\n\r\n");
        (line, head, want)
    });
    let broken = BROKEN.map(|(name, text, want)| (name, text.to_owned(), want));
    let (answer, answers) = watch::channel(heads[4].1.clone());
    let stray = saying(answers).await;
    let changes = impatient(front);
    let running = front.changed(&service, Some(&stray), changes).await;
    let websocket = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (name, text, want) in broken.into_iter().chain(heads) {
        answer.send(text).unwrap();
        for path in ["/page", "/about"] {
            let line = format!("GET {path} HTTP/1.1");
            let asked = exchange(running.authority(), &line, ours, "");
            // A proxy that waits for ever has let nobody in.
            let got = timeout(PATIENCE, asked).await;
            let status = got.map_or(504, |answer| answer.status);
            let is_success = (200..300).contains(&status);
            assert!(
                want.contains(&status) && !is_success,
                "{front:?}, {name}: {status}"
            );
        }
        let asked = exchange(running.authority(), "GET /socket HTTP/1.1", websocket, "");
        // Nobody ends a connection that asked for a tunnel.
        let _ = timeout(PATIENCE, asked).await;
        let reached = reached.take();
        assert!(reached.is_empty(), "{front:?}, {name}: {reached:?}");
    }
}

pub(super) async fn many_fields_are_served_or_refused_and_the_next_request_is_served(
    stage: &Stage,
) {
    let person = stage.person().await;
    let authority = stage.running.authority();
    for count in [60, 89, 90, 96, 97, 99, 100, 150] {
        let many: String = (0..count).map(|n| format!("X-{n}: y\r\n")).collect();
        let cookie = format!("{many}Cookie: {}\r\n", person.cookie);
        for (path, fields, status) in [
            ("/page", &cookie, 200),
            ("/page", &many, 401),
            ("/about", &many, 200),
            ("/auth/login", &many, 200),
        ] {
            let line = format!("GET {path} HTTP/1.1");
            let got = exchange(authority, &line, fields, "").await.status;
            // The services of the tests take a hundred fields, and the proxies add some.
            let mut refused = vec![400, 431];
            if stage.front == Front::Envoy {
                // The permit's fields are too many then.
                refused.push(500);
            }
            let is_refused = count > 60 && refused.contains(&got);
            assert!(got == status || is_refused, "{count} to {path}: {got}");
            let served = usize::from(got == 200 && path != "/auth/login");
            assert_eq!(stage.reached.take().len(), served, "{count} to {path}");
        }
        let next = person.request(Method::GET, "/page").send().await.unwrap();
        assert_eq!(next.status(), 200, "after {count}");
        stage.forget();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn an_error_in_haproxys_lua_is_a_503_and_reaches_nobody() {
    let first = "    local headers = {}\n";
    // The identity stands in the request by then.
    let last = "        -- Last: what fails above is no permit.\n";
    for place in [first, last] {
        let reached = Heads::default();
        let service = upstream::serve_noting(&reached).await;
        let failing = format!("{place}error(\"boom\")\n");
        let changes = [(place, failing.as_str())];
        let running = Front::Haproxy.changed(&service, None, &changes).await;
        // Nobody is asked about the endpoints.
        let person = running.person().await;
        let stranger = ProxiedPerson::at(&running.origin);
        for (who, path) in [
            (&person, "/page"),
            (&person, "/about"),
            (&stranger, "/about"),
        ] {
            let answer = who.get(path, &[]).await;
            assert_eq!(answer.status(), 503, "{place:?}, {path}");
            assert_eq!(list(&answer, "retry-after"), "5", "{place:?}, {path}");
            assert_eq!(list(&answer, "cache-control"), "no-store", "{place:?}");
            assert_eq!(list(&answer, "set-cookie"), "", "{place:?}, {path}");
        }
        assert!(reached.take().is_empty(), "{place:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_nginx() {
    fails_closed(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_debians_caddy() {
    fails_closed(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_the_newest_caddy() {
    fails_closed(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_traefik() {
    fails_closed(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_haproxy() {
    fails_closed(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn a_question_that_fails_is_no_permit_to_envoy() {
    fails_closed(Front::Envoy).await;
}
