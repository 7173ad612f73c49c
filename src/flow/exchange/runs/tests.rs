use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

/// When a run ended, and how often any of them was looked at.
#[derive(Clone)]
struct Run {
    ended: Option<Timestamp>,
    looks: Arc<AtomicUsize>,
}

struct Table {
    runs: Runs<Run>,
    looks: Arc<AtomicUsize>,
}

impl Table {
    fn new() -> Self {
        let ended = |run: &Run| {
            run.looks.fetch_add(1, Ordering::Relaxed);
            run.ended
        };
        Self {
            runs: Runs::new(ended),
            looks: Arc::default(),
        }
    }

    /// Joins a run that ends when it begins, unless there is one. Returns when it ended.
    fn join(&self, key: u64, now: u64) -> u64 {
        self.join_or_begin(key, Some(now), now).unwrap_or_default()
    }

    fn join_or_begin(&self, key: u64, ended: Option<u64>, now: u64) -> Option<u64> {
        self.join_as(key, None, ended, now)
    }

    fn join_as(&self, key: u64, of: Option<Key>, ended: Option<u64>, now: u64) -> Option<u64> {
        let begin = || Run {
            ended: ended.map(Timestamp::from_secs),
            looks: self.looks.clone(),
        };
        let now = Timestamp::from_secs(now);
        let run = self.runs.join(named(key), of, begin, now);
        run.ended.map(Timestamp::as_secs)
    }

    fn knows(&self, key: u64, now: u64) -> bool {
        self.runs.knows(&named(key), Timestamp::from_secs(now))
    }

    fn len(&self) -> usize {
        self.runs.lock().by_key.len()
    }
}

