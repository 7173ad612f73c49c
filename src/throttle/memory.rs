//! `MemoryThrottle`: counts in this process.
//!
//! - The crate `governor` does the rates' arithmetic. Its generic cell rate algorithm needs one
//!   number of state per key. The state is kept here, and the time is an argument: `governor` reads
//!   no clock.
//! - One lock covers a whole decision of a few look-ups, so it is atomic. It is never held across
//!   an `.await`.

use std::{
    cell::Cell,
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, direct::NotKeyed},
};

use super::{Charge, Charged, Rate, Take, Throttle, ThrottleKey, table::Table};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    store::StoreError,
};

const DEFAULT_MOST_KEYS: usize = 400_000;
/// The last second for rates. Nanoseconds in 64 bits reach the year 2554; this leaves room for a
/// refill.
const LAST_SECOND: u64 = 18_000_000_000;

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
/// forgotten first. Among rates that is the key that is full again soonest.
///
/// # What a flood can do
///
/// A request that creates keys is charged to the layer-wide rate, and a refused request creates
/// none. Each key is forgotten as it refills. With the default [`Limits`](crate::throttle::Limits)
/// all clients together therefore hold about 300,000 keys at most. Links and codes that are tried
/// in the browser that asked for them are the exception, because no layer-wide rate limits them:
/// they may add about 65,000 if links last 15 minutes. If wider limits or longer links let a flood
/// reach the bound, fresh keys evict each other before a key that has more counted against it. To
/// have an exhausted key evicted, an attacker has to exhaust 400,000 others first.
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
    /// Room for the charges of one decision. It is empty in between.
    admitted: Vec<(ThrottleKey, u64)>,
}

impl Counts {
    fn new(most: usize) -> Self {
        Self {
            rates: Table::new(most),
            tries: Table::new(most),
            admitted: Vec::new(),
        }
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
        let now = Duration::from_secs(now.as_secs().min(LAST_SECOND));
        let at = nanos(now);
        let mut counts = self.counts();
        let mut refused = None;
        let counts = &mut *counts;
        counts.admitted.clear();
        for (by, charge) in charges.iter().enumerate() {
            let rate = charge.rate.clamped();
            let mut end = counts.rates.get(charge.key, at).map(|(end, ())| end);
            // If the clock was set back, or the rate became shorter, cap the wait at one whole
            // refill.
            let last = nanos(now + rate.refill());
            if end.is_some_and(|end| end > last) {
                counts.rates.put(charge.key, last, (), at);
                end = Some(last);
            }
            match decide(rate, end, now) {
                Ok(end) => counts.admitted.push((charge.key, end)),
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
        let at = nanos(Duration::from_secs(now.as_secs().min(LAST_SECOND)));
        let mut counts = self.counts();
        for charge in charges {
            let end = counts.rates.get(charge.key, at).map_or(at, |(end, ())| end);
            let period = nanos(charge.rate.clamped().period());
            // Also past a whole refill, so that giving it back takes off what was put on.
            let end = end.saturating_add(period);
            counts.rates.put(charge.key, end, (), at);
        }
    }

    fn give_back_now(&self, charges: &[Charge], now: Timestamp) {
        let at = nanos(Duration::from_secs(now.as_secs().min(LAST_SECOND)));
        let mut counts = self.counts();
        for charge in charges {
            let Some((end, ())) = counts.rates.get(charge.key, at) else {
                continue;
            };
            // An end in the past is a full rate, and never more than that.
            match end.saturating_sub(nanos(charge.rate.clamped().period())) {
                end if end > at => counts.rates.put(charge.key, end, (), at),
                _ => counts.rates.remove(charge.key),
            }
        }
    }

    fn take_try_now(&self, key: ThrottleKey, most: u32, until: Timestamp, now: Timestamp) -> Take {
        let now = now.as_secs();
        let mut counts = self.counts();
        // An end that is known is kept if it is later: a caller with a sooner one would begin the
        // tries afresh.
        let (known, taken) = counts.tries.get(key, now).unwrap_or((0, 0));
        let until = until.as_secs().max(known);
        if until <= now || taken >= most {
            return Take::Exhausted;
        }
        counts.tries.put(key, until, taken + 1, now);
        Take::Taken {
            left: most - taken - 1,
        }
    }

    fn give_try_back_now(&self, key: ThrottleKey, now: Timestamp) {
        let now = now.as_secs();
        let mut counts = self.counts();
        match counts.tries.get(key, now) {
            Some((until, taken)) if taken > 1 => counts.tries.put(key, until, taken - 1, now),
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

/// One key's state, as `governor` reads it, and the next state that it writes.
struct Slot {
    end: Option<u64>,
    next: Cell<Option<u64>>,
}

impl StateStore for Slot {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = decide(self.end.map(Nanos::from))?;
        self.next.set(Some(next.as_u64()));
        Ok(outcome)
    }
}

/// The moment of one decision, as `governor` reads it. Its own clock for tests takes an allocation.
struct Moment(Cell<Nanos>);

impl Clock for Moment {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get()
    }
}

/// Returns when the key is fully refilled after one more charge, or how long that charge has to
/// wait.
fn decide(rate: Rate, end: Option<u64>, now: Duration) -> Result<u64, Duration> {
    let Some(quota) = Quota::with_period(rate.period()) else {
        return Ok(nanos(now));
    };
    let quota = quota.allow_burst(NonZeroU32::new(rate.burst()).unwrap_or(NonZeroU32::MIN));
    let slot = Slot {
        end,
        next: Cell::new(None),
    };
    // `governor` counts time from the limiter's creation: this one is created in 1970.
    let clock = Moment(Cell::new(Nanos::from(0)));
    let limiter: RateLimiter<_, _, _, NoOpMiddleware<Nanos>> = RateLimiter::new(quota, slot, clock);
    limiter.clock().0.set(Nanos::from(nanos(now)));
    match limiter.check() {
        Ok(()) => Ok(limiter.into_state_store().next.get().unwrap_or_default()),
        Err(not_until) => Err(not_until.wait_time_from(limiter.clock().now())),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
