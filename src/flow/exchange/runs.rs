//! `Runs`: work by key, begun once for all callers that ask for it until a minute after its end.
//!
//! - Finding a run and beginning it are one step under one lock, so that of parallel callers only
//!   one begins.
//! - Forgetting a run removes that run only, never a newer one under the same key.
//! - A run is found until its own minute is over. A sweep looks at every entry while all callers
//!   wait, so there is at most one a second. Nothing else looks at more than a few in the long run,
//!   however many there are.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    iter,
    time::Duration,
};

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
    /// The keys of the runs that have each second key: one, and seldom more.
    by_second: HashMap<Key, (Key, Vec<Key>)>,
    /// The runs in the order in which they began. Some of them have ended since, and some are
    /// gone.
    going: VecDeque<Place>,
    /// Runs that have ended, in the same order. Some are gone.
    ended: VecDeque<Place>,
    /// The number of the last run.
    number: u64,
    swept: Timestamp,
}

struct Entry<R> {
    /// No other run has it, whatever its key.
    number: u64,
    /// A second key, under which it is found too.
    of: Option<Key>,
    run: R,
}

/// Where a run stands in the order of all.
struct Place {
    key: Key,
    number: u64,
}

impl<R> Runs<R> {
    pub(super) fn new(ended: fn(&R) -> Option<Timestamp>) -> Self {
        Self {
            entries: Mutex::new(Entries::new()),
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
            entries.sweep(now, |entry| self.counts(entry, now));
        }
        match entries.by_key.get(&key) {
            Some(entry) if self.counts(entry, now) => return entry.run.clone(),
            // It must not take the room of another, and its end must not count for the new run.
            Some(_) => entries.remove(&key),
            None => {}
        }
        if entries.by_key.len() >= MOST {
            entries.make_room(|run| (self.ended)(run).is_some());
        }
        let run = begin();
        entries.insert(key, of, run.clone());
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
        let (key, others) = entries.by_second.get(&of)?;
        let keys = iter::once(key).chain(others);
        let runs = keys.filter_map(|key| Some((*key, entries.by_key.get(key)?)));
        let counting = runs.filter(|(_, entry)| self.counts(entry, now));
        // What has ended has its answer. One that goes on may yet end in none.
        let found = counting.max_by_key(|(_, entry)| (self.ended)(&entry.run).is_some());
        found.map(|(key, entry)| (key, entry.run.clone()))
    }

    /// Forgets the run of this key, if `is_meant` confirms it.
    pub(super) fn forget(&self, key: Key, is_meant: impl FnOnce(&R) -> bool) {
        let mut entries = self.lock();
        let entry = entries.by_key.get(&key);
        if entry.is_some_and(|entry| is_meant(&entry.run)) {
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

impl<R> Entries<R> {
    fn new() -> Self {
        Self {
            by_key: HashMap::new(),
            by_second: HashMap::new(),
            going: VecDeque::new(),
            ended: VecDeque::new(),
            number: 0,
            swept: Timestamp::from_secs(0),
        }
    }

    fn insert(&mut self, key: Key, of: Option<Key>, run: R) {
        self.number += 1;
        let number = self.number;
        self.by_key.insert(key, Entry { number, of, run });
        // By a clock that stands still nothing is swept, and what is forgotten leaves its place.
        if self.going.len() + self.ended.len() >= 2 * MOST {
            self.drop_places();
        }
        self.going.push_back(Place { key, number });
        if let Some(of) = of {
            match self.by_second.entry(of) {
                hash_map::Entry::Occupied(mut known) => known.get_mut().1.push(key),
                hash_map::Entry::Vacant(none) => drop(none.insert((key, Vec::new()))),
            }
        }
    }

    /// Removes a run. Its place in the order stays until it is come to.
    fn remove(&mut self, key: &Key) {
        let of = self.by_key.remove(key).and_then(|entry| entry.of);
        if let Some(hash_map::Entry::Occupied(mut known)) = of.map(|of| self.by_second.entry(of))
            && !leave(known.get_mut(), |other| other != key)
        {
            known.remove();
        }
    }

    /// Removes all runs that do not count, and the places of all that are gone.
    fn sweep(&mut self, now: Timestamp, counts: impl Fn(&Entry<R>) -> bool) {
        self.swept = now;
        self.by_key.retain(|_, entry| counts(entry));
        if self.going.len() + self.ended.len() > self.by_key.len() {
            self.drop_places();
        }
    }

    /// Removes the places of all runs that are gone.
    fn drop_places(&mut self) {
        let by_key = &self.by_key;
        self.going.retain(|place| place.entry(by_key).is_some());
        self.ended.retain(|place| place.entry(by_key).is_some());
        self.by_second
            .retain(|_, keys| leave(keys, |key| by_key.contains_key(key)));
    }

    /// Removes the run that began first of those that go on, or of all if none does.
    fn make_room(&mut self, has_ended: impl Fn(&R) -> bool) {
        // A run is moved once at most, so that in the long run each call looks at a few.
        while let Some(place) = self.going.pop_front() {
            match place.entry(&self.by_key) {
                Some(entry) if has_ended(&entry.run) => self.ended.push_back(place),
                Some(_) => return self.remove(&place.key),
                None => {}
            }
        }
        while let Some(place) = self.ended.pop_front() {
            if place.entry(&self.by_key).is_some() {
                return self.remove(&place.key);
            }
        }
    }
}

/// Leaves those of some keys that are meant, and says whether any is.
fn leave((first, others): &mut (Key, Vec<Key>), is_meant: impl Fn(&Key) -> bool) -> bool {
    others.retain(&is_meant);
    if is_meant(first) {
        return true;
    }
    others.pop().map(|other| *first = other).is_some()
}

impl Place {
    /// Returns the run at this place, unless it is gone. Another may have its key by then.
    fn entry<'a, R>(&self, by_key: &'a HashMap<Key, Entry<R>>) -> Option<&'a Entry<R>> {
        let entry = by_key.get(&self.key)?;
        (entry.number == self.number).then_some(entry)
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
