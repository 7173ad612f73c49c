//! The revocation store as the layer uses it: with a bounded wait, and one event per outage.
//!
//! - By default a store that fails closes everything protected: the layer answers 503, and the
//!   cookie stays. [`Builder::insecure_admit_on_outage`] admits instead.
//! - Each change is reported once: [`Event::StoreLost`] with the first look-up that fails,
//!   [`Event::StoreRecovered`] with the first that finds an active session. A revoked session
//!   proves nothing about recovery: a store may know that one has ended while it knows nothing
//!   else.
//!
//! [`Builder::insecure_admit_on_outage`]: crate::Builder::insecure_admit_on_outage

use std::{
    fmt, mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;

use super::{Lookup, Revocation, Revocations, Standing};
use crate::{
    check::{self, Line},
    clock::{Signal, Timestamp},
    event::{Event, Listener, StoreName},
    rejection::{Rejection, RejectionKind},
    session::Session,
    store::{StoreError, StoreErrorKind, StoreFuture, reason},
    trace::{Call, StateGauge, observe},
};

const LOOK_UP: Call = Call::new("revocations.look_up");
/// Failures that are further apart are of two outages, as far as the log knows.
const ONE_OUTAGE: Duration = Duration::from_secs(5 * 60);
const REVOKE: Call = Call::new("revocations.revoke");

/// What happens to sessions while the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnOutage {
    /// They are admitted, although they may have been revoked.
    Admit,
    /// They are refused with 503.
    Refuse,
}

/// A revocation store, and how long the layer waits for it.
pub(crate) struct BoundedRevocations {
    store: Box<dyn Revocations>,
    timeout: Duration,
    on_outage: OnOutage,
    is_out: AtomicBool,
    /// When the last revocation was given, if it was not stored.
    refused: Mutex<Option<Instant>>,
    listener: Listener,
}

impl BoundedRevocations {
    /// Wraps a store with a bounded wait.
    pub(crate) fn new(
        store: Box<dyn Revocations>,
        timeout: Duration,
        on_outage: OnOutage,
        listener: Listener,
    ) -> Self {
        let bounded = Self {
            store,
            timeout,
            on_outage,
            is_out: AtomicBool::new(false),
            refused: Mutex::default(),
            listener,
        };
        bounded.show();
        REVOKE.prepare(StoreErrorKind::ALL.map(StoreErrorKind::name));
        bounded
    }

    /// Shows whether the store answers.
    fn show(&self) {
        let gauge = StateGauge::of_store(StoreName::Revocations.name());
        gauge.show(|| !self.is_out.load(Ordering::Relaxed));
    }

    /// Looks a session up.
    pub(crate) fn look_up(&self, session: &Session) -> Lookup {
        self.store.look_up(session)
    }

    /// Returns a signal of the session's end, if the store can give one.
    pub(crate) fn watch(&self, session: &Session) -> Option<Signal> {
        self.store.watch(session)
    }

    /// Says whether a session is admitted by this answer of the store. It reports nothing.
    pub(crate) fn admits(&self, answer: &Result<Standing, StoreError>) -> bool {
        match answer {
            Ok(standing) => *standing == Standing::Active,
            Err(_) => self.on_outage == OnOutage::Admit,
        }
    }

    /// Judges the store's answer. During an outage `insecure_admit_on_outage` decides.
    pub(crate) fn judge(
        &self,
        answer: Result<Standing, StoreError>,
    ) -> Result<Standing, Rejection> {
        match answer {
            Ok(Standing::Active) => {
                // A load before the swap: the usual request shares the cache line instead of taking
                // it.
                if self.is_out.load(Ordering::Relaxed) && self.is_out.swap(false, Ordering::Relaxed)
                {
                    self.show();
                    self.listener.tell(&Event::StoreRecovered);
                }
                Ok(Standing::Active)
            }
            // It says nothing of the store's health: a copy that is cut off still knows what has
            // ended.
            Ok(Standing::Revoked) => Ok(Standing::Revoked),
            Err(error) => {
                // Once an outage: an event for each request would bury the one that says why.
                if !self.is_out.swap(true, Ordering::Relaxed) {
                    self.show();
                    self.listener.tell(&Event::StoreLost {
                        kind: error.kind(),
                        is_admitting: self.on_outage == OnOutage::Admit,
                    });
                }
                if self.on_outage == OnOutage::Admit {
                    return Ok(Standing::Active);
                }
                Err(self.store_failed(&error))
            }
        }
    }

