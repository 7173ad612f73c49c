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
        let begin = || Run {
            ended: ended.map(Timestamp::from_secs),
            looks: self.looks.clone(),
        };
        let now = Timestamp::from_secs(now);
        let run = self.runs.join(named(key), None, begin, now);
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
    // Key 1 is over, and no sweep has seen that.
    table.runs.lock().swept = Timestamp::from_secs(1_061);
    table.join(most, 1_061);
    assert!(table.knows(0, 1_061), "it counts, and key 1 does not");
    table.join(most + 1, 1_061);
    assert!(!table.knows(0, 1_061), "it has not ended");
    assert_eq!(table.len(), MOST);
    table.join(most + 2, 1_061);
    assert!(table.knows(most + 2, 1_061));
    assert_eq!(table.len(), MOST);
}
