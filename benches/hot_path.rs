//! What the layer costs a request, beside one HMAC-SHA256 over the same token: `cargo bench --bench
//! hot_path`.
//!
//! - The yardstick is what no verification of HS256 can save: the part of the token that is signed,
//!   hashed under a key that was prepared beforehand, by the crates that the layer uses itself.
//! - All variants take turns in short rounds, so that whatever else the machine does falls on all
//!   of them; medians are printed.
//! - `whole` has the inner service's answer in it, and the dropping of request and response;
//!   `layer` is `whole` without what the inner service takes alone for the same request. Requests
//!   are made outside the measured time.
//! - Without `--bench`, as under `cargo test --benches`, every variant takes a few turns, to see
//!   that it works.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

use std::{
    convert::Infallible,
    env,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use axum::extract::OriginalUri;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Request, Response, StatusCode, header};
use sha2::Sha256;
use tower::{Layer, Service, service_fn};
use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};

/// How many requests are answered in one turn.
const TURN: u32 = 64;

fn main() {
    let layer = layer();
    let cookie = session_cookie(&layer);
    let (rest, signature) = cookie.rsplit_once('.').unwrap();
    let (_, signed) = rest.split_once('=').unwrap();
    // Whoever forges knows the header: only the signature is wrong.
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());

    let mut hmac = Variant::hmac(signed.to_owned());
    let mut cases = Vec::new();
    for (name, request, refusal) in [
        ("bare", bare(), StatusCode::UNAUTHORIZED),
        ("browser", browser(), StatusCode::SEE_OTHER),
    ] {
        for (way, cookie, want) in [
            ("admitted", Some(cookie.as_str()), StatusCode::OK),
            ("refused, no cookie", None, refusal),
            ("refused, forged cookie", Some(forged.as_str()), refusal),
        ] {
            let mut request = request.clone();
            if let Some(cookie) = cookie {
                let cookies = HeaderValue::try_from(format!("theme=dark; {cookie}")).unwrap();
                request.headers_mut().insert(header::COOKIE, cookies);
            }
            cases.push(Case {
                name: format!("{name}: {way}"),
                inner: Variant::answer(service_fn(answer), &request, StatusCode::OK),
                whole: Variant::answer(layer.layer(service_fn(answer)), &request, want),
            });
        }
    }

    let is_bench = env::args().any(|argument| argument == "--bench");
    for _ in 0..if is_bench { 2_001 } else { 3 } {
        hmac.take_turn();
        for case in &mut cases {
            case.inner.take_turn();
            case.whole.take_turn();
        }
    }
    print(&hmac, &cases);
}

fn print(hmac: &Variant, cases: &[Case]) {
    let yardstick = hmac.median();
    println!("{:<36} {yardstick:>7.0} ns", "one HMAC-SHA256");
    println!(
        "\n{:<36} {:>10} {:>10} {:>8} {:>12}",
        "", "whole", "layer", "x HMAC", "allocations"
    );
    for case in cases {
        let whole = case.whole.median();
        let layer = whole - case.inner.median();
        println!(
            "{:<36} {whole:>7.0} ns {layer:>7.0} ns {:>8.2} {:>12}",
            case.name,
            layer / yardstick,
            case.whole.allocations - case.inner.allocations
        );
    }
}

/// One way through the layer, and the same request without the layer.
struct Case {
    name: String,
    inner: Variant,
    whole: Variant,
}

/// Something that is measured turn by turn.
struct Variant {
    /// Returns how many nanoseconds one request took.
    turn: Box<dyn FnMut() -> f64>,
    turns: Vec<f64>,
    allocations: u64,
}

impl Variant {
    fn answer<S, R>(mut service: S, request: &Request<String>, want: StatusCode) -> Self
    where
        S: Service<Request<String>, Response = Response<R>, Error = Infallible> + 'static,
    {
        // Twice: what is made once per process is no cost of a request.
        assert_eq!(at_once(&mut service, request.clone()).status(), want);
        let counted = request.clone();
        let allocations = allocation_counter::measure(|| {
            drop(at_once(&mut service, counted));
        });
        let request = request.clone();
        Self {
            turn: Box::new(move || {
                let requests: Vec<_> = (0..TURN).map(|_| request.clone()).collect();
                timed(|| {
                    for request in requests {
                        drop(black_box(at_once(&mut service, black_box(request))));
                    }
                })
            }),
            turns: Vec::new(),
            allocations: allocations.count_total,
        }
    }

    fn hmac(text: String) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        Self {
            turn: Box::new(move || {
                timed(|| {
                    for _ in 0..TURN {
                        let mac = key.clone().chain_update(black_box(&text));
                        black_box(mac.finalize());
                    }
                })
            }),
            turns: Vec::new(),
            allocations: 0,
        }
    }

    fn take_turn(&mut self) {
        let nanoseconds = (self.turn)();
        self.turns.push(nanoseconds);
    }

    fn median(&self) -> f64 {
        let mut turns = self.turns.clone();
        turns.sort_unstable_by(f64::total_cmp);
        turns.get(turns.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed(turn: impl FnOnce()) -> f64 {
    let start = Instant::now();
    turn();
    start.elapsed().as_secs_f64() * 1e9 / f64::from(TURN)
}

fn at_once<S: Service<Q>, Q>(service: &mut S, request: Q) -> S::Response
where
    S::Error: std::fmt::Debug,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("nothing has to wait here"),
    }
}

/// The inner service: answers as a handler does that returns a text.
fn answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    let mut response = Response::new(String::new());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    ready(Ok(response))
}

fn layer() -> MagicLinkLayer {
    let key = SigningKey::generate().unwrap();
    MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(key))
        .public_url("https://app.example.com")
        .build()
        .unwrap()
}

fn bare() -> Request<String> {
    Request::new(String::new())
}

/// A browser's navigation, as axum hands it on.
fn browser() -> Request<String> {
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
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("cookie", "theme=dark"),
    ];
    let mut request = fields
        .into_iter()
        .fold(Request::builder(), |request, (name, value)| {
            request.header(name, value)
        })
        .body(String::new())
        .unwrap();
    let uri = request.uri().clone();
    request.extensions_mut().insert(OriginalUri(uri));
    request
}

/// Returns the `Cookie` pair of a session.
fn session_cookie(layer: &MagicLinkLayer) -> String {
    let mut request = bare();
    layer.sign_in(&mut request, "ada@example.com");
    request.headers()[header::COOKIE]
        .to_str()
        .unwrap()
        .to_owned()
}
