//! What is measured turn by turn.

use std::{
    convert::Infallible,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Response, StatusCode};
use sha2::Sha256;
use tower::Service;

/// How many requests are answered in one turn.
pub const TURN: u32 = 32;
/// How many runs a measurement has.
pub const RUNS: usize = 3;

/// Something that is measured turn by turn.
pub struct Variant {
    pub name: String,
    /// Returns how many nanoseconds one request took.
    turn: Box<dyn FnMut() -> f64>,
    turns: Vec<f64>,
    pub allocations: u64,
}

impl Variant {
    /// Answers these requests in turn. Each has to be answered with this status, and at once.
    pub fn of<S, B, R>(
        name: &str,
        mut service: S,
        requests: Vec<Request<()>>,
        want: StatusCode,
    ) -> Self
    where
        S: Service<Request<B>, Response = Response<R>, Error = Infallible> + 'static,
        B: Default,
    {
        let with_body = |request: &Request<()>| request.clone().map(|()| B::default());
        let first = requests.first().unwrap();
        // Counted the second time: what is made once per process is no cost of a request.
        let mut allocations = 0;
        for _ in 0..2 {
            let request = with_body(first);
            let mut response = None;
            let counted = allocation_counter::measure(|| {
                response = Some(at_once(&mut service, request));
            });
            allocations = counted.count_total;
            assert_eq!(response.unwrap().status(), want, "{name}");
        }
        let mut next = 0;
        let turn = move || {
            let many = usize::try_from(TURN).unwrap();
            let (before, after) = requests.split_at(next);
            let turn = after.iter().chain(before).cycle().take(many);
            let turn: Vec<_> = turn.map(with_body).collect();
            next = (next + many) % requests.len();
            let start = now();
            for request in turn {
                drop(black_box(at_once(&mut service, black_box(request))));
            }
            since(start)
        };
        Self {
            name: name.to_owned(),
            turn: Box::new(turn),
            turns: Vec::new(),
            allocations,
        }
    }

    /// One HMAC-SHA256 over the signed part of a token: F.
    pub fn hmac(signed: String) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        let signature = key.clone().chain_update(&signed).finalize().into_bytes();
        let turn = move || {
            let start = now();
            for _ in 0..TURN {
                let mac = key.clone().chain_update(black_box(&signed));
                black_box(mac.verify(black_box(&signature))).unwrap();
            }
            since(start)
        };
        Self {
            name: "F".to_owned(),
            turn: Box::new(turn),
            turns: Vec::new(),
            allocations: 0,
        }
    }

    pub fn take_turn(&mut self) {
        let nanoseconds = (self.turn)();
        self.turns.push(nanoseconds);
    }

    /// Returns the median of each run.
    pub fn runs(&self) -> [f64; RUNS] {
        let each = self.turns.len().div_ceil(RUNS).max(1);
        let mut runs = self.turns.chunks(each).map(median);
        [(); RUNS].map(|()| runs.next().unwrap_or(f64::NAN))
    }
}

/// Answers a request, of which nothing has to wait.
pub fn at_once<S, Q>(service: &mut S, request: Q) -> S::Response
where
    S: Service<Q, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Ok(response) = ready(service.call(request));
    response
}

pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing has to wait here"),
    }
}

pub fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns how far the runs lie apart, as a share of their median.
pub fn spread(runs: [f64; RUNS]) -> f64 {
    let most = runs.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let least = runs.into_iter().fold(f64::INFINITY, f64::min);
    (most - least) / median(&runs)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / f64::from(TURN)
}
