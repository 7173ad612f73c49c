//! `Runs`: work by key, begun once for all callers that ask for it until a minute after its end.
//!
//! - Finding a run and beginning it are one step under one lock, so that of parallel callers only
//!   one begins.
//! - Forgetting a run removes that run only, never a newer one under the same key.
//! - A run is found until its own minute is over. A sweep looks at every entry while all callers
//!   wait, so there is at most one a second.

use std::{collections::HashMap, time::Duration};

use super::sync::{Mutex, MutexGuard, PoisonError};
use crate::clock::Timestamp;

/// How long a run is shared, from its end.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The most runs that are kept: 10,000 sign-ins within a minute on one replica. Beyond that,
/// unfinished runs are dropped first, so that a flood of abandoned runs cannot push out finished
/// sign-ins.
const MOST: usize = 10_000;

pub(in crate::flow) type Key = [u8; 32];

pub(super) struct Runs<R> {
    entries: Mutex<Entries<R>>,
    /// Returns when a run ended, or `None` while it goes on.
    ended: fn(&R) -> Option<Timestamp>,
}

struct Entries<R> {
    by_key: HashMap<Key, Entry<R>>,
    swept: Timestamp,
}

struct Entry<R> {
    begun: Timestamp,
    /// A second key, under which it is found too.
    of: Option<Key>,
    run: R,
}

impl<R> Runs<R> {
    pub(super) fn new(ended: fn(&R) -> Option<Timestamp>) -> Self {
        Self {
            entries: Mutex::new(Entries {
                by_key: HashMap::new(),
                swept: Timestamp::from_secs(0),
            }),
            ended,
        }
    }

    /// Returns the run of this key, and begins one if there is none.
    pub(super) fn join(
        &self,
        key: Key,
        of: Option<Key>,
        begin: impl FnOnce() -> R,
        now: Timestamp,
    ) -> R
    where
        R: Clone,
    {
        let mut entries = self.lock();
        // Old entries go here, so that no task has to sweep them. The layer's time counts whole
        // seconds and never goes back: an earlier `now` is a caller's that has waited.
        if now > entries.swept {
            entries.by_key.retain(|_, entry| self.counts(entry, now));
            entries.swept = now;
        }
        let entries = &mut entries.by_key;
        match entries.get(&key) {
            Some(entry) if self.counts(entry, now) => return entry.run.clone(),
            // It must not take the room of another, and its end must not count for the new run.
            Some(_) => drop(entries.remove(&key)),
            None => {}
        }
        if entries.len() >= MOST {
            // What no longer counts goes before anything that does.
            let worth = |entry: &Entry<R>| {
                let has_ended = (self.ended)(&entry.run).is_some();
                (self.counts(entry, now), has_ended, entry.begun)
            };
            let least = entries.iter().min_by_key(|(_, entry)| worth(entry));
            if let Some(least) = least.map(|(key, _)| *key) {
                entries.remove(&least);
            }
        }
        let run = begin();
        let entry = Entry {
            begun: now,
            of,
            run: run.clone(),
        };
        entries.insert(key, entry);
        run
    }

    /// Returns the run of this key, if there is one.
    pub(super) fn find(&self, key: &Key, now: Timestamp) -> Option<R>
    where
        R: Clone,
    {
        let entries = self.lock();
        let entry = entries
            .by_key
            .get(key)
            .filter(|entry| self.counts(entry, now))?;
        Some(entry.run.clone())
    }

    /// Returns a run by its second key, with its first.
    pub(super) fn of(&self, of: Key, now: Timestamp) -> Option<(Key, R)>
    where
        R: Clone,
    {
        let entries = self.lock();
        let mut entries = entries.by_key.iter();
        let (key, entry) =
            entries.find(|(_, entry)| entry.of == Some(of) && self.counts(entry, now))?;
        Some((*key, entry.run.clone()))
    }

    /// Forgets the run of this key, if `is_meant` confirms it.
    pub(super) fn forget(&self, key: Key, is_meant: impl FnOnce(&R) -> bool) {
        let entries = &mut self.lock().by_key;
        if entries.get(&key).is_some_and(|entry| is_meant(&entry.run)) {
            entries.remove(&key);
        }
    }

    /// Says whether there is a run of this key.
    pub(super) fn knows(&self, key: &Key, now: Timestamp) -> bool {
        let entries = self.lock();
        entries
            .by_key
            .get(key)
            .is_some_and(|entry| self.counts(entry, now))
    }

    /// Says whether a run goes on, or has ended within the last minute.
    fn counts(&self, entry: &Entry<R>, now: Timestamp) -> bool {
        (self.ended)(&entry.run).is_none_or(|ended| now < ended + REMEMBERED)
    }

    fn lock(&self) -> MutexGuard<'_, Entries<R>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
