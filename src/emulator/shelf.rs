//! `Shelf`: a bounded map of things that expire.
//!
//! - An expired thing is not found, even if it is not removed yet.
//! - Past the limit the oldest is removed first.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

use crate::clock::Timestamp;

/// How many things a shelf holds: 256 MiB in the worst case, as requests have at most 64 KiB.
const LIMIT: usize = 4_096;

pub(super) struct Shelf<T> {
    things: HashMap<String, (Timestamp, T)>,
    /// The keys in order of arrival, including those that were taken since.
    order: VecDeque<String>,
}

impl<T> Shelf<T> {
    /// Inserts a thing under a key that was never used before.
    pub(super) fn put(&mut self, key: String, thing: T, until: Timestamp, now: Timestamp) {
        self.order.push_back(key.clone());
        self.things.insert(key, (until, thing));
        // Stops at the first valid thing, so that a `put` costs constant time on average. What has
        // expired behind it stays until its turn.
        while let Some(oldest) = self.order.front() {
            let is_good = self
                .things
                .get(oldest)
                .is_some_and(|(until, _)| now < *until);
            if is_good && self.order.len() <= LIMIT {
                return;
            }
            self.things.remove(oldest);
            self.order.pop_front();
        }
    }

    /// Removes a thing, and returns it if it is still valid.
    pub(super) fn take(&mut self, key: &str, now: Timestamp) -> Option<T> {
        // Its key stays in `order` until its turn. Removing it there would cost a search.
        let (until, thing) = self.things.remove(key)?;
        (now < until).then_some(thing)
    }

    pub(super) fn find(&self, key: &str, now: Timestamp) -> Option<&T> {
        let (until, thing) = self.things.get(key)?;
        (now < *until).then_some(thing)
    }

    pub(super) fn find_mut(&mut self, key: &str, now: Timestamp) -> Option<&mut T> {
        let (until, thing) = self.things.get_mut(key)?;
        (now < *until).then_some(thing)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            things: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("things", &self.things.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_thing_is_found_until_the_second_it_expires() {
        let mut shelf = Shelf::default();
        shelf.put("a".to_owned(), 1, at(10), at(0));
        assert_eq!(shelf.find("a", at(9)), Some(&1));
        assert_eq!(shelf.find_mut("a", at(9)), Some(&mut 1));
        assert_eq!(shelf.find("a", at(10)), None);
        assert_eq!(shelf.find_mut("a", at(10)), None);
        assert_eq!(shelf.take("a", at(10)), None);
    }

    #[test]
    fn a_thing_is_taken_once() {
        let mut shelf = Shelf::default();
        shelf.put("a".to_owned(), 1, at(10), at(0));
        assert_eq!(shelf.take("a", at(9)), Some(1));
        assert_eq!(shelf.take("a", at(9)), None);
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut shelf = Shelf::default();
        for n in 0..100 {
            shelf.put(n.to_string(), n, at(n + 10), at(n));
        }
        assert!(shelf.things.len() <= 10, "{}", shelf.things.len());
        assert!(shelf.order.len() <= 10, "{}", shelf.order.len());
    }

    #[test]
    fn past_the_limit_the_oldest_is_forgotten_first() {
        let mut shelf = Shelf::default();
        for n in 0..=LIMIT {
            shelf.put(n.to_string(), n, at(10), at(0));
        }
        assert_eq!((shelf.things.len(), shelf.order.len()), (LIMIT, LIMIT));
        assert_eq!(shelf.find("0", at(0)), None);
        assert_eq!(shelf.find(&LIMIT.to_string(), at(0)), Some(&LIMIT));
    }

    #[test]
    fn what_was_taken_leaves_nothing_behind() {
        let mut shelf = Shelf::default();
        for n in 0..1_000 {
            shelf.put(n.to_string(), n, at(10), at(0));
            shelf.take(&n.to_string(), at(0));
        }
        assert!(shelf.order.len() <= 1, "{}", shelf.order.len());
    }
}
