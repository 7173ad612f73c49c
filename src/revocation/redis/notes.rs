//! `Notes`: what the follower and the writer note for an operator.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use super::{last_error::LastError, server::State};
use crate::store::{
    StoreError, StoreErrorKind,
    redis::{Logged, is_refused, log_away, reason},
};

/// What is noted. Nothing that a look-up needs while the store is well.
#[derive(Debug, Default)]
pub(super) struct Notes {
    entries: AtomicU64,
    lag: AtomicU64,
    unsent: AtomicUsize,
    last_error: Mutex<Option<LastError>>,
    is_denied: AtomicBool,
    /// Whether somebody has marked the data set at the server's present history.
    is_marked: AtomicBool,
    /// Why Redis is not followed, as far as the log says so.
    logged: Mutex<Logged>,
}

impl Notes {
    /// Notes a description of the data set.
    pub(super) fn describe(&self, state: &State) {
        // Without the epoch, which stands among them.
        let entries = state.entries.saturating_sub(1);
        self.entries.store(entries, Ordering::Relaxed);
        let is_marked = state.of == state.history;
        self.is_marked.store(is_marked, Ordering::Relaxed);
    }

    /// Notes how many revocations a description counts that were not read by then.
    pub(super) fn behind(&self, lag: u64) {
        self.lag.store(lag, Ordering::Relaxed);
        self.is_denied.store(false, Ordering::Relaxed);
    }

    pub(super) fn wait(&self, unsent: usize) {
        self.unsent.store(unsent, Ordering::Relaxed);
    }

    /// Notes a failure.
    pub(super) fn fail(&self, error: &StoreError) {
        let is_denied = error.kind() == StoreErrorKind::Denied;
        self.is_denied.store(is_denied, Ordering::Relaxed);
        *self.last() = Some(LastError::of(error));
    }

    /// Notes why Redis is not followed, and logs it once.
    pub(super) fn lose(&self, lost: &StoreError) {
        if self.logged().lacks(lost) {
            log_away("revocations", lost);
        }
        self.fail(lost);
    }

    /// Notes that the server has not taken the mark of this replica, which knows nothing yet. If it
    /// has refused it, and nobody else has marked its data, that is not believed: the log has it
    /// once.
    pub(super) fn refuse_mark(&self, refused: &StoreError) {
        let is_believed = self.is_marked.load(Ordering::Relaxed);
        if !is_believed && is_refused(refused) && self.logged().lacks(refused) {
            let (kind, reason) = (refused.kind(), reason(refused));
            tracing::error!(target: "tower_magic_link", store = "revocations", %kind, reason, "redis does not let this replica write: until it does, nobody knows here which sessions have ended");
        }
        self.fail(refused);
    }

    /// Forgets what the log says: the outage is over. Says whether it said anything.
    pub(super) fn forget_logged(&self) -> bool {
        let mut logged = self.logged();
        let said = !logged.is_empty();
        logged.forget();
        said
    }

    /// Returns how many revocations Redis had.
    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    pub(super) fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    pub(super) fn last_error(&self) -> Option<LastError> {
        self.last().clone()
    }

    /// Returns what kind of failure it is that Redis is not followed.
    pub(super) fn kind(&self) -> StoreErrorKind {
        if self.is_denied.load(Ordering::Relaxed) {
            StoreErrorKind::Denied
        } else {
            StoreErrorKind::Unavailable
        }
    }

    fn logged(&self) -> MutexGuard<'_, Logged> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> MutexGuard<'_, Option<LastError>> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