    /// Tells of an outage that a look-up for no request has met, and returns its error.
    pub(crate) fn tell_outage(&self, error: StoreError) -> StoreError {
        let told = StoreError::new(error.kind());
        // The refusal would be a request's.
        drop(self.judge(Err(error)));
        told
    }

    /// Says whether a session is still active. A store that does not answer is a refusal, not an
    /// end.
    pub(crate) async fn is_active(&self, session: &Session) -> Result<bool, Rejection> {
        let standing = self.standing(session).await;
        Ok(self.judge(standing)? == Standing::Active)
    }

    /// Returns the store's answer about a session, of which nothing is judged yet.
    pub(crate) async fn standing(&self, session: &Session) -> Result<Standing, StoreError> {
        match self.look_up(session) {
            Lookup::Settled(standing) => standing,
            Lookup::Pending(lookup) => self.waiting(lookup).await,
        }
    }

    /// Records a revocation in the store.
    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let taken = self.bounded(REVOKE, self.store.revoke(revocation)).await;
        let now = taken.is_err().then(Instant::now);
        let refused = mem::replace(&mut *self.refused(), now);
        match &taken {
            Ok(()) if refused.is_some() => {
                tracing::warn!(target: "tower_magic_link", "the revocation store records revocations again");
            }
            Ok(()) => {}
            Err(error) => {
                // Once an outage, in which everybody who signs out would add a line. A store may
                // have been back meanwhile, with nobody who signed out.
                if refused.is_none_or(|at| at.elapsed() >= ONE_OUTAGE) {
                    let reason = reason(error);
                    tracing::error!(target: "tower_magic_link", kind = %error.kind(), reason, "the revocation store did not record a revocation");
                }
                self.store_failed(error);
            }
        }
        taken
    }

    /// Records several revocations at once. Each reaches the store even if another fails, so that
    /// the store ends all of them locally and retries each. Returns the first error.
    pub(crate) async fn revoke_all(&self, revocations: &[Revocation]) -> Result<(), StoreError> {
        // All of them, even after a failure: to stop at the first error would spare the sessions of
        // the rest.
        let taken = join_all(revocations.iter().map(|revocation| self.revoke(revocation))).await;
        taken.into_iter().collect()
    }

    /// Waits for a look-up, at most for the timeout.
    pub(crate) fn waiting<'a>(
        &self,
        lookup: StoreFuture<'a, Standing>,
    ) -> BoxFuture<'a, Result<Standing, StoreError>> {
        self.bounded(LOOK_UP, lookup)
    }

    /// Waits for a store, at most for the timeout.
    fn bounded<'a, T: Send + 'a>(
        &self,
        call: Call,
        answer: StoreFuture<'a, T>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let limit = self.timeout;
        Box::pin(observe(call, async move {
            tokio::time::timeout(limit, answer)
                .await
                // A store that hangs is an outage and no answer: `Active` would admit what has
                // ended.
                .unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut)))
        }))
    }

    fn refused(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks the store. It reports nothing.
    pub(crate) async fn check(&self, now: Timestamp) -> Vec<Line> {
        check::bounded("revocation store", self.timeout, self.store.check(now)).await
    }

    /// Reports a store's failure, and returns the refusal for the request.
    fn store_failed(&self, error: &StoreError) -> Rejection {
        self.listener
            .tell(&Event::StoreFailed { kind: error.kind() });
        Rejection::new(RejectionKind::StoreUnavailable)
    }
}

impl fmt::Debug for BoundedRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
