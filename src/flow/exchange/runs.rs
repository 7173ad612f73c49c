//! `Runs`: what runs or ran a moment ago, by key, so that it is begun once for however many ask for
//! it.
//!
//! - Looking for a run and beginning it are one step: of callers that ask at once, one begins.
//! - Who forgets a run forgets that one, never another that has taken its place since.

use std::{collections::HashMap, time::Duration};

use super::sync::{Mutex, MutexGuard, PoisonError};
use crate::clock::Timestamp;

/// How long a run is shared.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Beyond this one is forgotten: 10,000 sign-ins within a minute on one replica. Those that are not
/// done go first: whoever begins many and waits for none pushes out nobody's session of the last
/// minute.
const MOST: usize = 10_000;

pub(super) type Key = [u8; 32];

pub(super) struct Runs<R> {
    entries: Mutex<HashMap<Key, Entry<R>>>,
    is_done: fn(&R) -> bool,
}

struct Entry<R> {
    begun: Timestamp,
    /// What else it is known by.
    of: Option<Key>,
    run: R,
}

impl<R> Runs<R> {
    pub(super) fn new(is_done: fn(&R) -> bool) -> Self {
        Self {
            entries: Mutex::new(HashMap::new()),
            is_done,
        }
    }

    /// Returns the run of this key; begins one if there is none.
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
        entries.retain(|_, entry| entry.counts(now));
        if let Some(entry) = entries.get(&key) {
            return entry.run.clone();
        }
        if entries.len() >= MOST {
            let worth = |entry: &Entry<R>| ((self.is_done)(&entry.run), entry.begun);
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

    /// Returns a run that is known by this beside its key.
    pub(super) fn of(&self, of: Key, now: Timestamp) -> Option<(Key, R)>
    where
        R: Clone,
    {
        let entries = self.lock();
        let mut entries = entries.iter();
        let (key, entry) = entries.find(|(_, entry)| entry.of == Some(of) && entry.counts(now))?;
        Some((*key, entry.run.clone()))
    }

    /// Forgets the run of this key, if it is the one that is meant.
    pub(super) fn forget(&self, key: Key, is_meant: impl FnOnce(&R) -> bool) {
        let mut entries = self.lock();
        if entries.get(&key).is_some_and(|entry| is_meant(&entry.run)) {
            entries.remove(&key);
        }
    }

    /// Says whether there is a run of this key.
    pub(super) fn knows(&self, key: &Key, now: Timestamp) -> bool {
        let entries = self.lock();
        entries.get(key).is_some_and(|entry| entry.counts(now))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry<R>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Entry<R> {
    fn counts(&self, now: Timestamp) -> bool {
        now < self.begun + REMEMBERED
    }
}

#[cfg(all(test, loom))]
mod models;
