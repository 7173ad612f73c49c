//! The guard as a program, before servers that are not Rust, by clients of both versions of HTTP.

use super::{
    bodies::{BROKEN, post},
    connections::open,
    fields::{spellings, told},
    hosts::CASES,
    setting::{Logged, Version, ask, status},
};
use crate::{
    names::{ADA, EVE},
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

async fn before(server: Server) {
    let mut service = Service::start(server);
    let guard = Logged::before(&service.origin).await;
    for version in Version::BOTH {
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
