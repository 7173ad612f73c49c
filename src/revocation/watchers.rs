//! The live connections that end with their session: one waker for each.
//!
//! - A lock guards them. Only revocations, and watches that begin, move or end, take it; look-ups
//!   never do.
//! - A woken connection looks the session up itself: a waker is a hint, and the store's maps are
//!   the truth.
//! - A dropped watch removes its waker.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    ops::Bound,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::session::{Session, SessionId};

/// The live connections of a store.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// By session and number, so that the entries of one session are one range.
    entries: BTreeMap<Key, Entry>,
    numbered: u64,
}

type Key = (SessionId, u64);

/// How many live connections are looked at under one lock.
const PIECE: usize = 1_000;

struct Entry {
    session: Session,
    waker: Waker,
}

impl Watchers {
    pub(super) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Wakes the watches of a session that has just been ended by its id.
    pub(super) fn wake_one(&self, id: SessionId) {
        let woken: Vec<_> = {
            let waiting = self.lock();
            let entries = waiting.entries.range((id, 0)..=(id, u64::MAX));
            entries.map(|(_, entry)| entry.waker.clone()).collect()
        };
        wake(woken);
    }

    /// Wakes the watches of the sessions that `has_ended` says have ended: one walk over all live
    /// connections, however many revocations have come. It gives the lock back after every
    /// [`PIECE`], for requests that begin or end their watch.
    pub(super) fn wake_ended(&self, has_ended: impl Fn(&Session) -> bool) {
        let mut from = Bound::Unbounded;
        loop {
            let (mut woken, mut last) = (Vec::new(), None);
            {
                let waiting = self.lock();
                for (key, entry) in waiting.entries.range((from, Bound::Unbounded)).take(PIECE) {
                    last = Some(*key);
                    if has_ended(&entry.session) {
                        woken.push(entry.waker.clone());
                    }
                }
            }
            wake(woken);
            // A watch that begins behind the walk looks its session up itself.
            let Some(last) = last else { return };
            from = Bound::Excluded(last);
        }
    }

    fn begin(&self, session: &Session, waker: Waker) -> Key {
        let mut waiting = self.lock();
        let key = (session.id(), waiting.numbered);
        waiting.numbered += 1;
        let session = session.clone();
        waiting.entries.insert(key, Entry { session, waker });
        key
    }

    fn move_to(&self, key: Key, waker: Waker) {
        if let Some(entry) = self.lock().entries.get_mut(&key) {
            entry.waker = waker;
        }
    }

    fn end(&self, key: Key) {
        let entry = self.lock().entries.remove(&key);
        // Dropped outside the lock: the waker may hold a task's last reference, and a task that
        // drops may drop further watches.
        drop(entry);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes outside the lock: a waker may run any code, even a watch's own poll, which takes the lock.
fn wake(woken: Vec<Waker>) {
    woken.into_iter().for_each(Waker::wake);
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers")
            .field("len", &self.len())
            .finish()
    }
}

/// A store whose live connections are watched.
pub(super) trait Watched {
    fn has_ended(&self, session: &Session) -> bool;

    fn live(&self) -> &Watchers;
}

/// Completes once a session was ended.
pub(super) struct Watch<S: Watched> {
    store: S,
    session: Session,
    /// Its entry's key, and the waker it registered: a poll by the same task takes no lock.
    place: Option<(Key, Waker)>,
}

impl<S: Watched> Watch<S> {
    pub(super) const fn new(store: S, session: Session) -> Self {
        Self {
            store,
            session,
            place: None,
        }
    }
}

impl<S: Watched + Unpin> Future for Watch<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let (list, waker) = (this.store.live(), cx.waker());
        // Register the waker before the look-up: an end in between is either seen or wakes.
        // A future may be polled by another task than before, whose waker is another one.
        match &mut this.place {
            Some((_, known)) if known.will_wake(waker) => {}
            Some((key, known)) => {
                list.move_to(*key, waker.clone());
                known.clone_from(waker);
            }
            None => this.place = Some((list.begin(&this.session, waker.clone()), waker.clone())),
        }
        if this.store.has_ended(&this.session) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<S: Watched> Drop for Watch<S> {
    fn drop(&mut self) {
        if let Some((key, _)) = self.place.take() {
            self.store.live().end(key);
        }
    }
}

#[cfg(test)]
mod tests;
