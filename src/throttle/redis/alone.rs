//! `Alone`: what this process has counted without Redis, so that Redis never gives it back.
//!
//! - A unit is noted when memory alone has counted it: Redis was away, or its answer was late.
//! - A unit that is given back is first one of those. Redis then holds nothing for it, and what it
//!   holds for the key is another process's.
//! - A note is kept for as long as its unit can be given back.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    clock::Timestamp,
    throttle::{
        Charge, ThrottleKey,
        table::{Table, Weight},
    },
};

/// As many keys as a `MemoryThrottle` remembers.
const MOST_KEYS: usize = 400_000;

/// How many units of each key were counted without Redis.
pub(super) struct Alone(Mutex<Table<u32>>);

impl Alone {
    /// Notes one unit, which may be given back until a given time.
    pub(super) fn note(&self, key: ThrottleKey, until: Timestamp, now: Timestamp) {
        let (until, now) = (until.as_secs(), now.as_secs());
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, units) = notes.get(key, now).unwrap_or((0, 0));
        let until = (until.max(last), Weight::Light);
        notes.put(key, until, units.saturating_add(1), now);
    }

    /// Notes one unit of each rate.
    pub(super) fn note_charges(&self, charges: &[Charge], now: Timestamp) {
        for charge in charges {
            // After one period a unit has refilled by itself, and is not given back.
            let until = now + charge.rate().clamped().period() + Duration::from_secs(1);
            self.note(charge.key(), until, now);
        }
    }

    /// Takes one unit out of the notes. Returns whether there was one.
    pub(super) fn take(&self, key: ThrottleKey, now: Timestamp) -> bool {
        let now = now.as_secs();
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((until, units)) = notes.get(key, now) else {
            return false;
        };
        match units {
            0 | 1 => notes.remove(key),
            units => notes.put(key, (until, Weight::Light), units - 1, now),
        }
        true
    }
}

impl Default for Alone {
    fn default() -> Self {
        Self(Mutex::new(Table::new(MOST_KEYS)))
    }
}
