//! What the layer allocates on the ways that most requests take.
//!
//! - Counted is what the layer adds: what the inner service allocates for the same request is
//!   subtracted.
//! - The counter is the thread's own (crate `allocation-counter`), so the threads of the test
//!   harness do not disturb it. A reallocation counts as an allocation.
//! - Everything is done once before it is counted: what is made once per process or thread is no
//!   cost of a request.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the counts are for reading, and in a test a panic is the answer"
)]

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Future, Ready, pending, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{Router, routing::any};
use http::{HeaderValue, Request, Response, StatusCode, header};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_magic_link::{
    Audience, Builder, Grant, KeyRing, MagicLinkLayer, SessionId, SigningKey,
    clock::Clock,
    provider::Identity,
    revocation::{MemoryRevocations, Revocation, Target},
    testing::{ManualClock, StubProvider},
};

use self::names::{ADA, EVE, ORIGIN};

#[path = "support/names.rs"]
mod names;
#[path = "allocations/options.rs"]
mod options;

/// The bound for the admitted way, whatever the request looks like.
const MOST_FOR_ADMITTED: u64 = 6;

/// A stranger must not be able to make us work much: the bound for a problem or a redirect.
const MOST_FOR_REFUSED: u64 = 10;

#[test]
fn an_admitted_request_costs_at_most_six_allocations() {
    let cases: [(&str, Request<String>, Answer, u64); 4] = [
        ("bare, bare answer", bare("/"), bare_answer, 6),
        ("bare, answer with headers", bare("/"), text_answer, 4),
        ("from axum, bare answer", from_axum("/"), bare_answer, 4),
        (
            "from axum, answer with headers",
            from_axum("/"),
            text_answer,
            2,
        ),
    ];
    for (name, request, answer, pinned) in cases {
        for revoked in [0, 1_000] {
            let layer = layer(revoked);
            let mut request = request.clone();
            layer.sign_in(&mut request, ADA);
            let (status, added) = added(&layer, answer, &request);
            println!("admitted, {name}, {revoked} revoked: {added}");
            assert_eq!(status, StatusCode::OK, "{name}");
            assert_eq!(added, pinned, "{name}, {revoked} revoked");
            assert!(added <= MOST_FOR_ADMITTED, "{name}, {revoked} revoked");
        }
    }
}

/// The lists of organizations and domains are compared, and nothing is made for that.
#[test]
fn asking_whether_a_person_may_pass_allocates_nothing() {
    let listed = || {
        let builder = builder(0).organization("org_2").organization("org_1");
        builder.email_domains(["example.org", "example.com"])
    };
    let cases: [(&str, Request<String>, Answer, u64); 2] = [
        ("bare", bare("/"), bare_answer, 6),
        ("from axum", from_axum("/"), text_answer, 2),
    ];
    for (name, request, answer, pinned) in cases {
        let layer = listed().build().unwrap();
        let mut request = request;
        layer.sign_in(&mut request, ADA);
        let (status, added) = added(&layer, answer, &request);
        assert_eq!((status, added), (StatusCode::OK, pinned), "{name}");
    }
}

/// Neither a hook that is not due nor claims that no handler reads cost anything.
#[test]
fn a_session_that_is_not_due_to_be_asked_about_costs_what_it_did() {
    let never = || builder(0).reauthorize(Duration::from_secs(60), |_| pending::<bool>());
    let cases: [(&str, Request<String>, Answer, u64); 2] = [
        ("bare", bare("/"), bare_answer, 6),
        ("from axum", from_axum("/"), text_answer, 2),
    ];
    for (name, request, answer, pinned) in cases {
        let layer = never().build().unwrap();
        let mut plain = request.clone();
        layer.sign_in(&mut plain, ADA);
        let granted = |claims: &HashMap<&str, serde_json::Value>| {
            let grant = Grant::new().subject("7").claims(claims).unwrap();
            let ada = Identity::new("prof_ada", ADA.parse().unwrap());
            let issued = layer.issuer().issue_granted(&ada, &grant).unwrap();
            let mut granted = request.clone();
            let pair = format!("__Host-magic-link={}", issued.token().expose());
            let pair = HeaderValue::try_from(pair).unwrap();
            granted.headers_mut().insert(header::COOKIE, pair);
            granted
        };
        let flat = granted(&HashMap::from([("role", "admin".into())]));
        // The check that it is JSON keeps the levels that it is in.
        let nested = granted(&HashMap::from([("roles", vec!["admin", "reader"].into())]));
        for (which, request, more) in [
            ("plain", plain, 0),
            ("flat", flat, 0),
            ("nested", nested, 1),
        ] {
            let (status, added) = added(&layer, answer, &request);
            assert_eq!(
                (status, added),
                (StatusCode::OK, pinned + more),
                "{name}, {which}"
            );
        }
    }
}

#[test]
fn a_public_path_costs_a_stranger_at_most_the_room_for_a_mark() {
    // The mark itself has no size. A bare request has no extensions yet, and gets a map for it.
    for (name, request, pinned) in [
        ("bare", bare("/healthz"), 2),
        ("from axum", from_axum("/healthz"), 0),
    ] {
        let (status, added) = added(&layer(1_000), text_answer, &request);
        println!("public, {name}: {added}");
        assert_eq!(status, StatusCode::OK, "{name}");
        assert_eq!(added, pinned, "{name}");
    }
}

