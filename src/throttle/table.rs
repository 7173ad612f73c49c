//! `Table`: counts by key, up to a maximum number of keys.
//!
//! - Each count expires at its own moment. Each insertion drops up to two expired counts, so that
//!   the table drains and no request sweeps all of it.
//! - A count is light or heavy. A full table drops the light one that expires first, and a heavy
//!   one only if there is no light one. A flood of fresh keys, with one request each, therefore
//!   evicts its own keys before a key with many, even if that one expires sooner.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
};

use super::{ThrottleKey, hashing::ByKey};

/// How much is lost if a count is dropped before it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Heavy,
    Light,
}

/// Keys in the order in which their counts expire.
type Ends = BTreeSet<(u64, ThrottleKey)>;

/// Counts by key. A moment is a number in the caller's unit of time.
#[derive(Debug)]
pub(super) struct Table<V> {
    most: usize,
    counts: HashMap<ThrottleKey, (u64, V), ByKey>,
    /// Each key stands in one of these two.
    light: Ends,
    heavy: Ends,
}

impl<V: Copy> Table<V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            counts: HashMap::default(),
            light: Ends::new(),
            heavy: Ends::new(),
        }
    }

    /// Inserts a count that expires at `end`, in place of the key's last one.
    pub(super) fn put(
        &mut self,
        key: ThrottleKey,
        (end, weight): (u64, Weight),
        count: V,
        now: u64,
    ) {
        // If the first of each is not over, none is.
        let is_over = |first| first <= now;
        if self.drop_first(is_over) {
            self.drop_first(is_over);
        }
        if let Some(known) = self.counts.get_mut(&key) {
            let (before, _) = mem::replace(known, (end, count));
            self.forget_end(before, key);
        } else {
            if self.counts.len() >= self.most {
                self.drop_first(|_| true);
            }
            self.counts.insert(key, (end, count));
        }
        match weight {
            Weight::Heavy => self.heavy.insert((end, key)),
            Weight::Light => self.light.insert((end, key)),
        };
    }

    pub(super) fn remove(&mut self, key: ThrottleKey) {
        if let Some((end, _)) = self.counts.remove(&key) {
            self.forget_end(end, key);
        }
    }

    /// Returns a key's count and its end, unless it has expired by `now`.
    pub(super) fn get(&self, key: ThrottleKey, now: u64) -> Option<(u64, V)> {
        self.counts.get(&key).copied().filter(|(end, _)| *end > now)
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Drops the light count that expires first, or else the heavy one, if that is meant. Says
    /// whether it did.
    fn drop_first(&mut self, is_dropped: impl Fn(u64) -> bool) -> bool {
        for ends in [&mut self.light, &mut self.heavy] {
            let first = ends.first().copied();
            if let Some((end, key)) = first.filter(|(end, _)| is_dropped(*end)) {
                ends.remove(&(end, key));
                self.counts.remove(&key);
                return true;
            }
        }
        false
    }

    /// Takes a key out of the order that it stands in. The weight is not kept with the count, where
    /// it would take 8 bytes of each key.
    fn forget_end(&mut self, end: u64, key: ThrottleKey) {
        if !self.light.remove(&(end, key)) {
            self.heavy.remove(&(end, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Weight::{Heavy, Light},
        *,
    };

    fn key(number: u32) -> ThrottleKey {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ThrottleKey::from_bytes(bytes)
    }

    #[test]
    fn a_full_table_drops_what_is_over_and_then_what_is_over_first() {
        let mut table = Table::new(3);
        table.put(key(1), (100, Light), 'a', 0);
        table.put(key(2), (10, Light), 'b', 0);
        table.put(key(3), (50, Light), 'c', 0);
        table.put(key(4), (60, Light), 'd', 5);
        assert_eq!(table.get(key(2), 5), None, "it was over first");
        table.put(key(5), (70, Light), 'e', 60);
        assert_eq!(table.len(), 2, "two were over");
        assert_eq!(table.get(key(1), 60), Some((100, 'a')));
        assert_eq!(table.get(key(5), 60), Some((70, 'e')));
    }

    #[test]
    fn a_key_has_one_count_and_its_last_end() {
        let mut table = Table::new(2);
        table.put(key(1), (10, Light), 1, 0);
        table.put(key(1), (20, Heavy), 2, 0);
        table.put(key(2), (15, Light), 1, 0);
        let kept = |table: &Table<i32>| (table.len(), table.light.len(), table.heavy.len());
        assert_eq!(kept(&table), (2, 1, 1));
        assert_eq!(table.get(key(1), 19), Some((20, 2)));
        assert_eq!(table.get(key(1), 20), None);
        table.put(key(1), (20, Light), 1, 0);
        assert_eq!(kept(&table), (2, 2, 0), "of the same end, and lighter");
        table.remove(key(1));
        assert_eq!(kept(&table), (1, 1, 0));
        table.put(key(2), (15, Heavy), 2, 0);
        table.remove(key(2));
        assert_eq!(kept(&table), (0, 0, 0));
    }

    /// Pins: the key that expired first was dropped, however much was counted against it.
    #[test]
    fn a_full_table_drops_a_heavy_count_only_if_it_has_no_light_one() {
        let mut table = Table::new(3);
        table.put(key(1), (10, Heavy), 'a', 0);
        table.put(key(2), (20, Heavy), 'b', 0);
        for number in 3..1_000 {
            table.put(key(number), (900, Light), 'c', 0);
        }
        assert_eq!(table.get(key(1), 0), Some((10, 'a')));
        assert_eq!(table.get(key(2), 0), Some((20, 'b')));
        // This one takes the place of the last light one, so that all are heavy.
        table.put(key(1_000), (30, Heavy), 'd', 0);
        table.put(key(1_001), (900, Light), 'e', 0);
        assert_eq!(table.get(key(1), 0), None, "of the heavy, it ends first");
        assert_eq!(table.get(key(2), 0), Some((20, 'b')));
        assert_eq!(table.len(), 3);
        // What is over is dropped whatever it weighs, two at a time.
        table.put(key(1_002), (990, Light), 'f', 950);
        assert_eq!((table.len(), table.heavy.len()), (2, 1));
        table.put(key(1_003), (990, Light), 'g', 950);
        assert_eq!((table.len(), table.heavy.len()), (2, 0));
    }

    #[test]
    fn what_is_over_drains_although_no_request_sweeps() {
        let mut table = Table::new(100_000);
        for number in 0..10_000 {
            let weight = if number % 2 == 0 { Light } else { Heavy };
            table.put(key(number), (10, weight), (), 0);
        }
        for number in 0..10_000 {
            table.put(key(number + 1_000_000), (30, Light), (), 20);
        }
        assert_eq!(table.len(), 10_000);
    }
}
