//! `MemoryThrottle`: counts in this process.
//!
//! - The crate `governor` does the rates' arithmetic (`cell_rate`). Its algorithm needs one number
//!   of state per key, which is kept here.
//! - One lock covers a whole decision of a few look-ups, so it is atomic. It is never held across
//!   an `.await`.
//! - A call that was held up on its way, such as by a form that arrives slowly, counts as one of
//!   the latest second. Only a call that is more than a minute older comes from a clock that was
//!   set back. Then a count is cut, so that nobody waits until the clock is where it was.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use self::cell_rate::{decide, nanos};
use super::{
    Charge, Charged, Rate, Take, Throttle, ThrottleKey,
    table::{Table, Weight},
};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    store::StoreError,
};

mod cell_rate;

const DEFAULT_MOST_KEYS: usize = 400_000;
/// The last second for rates. Nanoseconds in 64 bits reach the year 2554; this leaves room for a
/// refill.
const LAST_SECOND: u64 = 18_000_000_000;
/// How many seconds older than the latest a call may be. One that is older comes from a clock that
/// was set back.
const STEP: u64 = 60;

/// Counts in this process. Clones share what they count.
///
/// Each replica counts for itself: `n` replicas admit up to `n` times as much, and a restart begins
/// again. An application on several machines needs a shared store behind the [`Throttle`] port, and
/// may fall back on a `MemoryThrottle` while that store is away.
///
/// # Bounds
///
/// It remembers at most 400,000 keys of rates, and as many of tries;
/// [`MemoryThrottle::with_most_keys`] sets another number. A key takes 70 to 100 bytes, so each of
/// the two takes 40 MB when full, and up to 56 MB while it grows. A key is forgotten once it is
/// fully refilled, or its tries have ended. A full table evicts the key that would have been
/// forgotten first. Among rates it first evicts keys that had two requests or fewer counted when
/// they were last charged: of these, the key that is full again soonest.
///
/// # What a flood can do
///
/// A request that creates keys is charged to the layer-wide rate, and a refused request creates
/// none. Each key is forgotten as it refills. With the default [`Limits`](crate::throttle::Limits)
/// all clients together therefore hold about 300,000 keys at most. Links and codes that are tried
/// in the browser that asked for them are the exception, because no layer-wide rate limits them:
/// they may add about 65,000 if links last 15 minutes. If wider limits or longer links let a flood
/// reach the bound, keys with one or two requests counted against them evict each other before a
/// key that has more. To have such a key evicted, an attacker has to charge 400,000 others three
/// times first. Among tries, those that end first are evicted first.
///
/// ```
/// use tower_magic_link::throttle::MemoryThrottle;
///
/// let throttle = MemoryThrottle::default().with_most_keys(1_000_000);
/// let for_the_layer = throttle.clone();
/// assert_eq!(throttle.keys(), 0);
/// ```
#[derive(Clone)]
pub struct MemoryThrottle(Arc<Mutex<Counts>>);

struct Counts {
    /// When each key is fully refilled, in nanoseconds since 1970: the algorithm's theoretical
    /// arrival time.
    rates: Table<()>,
    /// How many tries each key has taken, and the second in which they end.
    tries: Table<u32>,
    /// The latest second that a call has named.
    latest: u64,
    /// Whether it counts what another store admits.
    records: bool,
    /// Room for the charges of one decision. It is empty in between.
    admitted: Vec<(ThrottleKey, (u64, Weight))>,
}

impl Counts {
    fn new(most: usize) -> Self {
        Self {
            rates: Table::new(most),
            tries: Table::new(most),
            latest: 0,
            records: false,
            admitted: Vec::new(),
        }
    }

    /// Notes the second of a call, and returns the one that it counts by: the latest, unless the
    /// clock was set back.
    fn second(&mut self, now: Timestamp) -> u64 {
        let now = now.as_secs();
        self.latest = self.latest.max(now);
        match self.is_set_back(now) {
            true => now,
            false => self.latest,
        }
    }

    /// Says whether a call of this second comes from a clock that was set back.
    const fn is_set_back(&self, second: u64) -> bool {
        second.saturating_add(STEP) < self.latest
    }
}

impl MemoryThrottle {
    /// Sets how many keys are remembered, for rates and for tries each: 1 or more. Default:
    /// 400,000. Forgets all counts.
    #[must_use]
    pub fn with_most_keys(self, most: usize) -> Self {
        *self.counts() = Counts::new(most);
        self
    }

    /// Returns how many keys are remembered, for rates and tries together.
    #[must_use]
    pub fn keys(&self) -> usize {
        let counts = self.counts();
        counts.rates.len() + counts.tries.len()
    }

