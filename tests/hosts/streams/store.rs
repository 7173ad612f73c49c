//! How often a live connection asks the store, and what a hanging or failing store does.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::watch;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Session, SessionGuard,
    clock::Signal,
    revocation::{Lookup, Revocation, Revocations, Standing},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use super::{End, HOUR, SignedIn, Site};
use crate::{
    names::ADA,
    site::{builder, program},
};

/// A store whose look-ups hang after the first, and that tells of an end at once.
#[derive(Debug)]
struct Hanging {
    asked: AtomicUsize,
    told: Arc<watch::Sender<bool>>,
}

impl Revocations for Hanging {
    fn look_up(&self, _: &Session) -> Lookup {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => Lookup::Settled(Ok(Standing::Active)),
            _ => Lookup::Pending(Box::pin(std::future::pending())),
        }
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn watch(&self, _: &Session) -> Option<Signal> {
        let mut told = self.told.subscribe();
        Some(Box::pin(async move {
            let _ = told.wait_for(|told| *told).await;
        }))
    }
}

/// Pinned: while the store was asked, nobody heard what it told, nor that the token had ended.
#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_keeps_no_end_waiting() {
    for end in [End::Revoked, End::Expired] {
        let clock = ManualClock::new();
        let told = Arc::new(watch::Sender::new(false));
        let store = Hanging {
            asked: AtomicUsize::new(0),
            told: told.clone(),
        };
        let layer = builder(&clock)
            .session_lifetime(HOUR)
            .revocations(store)
            .revocation_timeout(Duration::from_secs(10))
            .end_streams()
            .build()
            .unwrap();
        let mut request = program("/x");
        let session = layer.sign_in(&mut request, ADA);
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(guard);
            Ok::<_, Infallible>(response)
        }));
        let response = service.oneshot(request).await.unwrap();
        let mut guard = response.extensions().get::<SessionGuard>().unwrap().clone();
        assert!((&mut guard).now_or_never().is_none());
        clock.advance(Duration::from_secs(30));
        assert!((&mut guard).now_or_never().is_none(), "it asks now");
        match end {
            End::Expired => clock.set(session.expires_at()),
            _ => drop(told.send_replace(true)),
        }
        assert!((&mut guard).now_or_never().is_some(), "{end:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_tell_is_asked_at_every_interval_and_an_outage_ends_nothing() {
    let every = Duration::from_secs(10);
    let (asked, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, answer) = (asked.clone(), act.clone());
    let clock = ManualClock::new();
    let look_up = move |_: Session| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = answer.load(Ordering::SeqCst);
        async move {
            match answer {
                0 => Ok(Standing::Active),
                1 => Err(StoreError::new(StoreErrorKind::Unavailable)),
                _ => Ok(Standing::Revoked),
            }
        }
    };
    let layer = builder(&clock)
        .revocations(look_up)
        .end_streams()
        .stream_look_up_interval(every)
        .build()
        .unwrap();
    let mut request = program("/x");
    layer.sign_in(&mut request, ADA);
    let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
        let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(guard);
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    let mut guard = response.extensions().get::<SessionGuard>().unwrap().clone();
    let mut has_ended = || (&mut guard).now_or_never().is_some();

    let steps = [
        ("at once", 0, 0, 1, false),
        ("too early", 9, 0, 1, false),
        ("on time", 1, 0, 2, false),
        ("in an outage", 10, 1, 3, false),
        ("back again", 10, 0, 4, false),
        ("revoked, too early", 9, 2, 4, false),
        ("revoked", 1, 2, 5, true),
        ("after that", 100, 0, 5, true),
    ];
    for (name, seconds, says, want, is_over) in steps {
        act.store(says, Ordering::SeqCst);
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(has_ended(), is_over, "{name}");
        assert_eq!(asked.load(Ordering::SeqCst), want, "{name}");
    }
}

#[tokio::test]
async fn a_session_that_was_ended_before_anybody_watched_is_noticed() {
    let site = Site::new();
    let (ada, eve) = site.people();
    let watch = |person: &SignedIn| site.revocations.watch(&person.session).unwrap();
    let (mut late, mut other) = (watch(&ada), watch(&eve));
    site.end(&ada.session, End::Revoked);
    assert!((&mut late).now_or_never().is_some());
    assert!((&mut other).now_or_never().is_none());
    assert_eq!(site.revocations.watchers(), 2);
    drop((late, other));
    assert_eq!(site.revocations.watchers(), 0);
}

#[test]
fn an_interval_that_is_too_short_or_too_long_is_refused() {
    let cases = [(0, false), (1, true), (3_600, true), (3_601, false)];
    for (seconds, is_fine) in cases {
        let builder = builder(&ManualClock::new()).end_streams();
        let built = builder.stream_look_up_interval(Duration::from_secs(seconds));
        assert_eq!(built.build().is_ok(), is_fine, "{seconds}");
    }
}
