//! Loading: reads every revocation of a data set into the copy, page by page.
//!
//! - Nothing is kept but the copy itself and two pages. The next page is asked for before the last
//!   one is applied, so that Redis and the way to it work meanwhile.
//! - A cursor is one of a single walk: `ZSCAN` finds what is there from the walk's begin to its
//!   end, and the stream brings what comes meanwhile. So several pages cannot be asked for at once,
//!   and a long way is made up for by larger pages.
//! - A walk that breaks off goes on over the next connection, if that leads to the same data set
//!   at the same history: a cursor means the same for as long as the server's process lives, and a
//!   restart or a failover changes the history. Of the stream it reads on from where it was then.
//!   Where the server shows no history, because its user may not ask for it, the walk begins anew.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future;
use tokio::{task::yield_now, time::Instant};

use super::{
    place::{Place, Read, read},
    replica::Replica,
    server::Server,
};
use crate::{revocation::Revocation, store::StoreError};

/// How many revocations the first page of a walk has, about.
const FIRST_PAGE: u32 = 1_000;
/// How many the largest page has: it keeps Redis from other work for some five milliseconds.
const LARGEST_PAGE: u32 = 10_000;
/// How many the smallest page has, on a way that carries little.
const SMALLEST_PAGE: u32 = 250;
/// After a page that took no longer than this, a page has twice as many. An answer may take a
/// second.
const QUICK: Duration = Duration::from_millis(400);
/// After a page that took longer than this, a page has half as many.
const SLOW: Duration = Duration::from_millis(700);
/// How many revocations are applied before other tasks of the runtime have a turn.
const TURN: usize = 1_000;
/// How often the server is told that this replica still returns.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

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
    fn from(here: &Place) -> Self {
        Self {
            epoch: here.epoch.clone(),
            history: here.history.clone(),
            restored: here.restored,
            seq: here.seq,
            cursor: START.to_owned(),
        }
    }

    fn is_of(&self, here: &Place) -> bool {
        !here.history.is_empty()
            && self.history == here.history
            && self.epoch == here.epoch
            && self.restored == here.restored
            && self.seq <= here.seq
    }
}

impl Loading {
    /// Returns what this process knows, to compare a data set with: nothing if a walk over the same
    /// data set broke off, which only has to go on. If there is nothing to compare, the walk that
    /// follows may go on like that.
    pub(super) fn known(
        &self,
        here: &Place,
        all: impl FnOnce() -> Vec<Revocation>,
    ) -> Vec<Revocation> {
        if self.walk().as_ref().is_some_and(|walk| walk.is_of(here)) {
            return Vec::new();
        }
        let known = all();
        *self.walk() = known.is_empty().then(|| Walk::from(here));
        known
    }

    /// Forgets the walk: it is over, or what the copy holds may have come from elsewhere.
    pub(super) fn forget(&self) {
        *self.walk() = None;
    }

    /// Returns the cursor at which to begin, and sets the place back to what the walk has read of
    /// the stream.
    fn begin(&self, here: &mut Place, entries: u64) -> String {
        self.of.store(entries, Ordering::Relaxed);
        if let Some(walk) = self.walk().as_mut() {
            if walk.is_of(here) {
                here.seq = walk.seq;
                return walk.cursor.clone();
            }
            *walk = Walk::from(here);
        }
        self.read.store(0, Ordering::Relaxed);
        START.to_owned()
    }

    /// Notes that a page has been applied, and the stream been read up to the place.
    fn keep(&self, here: &Place, cursor: &str, page: usize) {
        if let Some(walk) = self.walk().as_mut() {
            walk.seq = here.seq;
            cursor.clone_into(&mut walk.cursor);
        }
        let page = u64::try_from(page).unwrap_or_default();
        self.read.fetch_add(page, Ordering::Relaxed);
    }

    /// Forgets how far the walk is: the stream has a gap.
    fn begin_again(&self) {
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

/// The first cursor, and the last.
const START: &str = "0";

/// A load.
pub(super) struct Load<'a, S> {
    pub(super) server: &'a S,
    pub(super) replica: &'a Replica,
}

impl<S: Server> Load<'_, S> {
    /// Reads every revocation into the copy, and the stream from the place on. Calls `note` with
    /// each page, and `sign` every second.
    pub(super) async fn load<F: Future>(
        &self,
        here: &mut Place,
        mut note: impl FnMut(&[Revocation]),
        sign: impl Fn() -> F,
    ) -> Result<Read, StoreError> {
        let loading = &self.replica.loading;
        let mut cursor = loading.begin(here, self.replica.notes.entries());
        let mut count = FIRST_PAGE;
        let mut signed = Instant::now();
        let mut page = Vec::new();
        loop {
            let asked = Instant::now();
            let is_due = signed.elapsed() >= SIGN_OF_LIFE;
            let signing = async {
                if is_due {
                    sign().await;
                }
            };
            if is_due {
                signed = asked;
            }
            let many = page.len();
            // The next page is on its way while this one is applied.
            let next = self.server.scan(cursor.clone(), count);
            let streamed = read(self.server, self.replica, here, None);
            let all = future::join4(next, streamed, signing, self.apply(page));
            let (next, streamed, (), ()) = all.await;
            if let Ok(Read::Gap) = streamed {
                loading.begin_again();
                return Ok(Read::Gap);
            }
            loading.keep(here, &cursor, many);
            streamed?;
            (cursor, page) = next?;
            note(&page);
            if cursor == START {
                break;
            }
            count = fitting(count, asked.elapsed());
        }
        let many = page.len();
        self.apply(page).await;
        loading.keep(here, START, many);
        Ok(Read::All)
    }

    /// Applies a page, with turns for the runtime's other tasks. The first one sends what was
    /// asked.
    async fn apply(&self, mut revocations: Vec<Revocation>) {
        while !revocations.is_empty() {
            yield_now().await;
            let rest = revocations.split_off(revocations.len().min(TURN));
            self.replica.hear_of(revocations);
            self.replica.notice_silence();
            revocations = rest;
        }
    }
}

/// Returns how many revocations the next page has, after one of `count` that took so long.
fn fitting(count: u32, took: Duration) -> u32 {
    if took <= QUICK {
        (count * 2).min(LARGEST_PAGE)
    } else if took > SLOW {
        (count / 2).max(SMALLEST_PAGE)
    } else {
        count
    }
}
