//! `Table`: counts by key, up to a maximum number of keys.
//!
//! - Each count expires at its own moment. Each insertion drops up to two expired counts, so that
//!   the table drains and no request sweeps all of it.
//! - A full table drops the count that expires first. A flood of fresh keys, with one request each,
//!   therefore evicts its own keys before a key with many.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
};

use super::{ThrottleKey, hashing::ByKey};

/// Counts by key. A moment is a number in the caller's unit of time.
#[derive(Debug)]
pub(super) struct Table<V> {
    most: usize,
    counts: HashMap<ThrottleKey, (u64, V), ByKey>,
    /// The same keys, in the order in which they expire.
    ends: BTreeSet<(u64, ThrottleKey)>,
}

impl<V: Copy> Table<V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            counts: HashMap::default(),
            ends: BTreeSet::new(),
        }
    }

    /// Inserts a count that expires at `end`, in place of the key's last one.
    pub(super) fn put(&mut self, key: ThrottleKey, end: u64, count: V, now: u64) {
        // If the first is not over, none is.
        let is_over = |first| first <= now;
        if self.drop_first(is_over) {
            self.drop_first(is_over);
        }
        if let Some(known) = self.counts.get_mut(&key) {
            let (before, _) = mem::replace(known, (end, count));
            self.ends.remove(&(before, key));
        } else {
            if self.counts.len() >= self.most {
                self.drop_first(|_| true);
            }
            self.counts.insert(key, (end, count));
        }
        self.ends.insert((end, key));
    }

    pub(super) fn remove(&mut self, key: ThrottleKey) {
        if let Some((end, _)) = self.counts.remove(&key) {
            self.ends.remove(&(end, key));
        }
    }

    /// Returns a key's count and its end, unless it has expired by `now`.
    pub(super) fn get(&self, key: ThrottleKey, now: u64) -> Option<(u64, V)> {
        self.counts.get(&key).copied().filter(|(end, _)| *end > now)
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Drops the count that expires first, if that is meant, and says whether it did.
    fn drop_first(&mut self, is_dropped: impl Fn(u64) -> bool) -> bool {
        let first = self.ends.first().copied();
        let Some((end, key)) = first.filter(|(end, _)| is_dropped(*end)) else {
            return false;
        };
        self.ends.remove(&(end, key));
        self.counts.remove(&key);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> ThrottleKey {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ThrottleKey::from_bytes(bytes)
    }

    #[test]
    fn a_full_table_drops_what_is_over_and_then_what_is_over_first() {
        let mut table = Table::new(3);
        table.put(key(1), 100, 'a', 0);
        table.put(key(2), 10, 'b', 0);
        table.put(key(3), 50, 'c', 0);
        table.put(key(4), 60, 'd', 5);
        assert_eq!(table.get(key(2), 5), None, "it was over first");
        table.put(key(5), 70, 'e', 60);
        assert_eq!(table.len(), 2, "two were over");
        assert_eq!(table.get(key(1), 60), Some((100, 'a')));
        assert_eq!(table.get(key(5), 60), Some((70, 'e')));
    }

    #[test]
    fn a_key_has_one_count_and_its_last_end() {
        let mut table = Table::new(2);
        table.put(key(1), 10, 1, 0);
        table.put(key(1), 20, 2, 0);
        table.put(key(2), 15, 1, 0);
        assert_eq!((table.len(), table.ends.len()), (2, 2));
        assert_eq!(table.get(key(1), 19), Some((20, 2)));
        assert_eq!(table.get(key(1), 20), None);
        table.remove(key(1));
        assert_eq!((table.len(), table.ends.len()), (1, 1));
    }

    #[test]
    fn what_is_over_drains_although_no_request_sweeps() {
        let mut table = Table::new(100_000);
        for number in 0..10_000 {
            table.put(key(number), 10, (), 0);
        }
        for number in 0..10_000 {
            table.put(key(number + 1_000_000), 30, (), 20);
        }
        assert_eq!(table.len(), 10_000);
    }
}
