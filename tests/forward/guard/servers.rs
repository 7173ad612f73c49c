//! The guard as a program, before servers that are not Rust, by clients of both versions of HTTP.

use http::Method;
use tokio::time::timeout;

use super::{
    bodies::{BROKEN, post},
    connections::open,
    fields::{spellings, told},
    hosts::CASES,
    setting::{Logged, SOON, Version, ask, status},
};
use crate::{
    names::{ADA, EVE},
    person::ProxiedPerson,
    service::{Seen, Server, Service},
};

/// Returns what the service saw of one request.
async fn one(service: &Service, before: usize) -> Seen {
    let seen = service.seen().await;
    assert_eq!(seen.len(), before + 1);
    seen.into_iter().next_back().unwrap()
}

async fn fields(guard: &Logged, service: &Service, version: Version) {
    let http = version.client();
    let all = [spellings(), crate::site::spellings()].concat();
    // Servers take about a hundred fields.
    for spellings in all.chunks(60) {
        let before = service.seen().await.len();
        let request = http.get(format!("{}/about?x=1", guard.origin));
        let mut request = request.header("cookie", format!("a=1; {}", guard.person.cookie));
        for spelling in spellings {
            request = request.header(spelling, EVE);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
        assert_eq!(answer.text().await.unwrap(), "for everybody");
        let seen = one(service, before).await;
        let line = (seen.version.as_str(), seen.path.as_str());
        assert_eq!(line, ("1.1", "/about"), "{version:?}");
        let ours = [
            ("X-FORWARDED-FOR", "127.0.0.1"),
            ("X-FORWARDED-HOST", guard.authority()),
            ("X-FORWARDED-PROTO", "http"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told(seen.fields.clone()), ours, "{version:?}");
        assert_eq!(seen.values("x-auth-email"), [ADA], "{version:?}");
        assert_eq!(seen.values("host"), [guard.authority()], "{version:?}");
        assert_eq!(seen.values("cookie"), ["a=1"], "{version:?}");
        let evil: Vec<_> = seen.fields.iter().filter(|field| field.1 == EVE).collect();
        assert!(evil.is_empty(), "{version:?}: {evil:?}");
    }
}

async fn uploads(guard: &Logged, version: Version) {
    for length in [0, 1, 1_000_000] {
        let request = version.client().post(format!("{}/upload", guard.origin));
        let request = request.header("cookie", &guard.person.cookie);
        let answer = request.body("a".repeat(length)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
        assert_eq!(answer.text().await.unwrap(), format!("{length}\n"));
    }
}

/// Each asks for `/about` without a session: who, how, and a field of the answer.
type Stranger = (
    &'static str,
    Method,
    (&'static str, &'static str),
    u16,
    (&'static str, &'static str),
);

fn strangers() -> [Stranger; 7] {
    let form = "/auth/login";
    let html = ("accept", "text/html");
    let problem = ("content-type", "application/problem+json");
    [
        ("a person", Method::GET, html, 303, ("location", form)),
        (
            "a form",
            Method::POST,
            html,
            401,
            ("content-type", "text/html"),
        ),
        (
            "a program",
            Method::GET,
            ("accept", "application/json"),
            401,
            problem,
        ),
        (
            "htmx",
            Method::GET,
            ("hx-request", "true"),
            401,
            ("hx-redirect", form),
        ),
        (
            "gRPC",
            Method::POST,
            ("content-type", "application/grpc"),
            200,
            ("grpc-status", "16"),
        ),
        (
            "a prefetch",
            Method::GET,
            ("sec-purpose", "prefetch"),
            503,
            problem,
        ),
        (
            "a dead cookie",
            Method::GET,
            ("cookie", "magic-link=dead"),
            401,
            ("set-cookie", "magic-link=;"),
        ),
    ]
}

async fn refusals(guard: &Logged, service: &Service, version: Version) {
    let before = service.seen().await.len();
    // On plain http the cookie's name has the port.
    let port = guard.origin.rsplit(':').next().unwrap();
    let named = |text: &str| text.replace("magic-link=", &format!("magic-link-{port}="));
    for (who, method, (name, value), status, (field, start)) in strangers() {
        let (value, start) = (named(value), named(start));
        let request = version
            .client()
            .request(method, format!("{}/about", guard.origin));
        let answer = request.header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{version:?}, {who}");
        let got = answer.headers()[field].to_str().unwrap();
        assert!(got.starts_with(&start), "{version:?}, {who}: {got}");
    }
    assert_eq!(service.seen().await.len(), before, "{version:?}");
}

/// A stream comes piece by piece, and ends with its session.
async fn streams(guard: &Logged, person: &ProxiedPerson) {
    let mut open = Vec::new();
    for version in Version::BOTH {
        let request = version.client().get(format!("{}/events", guard.origin));
        let answer = request.header("cookie", &person.cookie).send().await;
        let mut answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
        let first = timeout(SOON, answer.chunk()).await.unwrap().unwrap();
        assert_eq!(first.unwrap(), "data: first\n\n", "{version:?}");
        open.push(answer);
    }
    assert_eq!(person.sign_out("").await.status(), 303);
    for mut answer in open {
        let end = timeout(SOON, answer.chunk()).await.expect("an end");
        assert!(end.is_err(), "{end:?}");
    }
    assert_eq!(person.get("/about", &[]).await.status(), 303);
}

async fn before(server: Server) {
    let mut service = Service::start(server);
    let mut guard = Logged::before(&service.origin).await;
    let other = guard.another().await;
    let stranger = ProxiedPerson::at(&guard.origin);
    // The server by Node speaks no WebSocket.
    if server != Server::Node {
        assert_eq!(guard.person.greet("/socket").await.as_deref(), Ok("hello"));
    }
    assert_eq!(stranger.greet("/socket").await, Err(401));
    streams(&guard, &other).await;
    for version in Version::BOTH {
        refusals(&guard, &service, version).await;
        fields(&guard, &service, version).await;
        uploads(&guard, version).await;
    }
    let cookie = &guard.person.cookie;
    for (name, rest, host) in CASES {
        let head = format!("GET {rest}Connection: close\r\nCookie: {cookie}\r\n\r\n");
        let answer = ask(guard.authority(), head.as_bytes()).await;
        let want = if host.is_some() { 200 } else { 400 };
        assert_eq!(status(&answer), want, "{server:?}, {name}: {answer}");
    }
    for (name, fields, body) in BROKEN {
        let answer = post(guard.authority(), cookie, fields, body).await;
        assert_eq!(status(&answer), 400, "{server:?}, {name}: {answer}");
    }
    let crowd = open(guard.authority(), 3_000).await;
    for version in Version::BOTH {
        fields(&guard, &service, version).await;
        uploads(&guard, version).await;
    }
    drop(crowd);
    assert_eq!(guard.log(), "", "{server:?}");
    service.stop();
    for version in Version::BOTH {
        let request = version.client().get(format!("{}/about", guard.origin));
        let answer = request.header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status(), 502, "{server:?}, {version:?}");
    }
    assert_eq!(guard.log().lines().count(), 2, "{}", guard.log());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with hypercorn and starlette; run by tests/run"]
async fn the_guard_does_what_a_proxy_does_before_hypercorn() {
    before(Server::Hypercorn).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with uvicorn and starlette; run by tests/run"]
async fn the_guard_does_what_a_proxy_does_before_uvicorn() {
    before(Server::Uvicorn).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node; run by tests/run"]
async fn the_guard_does_what_a_proxy_does_before_node() {
    before(Server::Node).await;
}
