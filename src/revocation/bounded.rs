//! The revocation store as the layer asks it: for a bounded time, and with one account of its
//! outages.
//!
//! - By default a store that cannot tell closes what is protected: 503, and the cookie stays.
//!   [`Builder::insecure_admit_on_outage`] admits instead.
//! - Each change is told once: [`Event::StoreLost`] with the first look-up that fails,
//!   [`Event::StoreRecovered`] with the first that says that a session stands. A store may know
//!   that one has ended while it knows nothing else.
//!
//! [`Builder::insecure_admit_on_outage`]: crate::Builder::insecure_admit_on_outage

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};

use super::{Lookup, Revocation, Revocations, Standing};
use crate::{
    clock::Signal,
    event::{Event, Listener},
    rejection::{Rejection, RejectionKind},
    session::Session,
    store::{StoreError, StoreErrorKind, StoreFuture},
};

/// A revocation store, and how long it is waited for.
pub(crate) struct BoundedRevocations {
    store: Box<dyn Revocations>,
    timeout: Duration,
    /// While the store cannot tell, sessions are admitted that may have been ended.
    is_admitting: bool,
    is_out: AtomicBool,
    listener: Listener,
}

impl BoundedRevocations {
    /// Bounds a store.
    pub(crate) fn new(
        store: Box<dyn Revocations>,
        timeout: Duration,
        is_admitting: bool,
        listener: Listener,
    ) -> Self {
        Self {
            store,
            timeout,
            is_admitting,
            is_out: AtomicBool::new(false),
            listener,
        }
    }

    /// Looks a session up.
    pub(crate) fn look_up(&self, session: &Session) -> Lookup {
        self.store.look_up(session)
    }

    /// Returns what tells of a session's end, where the store can.
    pub(crate) fn watch(&self, session: &Session) -> Option<Signal> {
        self.store.watch(session)
    }

    /// Judges what the store said of a session. An outage is what the posture makes of it.
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
                    self.listener.tell(&Event::StoreRecovered);
                }
                Ok(Standing::Active)
            }
            Ok(Standing::Revoked) => Ok(Standing::Revoked),
            Err(error) => {
                if !self.is_out.swap(true, Ordering::Relaxed) {
                    self.listener.tell(&Event::StoreLost {
                        kind: error.kind(),
                        is_admitting: self.is_admitting,
                    });
                }
                if self.is_admitting {
                    return Ok(Standing::Active);
                }
                Err(self.store_failed(&error))
            }
        }
    }

    /// Says whether a session was not ended early. A store that does not answer is a refusal, not
    /// an end.
    pub(crate) async fn is_active(&self, session: &Session) -> Result<bool, Rejection> {
        let standing = match self.look_up(session) {
            Lookup::Settled(standing) => standing,
            Lookup::Pending(lookup) => self.bounded(lookup).await,
        };
        Ok(self.judge(standing)? == Standing::Active)
    }

    /// Has the store remember an end.
    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let taken = self.bounded(self.store.revoke(revocation)).await;
        taken.inspect_err(|error| {
            self.store_failed(error);
        })
    }

    /// Has the store remember several ends that were ordered at once. Each is given, whatever
    /// becomes of another: what a store does by itself - end it here, try again - it does with all.
    /// The error is the first one's.
    pub(crate) async fn revoke_all(&self, orders: &[Revocation]) -> Result<(), StoreError> {
        let taken = join_all(orders.iter().map(|order| self.revoke(order))).await;
        taken.into_iter().collect()
    }

    /// Waits for a store, but not for ever.
    pub(crate) fn bounded<'a, T: Send + 'a>(
        &self,
        answer: StoreFuture<'a, T>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let limit = self.timeout;
        Box::pin(async move {
            tokio::time::timeout(limit, answer)
                .await
                .unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut)))
        })
    }

    /// Tells of a store's failure, and returns what the request hears of it.
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
