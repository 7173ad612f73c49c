//! `Runs`: work by key, begun once for all callers that ask for it until a minute after its end.
//!
//! - Finding a run and beginning it are one step under one lock, so that of parallel callers only
//!   one begins.
//! - Forgetting a run removes that run only, never a newer one under the same key.

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
    entries: Mutex<HashMap<Key, Entry<R>>>,
    /// Returns when a run ended, or `None` while it goes on.
    ended: fn(&R) -> Option<Timestamp>,
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
            entries: Mutex::new(HashMap::new()),
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
        // Old entries go here, so that no task has to sweep them.
        entries.retain(|_, entry| self.counts(entry, now));
        if let Some(entry) = entries.get(&key) {
            return entry.run.clone();
        }
        if entries.len() >= MOST {
            let worth = |entry: &Entry<R>| ((self.ended)(&entry.run).is_some(), entry.begun);
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
        let entry = entries.get(key).filter(|entry| self.counts(entry, now))?;
        Some(entry.run.clone())
    }

    /// Returns a run by its second key, with its first.
    pub(super) fn of(&self, of: Key, now: Timestamp) -> Option<(Key, R)>
    where
        R: Clone,
    {
        let entries = self.lock();
        let mut entries = entries.iter();
        let (key, entry) =
            entries.find(|(_, entry)| entry.of == Some(of) && self.counts(entry, now))?;
        Some((*key, entry.run.clone()))
    }

    /// Forgets the run of this key, if `is_meant` confirms it.
    pub(super) fn forget(&self, key: Key, is_meant: impl FnOnce(&R) -> bool) {
        let mut entries = self.lock();
        if entries.get(&key).is_some_and(|entry| is_meant(&entry.run)) {
            entries.remove(&key);
        }
    }

    /// Says whether there is a run of this key.
    pub(super) fn knows(&self, key: &Key, now: Timestamp) -> bool {
        let entries = self.lock();
        entries
            .get(key)
            .is_some_and(|entry| self.counts(entry, now))
    }

    /// Says whether a run goes on, or has ended within the last minute.
    fn counts(&self, entry: &Entry<R>, now: Timestamp) -> bool {
        (self.ended)(&entry.run).is_none_or(|ended| now < ended + REMEMBERED)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry<R>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod models;
