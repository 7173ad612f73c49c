//! Answers requests of one kind, for an instrument that counts instructions: `instructions KIND
//! COUNT`. `tests/instructions` runs it.
//!
//! - A request is what a browser sends, as axum hands it on: 12 headers, 3 cookies, a path with a
//!   query.
//! - `begin` is a post of the login form, and `callback` such a post and the request that finishes
//!   its sign-in.
//! - The same kind twice, with other counts, tells what one request costs without what is done
//!   once.

#![expect(
    clippy::unwrap_used,
    reason = "a program for measuring stops where it cannot go on"
)]

use std::{
    convert::Infallible,
    env,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::extract::OriginalUri;
use http::{HeaderValue, Request, Response, StatusCode, header};
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    testing::{ManualClock, StubProvider},
};

mod sign_in;

const TARGET: &str = "/reports?year=2026&page=2";

const IDLE: Duration = Duration::from_secs(8 * 60 * 60);

fn main() {
    let mut arguments = env::args().skip(1);
    let (kind, count) = (arguments.next(), arguments.next());
    let kind = kind.unwrap_or_default();
    let count: u32 = count.and_then(|count| count.parse().ok()).unwrap_or(1);
    let steps = match kind.as_str() {
        "begin" => Some(sign_in::Until::Begin),
        "callback" => Some(sign_in::Until::Callback),
        _ => None,
    };
    if let Some(until) = steps {
        sign_in::play(until, count);
        return;
    }
    let clock = ManualClock::new();
    let layer = layer(&kind, &clock);
    let cookie = session_cookie(&layer);
    if kind == "renewed" {
        clock.advance(IDLE / 2);
    }
    // Only the signature is wrong, as if whoever forges knew all else.
    let forged = match cookie.rsplit_once('.') {
        Some((signed, signature)) if signature.starts_with('A') => {
            format!("{signed}.B{}", signature.split_at(1).1)
        }
        Some((signed, signature)) => format!("{signed}.A{}", signature.split_at(1).1),
        None => String::new(),
    };
    let (request, want) = match kind.as_str() {
        "admitted" | "identity" | "inner" | "public" | "renewed" | "streams" => {
            (browser(TARGET, &cookie), StatusCode::OK)
        }
        "refused" => (browser(TARGET, "seen=1"), StatusCode::SEE_OTHER),
        "forged" => (browser(TARGET, &forged), StatusCode::SEE_OTHER),
        "program" => (program(), StatusCode::UNAUTHORIZED),
        _ => panic!(
            "usage: instructions admitted|begin|callback|forged|identity|inner|program|public|\
             refused|renewed|streams COUNT"
        ),
    };
    if kind == "inner" {
        repeat(service_fn(answer), &request, want, count);
    } else {
        repeat(layer.layer(service_fn(answer)), &request, want, count);
    }
}

fn repeat<S, R>(mut service: S, request: &Request<String>, want: StatusCode, count: u32)
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    for _ in 0..count {
        let response = answer_to(&mut service, request.clone());
        assert_eq!(response.status(), want);
    }
}

fn answer_to<S, R>(service: &mut S, request: Request<String>) -> Response<R>
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let call = pin!(service.call(black_box(request)));
    match call.poll(&mut context) {
        Poll::Ready(answer) => black_box(answer).unwrap(),
        Poll::Pending => panic!("nothing has to wait here"),
    }
}

fn layer(kind: &str, clock: &ManualClock) -> MagicLinkLayer {
    let builder = MagicLinkLayer::builder(
        StubProvider::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    )
    .public_url("https://app.example.com");
    let builder = match kind {
        "identity" => builder.forward_identity(),
        "public" => builder.public_path("/reports"),
        "renewed" => builder.idle_timeout(IDLE).clock(clock.clone()),
        "streams" => builder.end_streams(),
        _ => builder,
    };
    builder.build().unwrap()
}

/// Answers as a handler does that returns a text.
fn answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    let mut response = Response::new(String::new());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    ready(Ok(response))
}

fn browser(path: &str, cookie: &str) -> Request<String> {
    let fields = [
        ("host", "app.example.com"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-GB,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://app.example.com/reports"),
        ("upgrade-insecure-requests", "1"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("priority", "u=0, i"),
        ("cookie", &format!("theme=dark; {cookie}; lang=en")),
    ];
    request(path, &fields)
}

fn program() -> Request<String> {
    let fields = [
        ("host", "app.example.com"),
        ("user-agent", "reports/1.0"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip"),
    ];
    request(TARGET, &fields)
}

fn request(path: &str, fields: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::builder().uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut request = request.body(String::new()).unwrap();
    let uri = request.uri().clone();
    request.extensions_mut().insert(OriginalUri(uri));
    request
}

/// Returns the `Cookie` pair of a session.
fn session_cookie(layer: &MagicLinkLayer) -> String {
    let mut request = Request::new(());
    layer.sign_in(&mut request, "ada@example.com");
    let cookie = request.headers().get(header::COOKIE).unwrap();
    cookie.to_str().unwrap().to_owned()
}
