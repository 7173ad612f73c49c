//! What is measured turn by turn, and what comes of it.

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
pub(crate) const TURN: u32 = 32;
/// How many runs a measurement has.
pub(crate) const RUNS: usize = 3;

/// Something that is measured turn by turn.
pub(crate) struct Timed {
    /// Returns how many nanoseconds one request took.
    turn: Box<dyn FnMut() -> f64>,
    turns: Vec<f64>,
}

impl Timed {
    pub(crate) fn new(turn: impl FnMut() -> f64 + 'static) -> Self {
        Self {
            turn: Box::new(turn),
            turns: Vec::new(),
        }
    }

    /// One HMAC-SHA256 over a text: F.
    pub(crate) fn hmac(text: String) -> Self {
        Self::new(hmac_turn(text))
    }

    pub(crate) fn take_turn(&mut self) {
        let nanoseconds = (self.turn)();
        self.turns.push(nanoseconds);
    }

    /// Returns the median of each run.
    pub(crate) fn runs(&self) -> [f64; RUNS] {
        let each = self.turns.len().div_ceil(RUNS).max(1);
        let mut runs = self.turns.chunks(each).map(<[f64]>::to_vec).map(median);
        [(); RUNS].map(|()| runs.next().unwrap_or(f64::NAN))
    }
}

/// Returns what takes one turn of HMACs and says how many nanoseconds one took.
pub(crate) fn hmac_turn(text: String) -> impl FnMut() -> f64 + Send {
    let key = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let signature = key.clone().chain_update(&text).finalize().into_bytes();
    move || {
        let start = now();
        for _ in 0..TURN {
            let mac = key.clone().chain_update(black_box(&text));
            black_box(mac.verify(black_box(&signature))).unwrap();
        }
        since(start)
    }
}

/// A way through the layer, and the same request to the inner service alone.
pub(crate) struct Case {
    pub(crate) name: String,
    inner: Timed,
    whole: Timed,
    /// How many allocations the layer adds.
    pub(crate) allocations: u64,
}

impl Case {
    /// Answers these requests in turn. Each has to be answered with this status, and at once.
    pub(crate) fn of<I, S, R, Q>(
        name: &str,
        mut inner: I,
        mut whole: S,
        requests: Vec<Request<String>>,
        want: StatusCode,
    ) -> Self
    where
        I: Service<Request<String>, Response = Response<R>, Error = Infallible> + 'static,
        S: Service<Request<String>, Response = Response<Q>, Error = Infallible> + 'static,
    {
        let first = requests.first().unwrap();
        // Twice: what is made once per process, or kept when it is seen again, is no cost of a
        // request.
        for _ in 0..2 {
            let answer = at_once(&mut whole, first.clone());
            assert_eq!(answer.status(), want, "{name}");
        }
        // Of many people, one who has not been here yet: so are those whose requests are timed.
        let counted = requests.last().unwrap();
        let alone = allocations(|request| drop(at_once(&mut inner, request)), counted);
        let all = allocations(|request| drop(at_once(&mut whole, request)), counted);
        Self {
            name: name.to_owned(),
            inner: Timed::new(turn_of(inner, requests.clone())),
            whole: Timed::new(turn_of(whole, requests)),
            allocations: all - alone,
        }
    }

    pub(crate) fn take_turn(&mut self) {
        self.inner.take_turn();
        self.whole.take_turn();
    }

    /// Returns what the layer adds, as a multiple of the yardstick, in each run.
    pub(crate) fn multiples(&self, yardstick: &Timed) -> [f64; RUNS] {
        let runs = self.whole.runs().into_iter().zip(self.inner.runs());
        let mut multiples = runs
            .zip(yardstick.runs())
            .map(|((whole, inner), yardstick)| (whole - inner) / yardstick);
        [(); RUNS].map(|()| multiples.next().unwrap_or(f64::NAN))
    }
}

/// Returns what answers the next requests of a list that has no end, and says how many nanoseconds
/// one took.
pub(crate) fn turn_of<S, R>(
    mut service: S,
    requests: Vec<Request<String>>,
) -> impl FnMut() -> f64 + 'static
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible> + 'static,
{
    let mut next = 0;
    move || {
        let many = usize::try_from(TURN).unwrap();
        let (before, after) = requests.split_at(next);
        let turn = after.iter().chain(before).cycle().take(many);
        let turn: Vec<_> = turn.cloned().collect();
        next = (next + many) % requests.len();
        let start = now();
        for request in turn {
            drop(black_box(at_once(&mut service, black_box(request))));
        }
        since(start)
    }
}

fn allocations(mut answer: impl FnMut(Request<String>), request: &Request<String>) -> u64 {
    let request = request.clone();
    allocation_counter::measure(|| answer(request)).count_total
}

pub(crate) fn at_once<S: Service<Q>, Q>(service: &mut S, request: Q) -> S::Response
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

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns how many nanoseconds each request of a turn took.
pub(crate) fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / f64::from(TURN)
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns how far the runs lie apart, as a share of their median.
pub(crate) fn spread(runs: [f64; RUNS]) -> f64 {
    let most = runs.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let least = runs.into_iter().fold(f64::INFINITY, f64::min);
    (most - least) / median(runs.to_vec())
}

/// Says how large F was, and how far the runs of all figures lie apart.
pub(crate) fn footing(yardstick: &Timed, figures: &[[f64; RUNS]]) -> String {
    let spreads: Vec<_> = figures.iter().copied().map(spread).collect();
    let worst = spreads.iter().copied().fold(0.0, f64::max);
    format!(
        "F is {:.0} ns. The three runs of a figure lie apart by {:.1} % in the median, {:.1} % at \
         most.\n",
        median(yardstick.runs().to_vec()),
        median(spreads) * 100.0,
        worst * 100.0
    )
}