#[test]
fn a_refusal_costs_few_allocations_and_never_reaches_the_inner_service() {
    let forged = |mut request: Request<String>| {
        layer(0).sign_in(&mut request, EVE);
        request
    };
    let cases = [
        (
            "program, no cookie",
            bare("/reports?year=2026&page=2"),
            StatusCode::UNAUTHORIZED,
            9,
        ),
        (
            "program, forged",
            forged(bare("/")),
            StatusCode::UNAUTHORIZED,
            9,
        ),
        (
            "document, no cookie",
            from_axum("/reports"),
            StatusCode::SEE_OTHER,
            6,
        ),
        (
            "document, forged",
            forged(from_axum("/")),
            StatusCode::SEE_OTHER,
            6,
        ),
    ];
    for (name, request, want, pinned) in cases {
        let inner = |_| -> Response<String> { panic!("the inner service was called") };
        let (status, count) = counted(layer(0).layer(service(inner)), &request);
        println!("refused, {name}: {count}");
        assert_eq!(status, want, "{name}");
        assert_eq!(count, pinned, "{name}");
        assert!(count <= MOST_FOR_REFUSED, "{name}: {count}");
    }
}

#[test]
fn telling_an_audience_allocates_nothing() {
    let cases = [
        ("a navigation", vec![("sec-fetch-mode", "navigate")]),
        (
            "weights and quotes",
            vec![
                (
                    "accept",
                    r#"text/html;a=",\";";q=0.125, application/json;Q=0.13"#,
                ),
                ("accept", "text/*;q=0.1,*/*"),
            ],
        ),
        (
            "grpc",
            vec![("content-type", "application/GRPC-web-text+proto")],
        ),
        (
            "websocket, prefetch and htmx",
            vec![
                ("upgrade", "h2c"),
                ("sec-purpose", "preview"),
                ("hx-request", "no"),
            ],
        ),
    ];
    for (name, fields) in cases {
        let mut request = Request::new(());
        for (field, value) in fields {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(field, value);
        }
        let (head, ()) = request.into_parts();
        let counted = allocation_counter::measure(|| {
            std::hint::black_box(Audience::of(std::hint::black_box(&head)));
        });
        assert_eq!(counted.count_total, 0, "{name}");
    }
}

type Answer = fn(Request<String>) -> Response<String>;

fn bare_answer(_: Request<String>) -> Response<String> {
    Response::new(String::new())
}

/// Answers as a handler does that returns a text.
fn text_answer(_: Request<String>) -> Response<String> {
    let mut response = Response::new(String::new());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

fn service(
    answer: impl Fn(Request<String>) -> Response<String> + Clone,
) -> impl Service<
    Request<String>,
    Response = Response<String>,
    Error = Infallible,
    Future = Ready<Result<Response<String>, Infallible>>,
> + Clone {
    service_fn(move |request| ready(Ok(answer(request))))
}

fn layer(revoked: u64) -> MagicLinkLayer {
    builder(revoked).build().unwrap()
}

fn builder(revoked: u64) -> Builder {
    let clock = ManualClock::new();
    let revocations = MemoryRevocations::default();
    for number in 0..revoked {
        let target = if number % 2 == 0 {
            Target::Session(SessionId::from_bytes(u128::from(number).to_be_bytes()))
        } else {
            Target::Subject(format!("prof_{number}"))
        };
        let until = clock.now() + Duration::from_secs(3_600);
        revocations.record(&Revocation::new(target, clock.now(), until));
    }
    assert_eq!(u64::try_from(revocations.len()), Ok(revoked));
    MagicLinkLayer::builder(
        StubProvider::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    )
    .public_url(ORIGIN)
    .public_path("/healthz")
    .revocations(revocations)
    .clock(clock)
}

/// A request with nothing on it.
fn bare(path: &str) -> Request<String> {
    Request::builder().uri(path).body(String::new()).unwrap()
}

/// A browser's navigation, as axum hands it to the layers of a route: with its extensions.
fn from_axum(path: &str) -> Request<String> {
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    let handler = move |request: axum::extract::Request| async move {
        *keep.lock().unwrap() = Some(request.map(|_| String::new()));
    };
    let router = Router::new().route(path, any(handler));
    let request = Request::builder()
        .uri(path)
        .header("host", "app.example.com")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header(
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header("accept-language", "en-GB,en;q=0.5")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", "theme=dark")
        .body(axum::body::Body::empty())
        .unwrap();
    let _ = at_once(router.oneshot(request)).unwrap();
    let request = seen.lock().unwrap().take().unwrap();
    assert!(!request.extensions().is_empty(), "axum leaves extensions");
    request
}

/// Returns the status through the layer, and how many allocations the layer adds to the inner
/// service's.
fn added(layer: &MagicLinkLayer, answer: Answer, request: &Request<String>) -> (StatusCode, u64) {
    let (_, inner) = counted(service(answer), request);
    let (status, whole) = counted(layer.layer(service(answer)), request);
    (status, whole - inner)
}

fn counted<S, R>(mut service: S, request: &Request<String>) -> (StatusCode, u64)
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    let mut count = || {
        let request = request.clone();
        let mut status = StatusCode::IM_A_TEAPOT;
        let counted = allocation_counter::measure(|| {
            let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
            assert!(ready.is_ready());
            status = at_once(service.call(request)).unwrap().status();
        });
        (status, counted.count_total)
    };
    let _warm = count();
    let first = count();
    for _ in 0..100 {
        assert_eq!(count(), first, "the count does not vary");
    }
    first
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future had to wait"),
    }
}