    fn charge_now(&self, charges: &[Charge], now: Timestamp) -> Charged {
        let mut counts = self.counts();
        let counts = &mut *counts;
        let second = counts.second(now);
        let is_set_back = counts.is_set_back(second);
        let (now, at) = moment(second);
        let mut refused = None;
        counts.admitted.clear();
        for (by, charge) in charges.iter().enumerate() {
            let rate = charge.rate.clamped();
            let mut end = counts.rates.get(charge.key, at).map(|(end, ())| end);
            // If the clock was set back, or another store that began anew has admitted more, cap
            // the wait at one whole refill. Otherwise a count beyond it is that of a wider rate for
            // the same key, and a narrower one must not cut it.
            let last = nanos(now + rate.refill());
            if (is_set_back || counts.records) && end.is_some_and(|end| end > last) {
                counts.rates.put(charge.key, (last, Weight::Heavy), (), at);
                end = Some(last);
            }
            match decide(rate, end, now) {
                Ok(end) => {
                    let end = (end, weight(rate, end, at));
                    counts.admitted.push((charge.key, end));
                }
                Err(wait) if refused.is_none_or(|(_, longest)| wait > longest) => {
                    refused = Some((by, wait));
                }
                // No early return at a refusal: the caller is to hear the longest wait, and not the
                // first.
                Err(_) => {}
            }
        }
        if let Some((by, wait)) = refused {
            return Charged::Refused { by, wait };
        }
        // Only now, after every charge was admitted: a refusal must take nothing from any key.
        for (key, end) in counts.admitted.drain(..) {
            counts.rates.put(key, end, (), at);
        }
        Charged::Admitted
    }

    /// Counts what another store has admitted, whatever is counted here.
    #[cfg(feature = "redis")]
    pub(super) fn record(&self, charges: &[Charge], now: Timestamp) {
        let mut counts = self.counts();
        let (_, at) = moment(counts.second(now));
        counts.records = true;
        for charge in charges {
            let rate = charge.rate.clamped();
            let end = counts.rates.get(charge.key, at).map_or(at, |(end, ())| end);
            // Also past a whole refill, so that giving it back takes off what was put on.
            let end = end.saturating_add(nanos(rate.period()));
            let end = (end, weight(rate, end, at));
            counts.rates.put(charge.key, end, (), at);
        }
    }

    fn give_back_now(&self, charges: &[Charge], now: Timestamp) {
        let mut counts = self.counts();
        let (_, at) = moment(counts.second(now));
        for charge in charges {
            let rate = charge.rate.clamped();
            let Some((end, ())) = counts.rates.get(charge.key, at) else {
                continue;
            };
            // An end in the past is a full rate, and never more than that.
            match end.saturating_sub(nanos(rate.period())) {
                end if end > at => {
                    let end = (end, weight(rate, end, at));
                    counts.rates.put(charge.key, end, (), at);
                }
                _ => counts.rates.remove(charge.key),
            }
        }
    }

    fn take_try_now(&self, key: ThrottleKey, most: u32, until: Timestamp, now: Timestamp) -> Take {
        let mut counts = self.counts();
        let now = counts.second(now);
        // An end that is known is kept if it is later: a caller with a sooner one would begin the
        // tries afresh.
        let (known, taken) = counts.tries.get(key, now).unwrap_or((0, 0));
        let until = until.as_secs().max(known);
        if until <= now || taken >= most {
            return Take::Exhausted;
        }
        let until = (until, Weight::Light);
        counts.tries.put(key, until, taken + 1, now);
        Take::Taken {
            left: most - taken - 1,
        }
    }

    fn give_try_back_now(&self, key: ThrottleKey, now: Timestamp) {
        let mut counts = self.counts();
        let now = counts.second(now);
        match counts.tries.get(key, now) {
            Some((until, taken)) if taken > 1 => {
                let until = (until, Weight::Light);
                counts.tries.put(key, until, taken - 1, now);
            }
            _ => counts.tries.remove(key),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics under the lock. If something did, each table call would still leave whole
        // counts.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Throttle for MemoryThrottle {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        Ok(self.charge_now(charges, now))
    }

    async fn check(&self, _now: Timestamp) -> Vec<Line> {
        vec![check::in_memory()]
    }

    async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
        self.give_back_now(charges, now);
        Ok(())
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        Ok(self.take_try_now(key, most, until, now))
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.give_try_back_now(key, now);
        Ok(())
    }
}

impl Default for MemoryThrottle {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Counts::new(DEFAULT_MOST_KEYS))))
    }
}

impl fmt::Debug for MemoryThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryThrottle")
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}

/// Says how heavy the count of a key is that is fully refilled at `end`: whether more than two
/// requests are counted. A fresh key has one, and a rate of a short period may have many that are
/// over within seconds.
fn weight(rate: Rate, end: u64, at: u64) -> Weight {
    match end.saturating_sub(at) <= nanos(rate.period()).saturating_mul(2) {
        true => Weight::Light,
        false => Weight::Heavy,
    }
}

/// Returns a second as rates count it, since 1970, and the same in nanoseconds.
fn moment(second: u64) -> (Duration, u64) {
    let now = Duration::from_secs(second.min(LAST_SECOND));
    (now, nanos(now))
}

#[cfg(test)]
mod tests;