fn named(number: u64) -> Key {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// Each callback looked at everything that had ended within the minute: half a millisecond at
/// 10,000 entries.
#[test]
fn a_second_of_callbacks_looks_at_every_entry_once() {
    let table = Table::new();
    for key in 0..5_000 {
        table.join(key, 1_000);
    }
    table.looks.store(0, Ordering::Relaxed);
    for key in 5_000..5_100 {
        table.join(key, 1_001);
    }
    assert!(table.looks.load(Ordering::Relaxed) <= 5_100);
}

/// As many sign-ins in a minute as the table has room for are 170 in a second, each of which looked
/// at all of them.
#[test]
fn a_full_table_looks_at_a_few_entries_for_each_callback() {
    let table = Table::new();
    let most = u64::try_from(MOST).unwrap();
    for key in 0..=most {
        table.join(key, 1_000);
    }
    table.looks.store(0, Ordering::Relaxed);
    for key in most + 1..most + 1_001 {
        table.join(key, 1_000);
        assert!(!table.knows(key - most, 1_000), "the one that began first");
        assert!(table.knows(key - most + 1, 1_000));
    }
    assert!(table.looks.load(Ordering::Relaxed) <= 5_000);
    assert_eq!(table.len(), MOST);
}

#[test]
fn a_full_table_drops_what_goes_on_in_the_order_in_which_it_began() {
    let table = Table::new();
    let most = u64::try_from(MOST).unwrap();
    for key in 0..most {
        // Every tenth goes on.
        table.join_or_begin(key, (key % 10 != 0).then_some(1_000), 1_000);
    }
    for (number, going) in (0..most).step_by(10).enumerate() {
        assert!(table.knows(going, 1_000), "{going}");
        table.join(most + u64::try_from(number).unwrap(), 1_000);
        assert!(!table.knows(going, 1_000), "{going}");
        assert!(table.knows(going + 1, 1_000), "{going}");
    }
    table.join(2 * most, 1_000);
    assert!(!table.knows(1, 1_000), "none goes on");
    assert_eq!(table.len(), MOST);
}

#[test]
fn a_run_under_the_key_of_one_that_is_gone_has_a_place_of_its_own() {
    let table = Table::new();
    let most = u64::try_from(MOST).unwrap();
    table.join_or_begin(0, None, 1_000);
    for key in 1..most {
        table.join_or_begin(key, None, 1_000);
    }
    table.runs.forget(named(0), |_| true);
    table.join_or_begin(0, None, 1_000);
    table.join(most, 1_000);
    assert!(table.knows(0, 1_000), "it is the last");
    assert!(!table.knows(1, 1_000), "it is the first");
}

#[test]
fn the_places_of_what_is_gone_go_with_the_next_sweep() {
    let table = Table::new();
    for key in 0..100 {
        table.join(key, 1_000);
        table.runs.forget(named(key), |_| true);
    }
    table.join(100, 1_001);
    let entries = table.runs.lock();
    assert_eq!(entries.going.len() + entries.ended.len(), 1);
}

#[test]
fn places_are_bounded_although_the_clock_stands_still() {
    let table = Table::new();
    let most = u64::try_from(MOST).unwrap();
    table.join(0, 1_000);
    for key in 1..5 * most {
        table.join(key, 1_000);
        table.runs.forget(named(key), |_| true);
    }
    let entries = table.runs.lock();
    assert!(entries.going.len() + entries.ended.len() <= 2 * MOST);
    assert!(entries.by_key.contains_key(&named(0)));
}

#[test]
fn a_run_is_found_by_its_second_key_while_it_counts() {
    let table = Table::new();
    let (of, other) = (Some(named(77)), Some(named(78)));
    let found = |now| {
        let found = table.runs.of(named(77), Timestamp::from_secs(now));
        found.map(|(key, run)| (key, run.ended.is_some()))
    };
    assert_eq!(found(1_000), None);
    table.join_as(1, of, None, 1_000);
    table.join_as(2, other, Some(1_000), 1_000);
    assert_eq!(found(1_000), Some((named(1), false)));
    // What has ended goes before what goes on, whichever began first.
    table.join_as(3, of, Some(1_001), 1_001);
    table.join_as(4, of, None, 1_002);
    assert_eq!(found(1_002), Some((named(3), true)));
    assert_eq!(found(1_061).map(|(_, ended)| ended), Some(false));
    for key in [1, 4] {
        table.runs.forget(named(key), |_| true);
    }
    assert_eq!(found(1_060), Some((named(3), true)));
    table.join_as(5, None, None, 1_061);
    assert_eq!(found(1_061), None, "it was swept up");
    assert_eq!(table.runs.lock().by_second.len(), 0);
    table.join_as(6, of, None, 1_062);
    assert_eq!(found(1_062), Some((named(6), false)));
    table.runs.forget(named(6), |_| true);
    assert_eq!(table.runs.lock().by_second.len(), 0);
}

#[test]
fn a_run_is_shared_until_its_own_minute_is_over_whenever_the_last_sweep_was() {
    let table = Table::new();
    assert_eq!(table.join(1, 1_000), 1_000);
    table.join(2, 1_059);
    assert_eq!(table.join(1, 1_059), 1_000, "the last second of its minute");
    table.runs.lock().swept = Timestamp::from_secs(1_060);
    assert!(!table.knows(1, 1_060));
    assert_eq!(table.join(1, 1_060), 1_060, "a new one, though none swept");
    assert_eq!(table.len(), 2);
}

#[test]
fn what_is_over_is_swept_up_in_the_next_second() {
    let table = Table::new();
    for key in 0..100 {
        table.join(key, 1_000);
    }
    table.join(200, 1_060);
    assert_eq!(table.len(), 1);
}

#[test]
fn a_full_table_drops_what_is_over_then_what_goes_on_then_what_has_ended() {
    let table = Table::new();
    let most = u64::try_from(MOST).unwrap();
    assert_eq!(table.join_or_begin(0, None, 1_000), None, "it goes on");
    table.join(1, 1_001);
    for key in 2..most {
        table.join(key, 1_010);
    }
    table.join(most, 1_061);
    assert!(table.knows(0, 1_061), "it counts, and key 1 does not");
    table.join(most + 1, 1_061);
    assert!(!table.knows(0, 1_061), "it has not ended");
    assert_eq!(table.len(), MOST);
    table.join(most + 2, 1_061);
    assert!(table.knows(most + 2, 1_061));
    assert_eq!(table.len(), MOST);
}
