//! `Loading`: how far this process's loading is, for a load that breaks off and for an operator.
//!
//! - A walk that breaks off goes on over the next connection, if that leads to the same data set
//!   at the same history: a cursor means the same for as long as the server's process lives, and a
//!   restart or a failover changes the history. Of the stream it reads on from where it was then.
//!   Where the server shows no history, because its user may not ask for it, the walk begins anew.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::revocation::MemoryRevocations;

/// The first cursor, and the last.
pub(super) const START: &str = "0";

/// How far this process's loading is.
#[derive(Debug, Default)]
pub(super) struct Loading {
    walk: Mutex<Option<Walk>>,
    /// How many revocations the present load has read, and how many there were when it began.
    read: AtomicU64,
    of: AtomicU64,
    /// Raised whenever arriving goes on.
    steps: AtomicU64,
}

/// A place in a data set: its name, the server's history, how often revocations were put back
/// there without the stream, and the last revocation read of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark<'a> {
    pub(super) epoch: &'a str,
    pub(super) history: &'a str,
    pub(super) restored: u64,
    pub(super) seq: u64,
}

/// A walk over all revocations that compares nothing: everything that the copy holds came from this
/// data set, or is the writer's to send.
#[derive(Debug)]
struct Walk {
    epoch: String,
    history: String,
    restored: u64,
    /// The last revocation read of the stream. It has been read without a gap since the walk began.
    seq: u64,
    cursor: String,
}

impl Walk {
    fn from(here: Mark<'_>) -> Self {
        Self {
            epoch: here.epoch.to_owned(),
            history: here.history.to_owned(),
            restored: here.restored,
            seq: here.seq,
            cursor: START.to_owned(),
        }
    }

    fn is_of(&self, here: Mark<'_>) -> bool {
        !here.history.is_empty()
            && self.history == here.history
            && self.epoch == here.epoch
            && self.restored == here.restored
            && self.seq <= here.seq
    }
}

impl Loading {
    /// Says whether a data set is compared with what this process knows. It is not if a walk over
    /// the same data set broke off, which only has to go on. If this process knows nothing, the
    /// walk that follows may go on like that.
    pub(super) fn compares(&self, here: Mark<'_>, revocations: &MemoryRevocations) -> bool {
        let mut walk = self.walk();
        if walk.as_ref().is_some_and(|walk| walk.is_of(here)) {
            return false;
        }
        *walk = revocations.is_empty().then(|| Walk::from(here));
        walk.is_none()
    }

    /// Forgets the walk: it is over, or what the copy holds may have come from elsewhere.
    pub(super) fn forget(&self) {
        *self.walk() = None;
    }

    /// Returns the cursor at which to begin, and from where to read the stream: from what a walk
    /// that goes on has read of it.
    pub(super) fn begin(&self, here: Mark<'_>, entries: u64) -> (String, u64) {
        self.of.store(entries, Ordering::Relaxed);
        if let Some(walk) = self.walk().as_mut() {
            if walk.is_of(here) {
                return (walk.cursor.clone(), walk.seq);
            }
            *walk = Walk::from(here);
        }
        self.read.store(0, Ordering::Relaxed);
        (START.to_owned(), here.seq)
    }

    /// Notes that a page has been applied, and the stream been read up to `seq`.
    pub(super) fn keep(&self, seq: u64, cursor: &str, page: usize) {
        if let Some(walk) = self.walk().as_mut() {
            walk.seq = seq;
            cursor.clone_into(&mut walk.cursor);
        }
        let page = u64::try_from(page).unwrap_or_default();
        self.read.fetch_add(page, Ordering::Relaxed);
    }

    /// Forgets how far the walk is: the stream has a gap.
    pub(super) fn begin_again(&self) {
        if let Some(walk) = self.walk().as_mut() {
            // That of no data set.
            walk.epoch.clear();
        }
    }

    /// Notes that arriving goes on, if only by waiting for another replica.
    pub(super) fn goes_on(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns a number that rises for as long as arriving goes on.
    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Returns how many revocations the present load has read, and of how many.
    pub(super) fn progress(&self) -> (u64, u64) {
        let [read, of] = [&self.read, &self.of].map(|count| count.load(Ordering::Relaxed));
        (read, of.max(read))
    }

    fn walk(&self) -> MutexGuard<'_, Option<Walk>> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
