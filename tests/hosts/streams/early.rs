//! A clock whose sleeps complete early: at once, whatever it is asked.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    MagicLinkLayer, Session, SessionGuard,
    clock::{Clock, Signal, Timestamp},
    revocation::Standing,
    testing::ManualClock,
};

use super::HOUR;
use crate::{
    names::ADA,
    site::{builder, program},
};

/// More sleeps than any of these tests has polls.
const MOST: usize = 1_000;

/// The clock. Clones are the same one.
#[derive(Clone, Debug, Default)]
struct Hasty {
    clock: ManualClock,
    slept: Arc<AtomicUsize>,
}

impl Hasty {
    fn has_slept_too_often(&self) -> bool {
        self.slept.load(Ordering::SeqCst) >= MOST
    }
}

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep_until(&self, _: Timestamp) -> Signal {
        self.slept.fetch_add(1, Ordering::SeqCst);
        // A poll that would not return ends here.
        assert!(!self.has_slept_too_often(), "a poll goes on and on");
        Box::pin(std::future::ready(()))
    }
}

async fn guarded(layer: &MagicLinkLayer) -> (SessionGuard, Session) {
    let mut request = program("/x");
    let session = layer.sign_in(&mut request, ADA);
    let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
        let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(guard);
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    let guard = response.extensions().get::<SessionGuard>().unwrap();
    (guard.clone(), session)
}

/// Pins: one poll of a live connection lasted until its session ended.
#[tokio::test]
async fn a_clock_that_completes_at_once_keeps_no_poll_from_returning() {
    let clock = Hasty::default();
    let layer = builder(&clock.clock)
        .clock(clock.clone())
        .session_lifetime(HOUR)
        .end_streams()
        .build()
        .unwrap();
    let (mut guard, session) = guarded(&layer).await;
    for _ in 0..100 {
        assert!((&mut guard).now_or_never().is_none());
    }
    clock.clock.set(session.expires_at());
    assert!((&mut guard).now_or_never().is_some());
    assert!(!clock.has_slept_too_often());
}

/// Pins: a look-up that had to wait was dropped at once, and so no end was found.
#[tokio::test]
async fn a_clock_that_completes_at_once_cuts_no_look_up_short() {
    let every = Duration::from_secs(10);
    let (clock, has_ended) = (Hasty::default(), Arc::new(AtomicBool::new(false)));
    let known = has_ended.clone();
    let look_up = move |_: Session| {
        let standing = match known.load(Ordering::SeqCst) {
            true => Standing::Revoked,
            false => Standing::Active,
        };
        async move {
            tokio::task::yield_now().await;
            standing
        }
    };
    let layer = builder(&clock.clock)
        .clock(clock.clone())
        .revocations(look_up)
        .end_streams()
        .stream_look_up_interval(every)
        .build()
        .unwrap();
    let (mut guard, _) = guarded(&layer).await;
    has_ended.store(true, Ordering::SeqCst);
    let mut is_over = || (0..10).any(|_| (&mut guard).now_or_never().is_some());
    assert!(!is_over(), "it is not looked up yet");
    clock.clock.advance(every);
    assert!(is_over());
    assert!(!clock.has_slept_too_often());
}
