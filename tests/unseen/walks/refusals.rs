//! Requests that are refused before a step begins, or for what a browser lost.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, PeerAddr,
    throttle::{Limits, Rate},
};

use crate::{
    names::ADA,
    support::{Answer, Browser, Post, World},
    walk::{SESSION, Walk, ZOE},
    watched::Watched,
};

const FORM: &str = "application/x-www-form-urlencoded";

type Fields<'a> = &'a [(&'a str, &'a str)];

pub(crate) async fn all(walk: &Walk) {
    let world = walk
        .world(|builder| builder.bearer_tokens().public_path("/about"))
        .await;
    forms(walk, &world).await;
    cookies(walk, &world).await;
    slow(walk, &world).await;
    limits(walk).await;
}

fn request(method: Method, path: &str, fields: Fields<'_>) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    fields.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

async fn forms(walk: &Walk, world: &World) {
    let mut browser = walk.signed_in(world, ADA).await;
    let right = ("sec-fetch-site", "same-origin");
    let form = format!("email={ADA}&return_to=/x");
    let large = format!("email={ADA}&x={}", "x".repeat(20_000));
    let html = ("accept", "text/html");
    let cases: [(Method, &str, Fields<'_>, &str); 9] = [
        (
            Method::POST,
            "/auth/login",
            &[("origin", "https://evil.example")],
            &form,
        ),
        (
            Method::POST,
            "/auth/login",
            &[right, ("content-type", "application/json")],
            &form,
        ),
        (
            Method::POST,
            "/auth/login",
            &[right, ("content-type", FORM)],
            &large,
        ),
        (
            Method::POST,
            "/auth/login",
            &[right, ("content-type", FORM)],
            "email=%ff%40",
        ),
        (Method::PUT, "/auth/login", &[right], &form),
        (Method::DELETE, "/auth/callback", &[right], ""),
        (Method::POST, "/reports", &[("content-type", FORM)], &form),
        (
            Method::POST,
            "/api",
            &[("content-type", "application/grpc")],
            "",
        ),
        (
            Method::POST,
            "/api",
            &[("content-type", "application/grpc-web-text")],
            "",
        ),
    ];
    for (method, path, fields, body) in cases {
        for more in [&[][..], &[html]] {
            let fields = [fields, more].concat();
            let request = request(method.clone(), path, &fields);
            let body: Full<Bytes> = body.to_owned().into();
            browser
                .clone()
                .send(request.body(body.clone()).unwrap())
                .await;
            let request = self::request(method.clone(), path, &fields);
            walk.browser(&world.layer)
                .send(request.body(body).unwrap())
                .await;
        }
    }
    browser.post("/auth/login", "email=no+address").await;
    browser.get("/reports?token=t0ken-of-the-application").await;
}

/// Posts a form as a browser does that has lost its cookies.
async fn lost(browser: &mut Browser, fields: Fields<'_>) -> Answer {
    browser.get("/auth/login").await;
    browser.jar.clear();
    let post = request(Method::POST, "/auth/login", fields).header("content-type", FORM);
    let post = post.header("accept", "text/html");
    let answer = browser
        .send(post.body(format!("email={ADA}").into()).unwrap())
        .await;
    if answer.status() != 303 {
        return answer;
    }
    browser.jar.clear();
    let check = request(Method::GET, answer.location(), fields).header("accept", "text/html");
    browser.send(check.body("".into()).unwrap()).await
}

async fn cookies(walk: &Walk, world: &World) {
    let right = ("host", "app.example.com");
    let fetched = ("sec-fetch-site", "same-origin");
    let all: [Fields<'_>; 3] = [
        &[right, fetched],
        &[right],
        &[("host", "www.example.com"), fetched],
    ];
    for fields in all {
        world.clock.advance(Duration::from_secs(60 * 60));
        lost(&mut walk.browser(&world.layer), fields).await;
    }
    let one = walk.signed_in(world, ADA).await;
    let other = walk.signed_in(world, ZOE).await;
    let (token, second) = (&one.jar[SESSION], &other.jar[SESSION]);
    let forged = format!("{}x", &token[..token.len() - 1]);
    let cookie = |token: &str| format!("{SESSION}={token}");
    let bearer = |token: &str| format!("Bearer {token}");
    let sent = [
        vec![("cookie", cookie(&forged))],
        vec![("cookie", cookie("no.token.at-all"))],
        vec![("cookie", format!("{}; {}", cookie(token), cookie(second)))],
        vec![("authorization", bearer(token))],
        vec![("authorization", bearer(&forged))],
        vec![("authorization", format!("Basic {token}"))],
        vec![("authorization", bearer(token)), ("cookie", cookie(second))],
        vec![
            ("authorization", bearer(token)),
            ("authorization", bearer(second)),
        ],
    ];
    for fields in sent {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let paths = [
            "/reports",
            "/about",
            "/auth/session",
            "/auth/logout",
            "/auth/login",
        ];
        for path in paths {
            for accept in ["text/html", "application/json"] {
                let request = request(Method::GET, path, &fields).header("accept", accept);
                let request = request.body("".into()).unwrap();
                walk.browser(&world.layer).send(request).await;
            }
        }
        let request = request(Method::POST, "/svc/Method", &fields);
        let request = request.header("content-type", "application/grpc");
        walk.browser(&world.layer)
            .send(request.body("".into()).unwrap())
            .await;
    }
}

/// A form that never arrives.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

async fn slow(walk: &Walk, world: &World) {
    let service = world.layer.layer(service_fn(async |_: Request<Never>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let fields = [("sec-fetch-site", "same-origin"), ("content-type", FORM)];
    let request = request(Method::POST, "/auth/login", &fields);
    tokio::time::pause();
    let response = service.oneshot(request.body(Never).unwrap()).await.unwrap();
    tokio::time::resume();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(head.status, 408);
    walk.watch("/auth/login", &Answer { head, body });
}

async fn limits(walk: &Walk) {
    let hour = Duration::from_secs(60 * 60);
    let limits = Limits::default()
        .mails_per_address(Rate::new(1, hour))
        .mails_per_address_and_network(Rate::new(1, hour));
    let set = |builder: Builder| {
        let builder = builder.trusted_proxies(["10.0.0.1"]).limits(limits);
        builder.mailer(Watched::new(Post::default(), walk))
    };
    let world = walk.world(set).await;
    let mut browser = walk.browser(&world.layer);
    for _ in 0..3 {
        browser.ask_for_link(ADA, "/").await;
    }
    let peer: std::net::SocketAddr = "10.0.0.1:4711".parse().unwrap();
    let fields = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-request-id", "req-1"),
        ("user-agent", "Browser/1.0"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("sec-fetch-site", "same-origin"),
        ("content-type", FORM),
    ];
    let mut post = request(Method::POST, "/auth/login", &fields)
        .body(Full::<Bytes>::from(format!("email={ADA}")))
        .unwrap();
    post.extensions_mut().insert(PeerAddr::from(peer));
    browser.send(post).await;
}
