//! The layer beside axum-login on the same request: `cargo run --release` in this folder.
//!
//! - A browser's request that is signed in is answered by the same handler: without a layer, behind
//!   ours, and behind axum-login with its memory store, each set up as its documentation begins.
//!   For axum-login that is a session cookie without a signature, its cheapest; its users stand
//!   behind an `Arc`, since it clones its backend per request.
//! - All take turns in short rounds, so that whatever else the machine does falls on all of them;
//!   medians are printed. Making requests is not measured; dropping them and their responses is.
//!   `layer` is `whole` without the router alone.
//! - `--callgrind APP COUNT` does nothing but answer COUNT requests. What one takes is the
//!   difference of two runs. Valgrind's processor has no SHA extensions: there the HMAC is done in
//!   software, which is more than all the rest of our layer.
//!
//! ```sh
//! cargo build --release
//! for app in router tower-magic-link axum-login; do
//!     for count in 1000 2000; do
//!         valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/peers --callgrind $app $count
//!     done
//! done
//! ```

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod apps;

use std::{
    env,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use axum::{Router, body::Body, response::Response};
use http::{Request, StatusCode};
use tower::Service;

use self::apps::{ADDRESS, App};

const ROUNDS: usize = 2_001;
/// How many requests are answered in one turn.
const TURN: u32 = 64;

fn main() {
    let mut variants = [
        Variant::of("router", apps::unprotected()),
        Variant::of("tower-magic-link", apps::magic_link()),
        Variant::of("axum-login", apps::axum_login()),
    ];
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--callgrind", name, count] => {
            let count = count.parse().unwrap();
            let variant = variants.iter_mut().find(|variant| variant.name == name);
            let variant = variant.expect("one of: router, tower-magic-link, axum-login");
            for _ in 0..count {
                variant.answer();
            }
        }
        [] => {
            for _ in 0..ROUNDS {
                for variant in &mut variants {
                    variant.take_turn();
                }
            }
            print(&variants);
        }
        _ => panic!("usage: peers [--callgrind APP COUNT]"),
    }
}

fn print([router, ours, theirs]: &[Variant; 3]) {
    println!(
        "{:<20} {:>10} {:>10} {:>12}",
        "", "whole", "layer", "allocations"
    );
    let layer = |variant: &Variant| variant.median() - router.median();
    for variant in [router, ours, theirs] {
        println!(
            "{:<20} {:>7.0} ns {:>7.0} ns {:>12}",
            variant.name,
            variant.median(),
            layer(variant),
            variant.allocations - router.allocations
        );
    }
    println!(
        "\n{} takes {:.2} times what {} takes; the layers alone, {:.2} times",
        theirs.name,
        theirs.median() / ours.median(),
        ours.name,
        layer(theirs) / layer(ours)
    );
}

/// An application that is measured turn by turn.
struct Variant {
    name: &'static str,
    app: App,
    /// Nanoseconds for one request.
    turns: Vec<f64>,
    allocations: u64,
}

impl Variant {
    fn of(name: &'static str, mut app: App) -> Self {
        // Counted the second time: what is made once per process is no cost of a request.
        let mut allocations = 0;
        for _ in 0..2 {
            let request = app.request();
            let mut response = None;
            let counted = allocation_counter::measure(|| {
                response = Some(at_once(&mut app.router, request));
            });
            allocations = counted.count_total;
            let response = response.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_eq!(text(response), ADDRESS, "{name}");
        }
        Self {
            name,
            app,
            turns: Vec::new(),
            allocations,
        }
    }

    fn answer(&mut self) {
        let request = self.app.request();
        drop(black_box(at_once(&mut self.app.router, black_box(request))));
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn take_turn(&mut self) {
        let requests: Vec<_> = (0..TURN).map(|_| self.app.request()).collect();
        let start = Instant::now();
        for request in requests {
            drop(black_box(at_once(&mut self.app.router, black_box(request))));
        }
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
        self.turns.push(nanoseconds / f64::from(TURN));
    }

    fn median(&self) -> f64 {
        let mut turns = self.turns.clone();
        turns.sort_unstable_by(f64::total_cmp);
        turns[turns.len() / 2]
    }
}

impl App {
    fn request(&self) -> Request<Body> {
        self.request.clone().map(|()| Body::empty())
    }
}

/// Answers a request, of which nothing has to wait.
pub fn at_once(router: &mut Router, request: Request<Body>) -> Response {
    ready(router.call(request)).unwrap()
}

fn text(response: Response) -> String {
    let bytes = ready(axum::body::to_bytes(response.into_body(), 1_024)).unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing has to wait here"),
    }
}
