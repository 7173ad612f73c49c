//! `MemoryThrottle`: counts in this process.
//!
//! - The rates' arithmetic is the crate `governor`'s: the generic cell rate algorithm, whose whole
//!   state is one number per key. The state is kept here, and the time is handed in: `governor`
//!   reads no clock.
//! - One lock around a look-up or four; it is never held across an `.await`.

use std::{
    cell::Cell,
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, FakeRelativeClock},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, direct::NotKeyed},
};

use super::{Charge, Charged, Rate, Take, Throttle, ThrottleKey, table::Table};
use crate::{clock::Timestamp, store::StoreError};

const DEFAULT_MOST_KEYS: usize = 100_000;
/// The last second that rates tell apart: nanoseconds in 64 bits reach to the year 2554, with room
/// for a rate's refill.
const LAST_SECOND: u64 = 18_000_000_000;

/// Counts in this process. Clones share what they count.
///
/// Another replica counts for itself, so that `n` replicas admit up to `n` times as much, and a
/// restart begins afresh: an application on several machines needs a shared store behind the
/// [`Throttle`] port, and may keep one of these for when that is not there.
///
/// # Bounds
///
/// It remembers at most 100,000 keys of rates, and as many of tries;
/// [`MemoryThrottle::with_most_keys`] sets another number. A key takes 70 to 100 bytes, so that
/// either is 10 MB when it is full, and up to 14 MB while it grows. A key is forgotten once it is
/// fully refilled, or its tries have ended. When there are more, the key goes that would have been
/// forgotten first: of rates that is the one with the least counted against it.
///
/// # What a flood can do
///
/// Whoever makes keys is counted by the layer's rate for everybody, and what is refused makes none.
/// With the default [`Limits`](crate::throttle::Limits) all that everybody together may do is fewer
/// than 50,000 keys at any moment, since each is forgotten as it refills: no flood reaches the
/// bound. Where wider limits let one reach it, fresh keys push each other out before a key that has
/// more counted against it; an attacker who wants a full key forgotten has to fill 100,000 others
/// as full first.
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
    /// How many tries each key has taken, and in which second they end.
    tries: Table<u32>,
}

impl Counts {
    fn new(most: usize) -> Self {
        Self {
            rates: Table::new(most),
            tries: Table::new(most),
        }
    }
}

impl MemoryThrottle {
    /// Sets how many keys are remembered, of rates and of tries each: 1 or more. Default: 100,000.
    /// Forgets what was counted.
    #[must_use]
    pub fn with_most_keys(self, most: usize) -> Self {
        *self.counts() = Counts::new(most);
        self
    }

    /// Returns how many keys are remembered, of rates and of tries together.
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
        let mut ends = Vec::with_capacity(charges.len());
        for (by, charge) in charges.iter().enumerate() {
            let rate = charge.rate.clamped();
            let mut end = counts.rates.get(charge.key, at).map(|(end, ())| end);
            // A clock that was set back, or a rate that became shorter, keeps nobody waiting for
            // longer than a whole refill.
            let last = nanos(now + rate.refill());
            if end.is_some_and(|end| end > last) {
                counts.rates.put(charge.key, last, (), at);
                end = Some(last);
            }
            match decide(rate, end, now) {
                Ok(end) => ends.push((charge.key, end)),
                Err(wait) if refused.is_none_or(|(_, longest)| wait > longest) => {
                    refused = Some((by, wait));
                }
                Err(_) => {}
            }
        }
        if let Some((by, wait)) = refused {
            return Charged::Refused { by, wait };
        }
        for (key, end) in ends {
            counts.rates.put(key, end, (), at);
        }
        Charged::Admitted
    }

    fn take_try_now(&self, key: ThrottleKey, most: u32, until: Timestamp, now: Timestamp) -> Take {
        let now = now.as_secs();
        let mut counts = self.counts();
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
        // Nothing panics under the lock; were it to, a count is whole before and after each call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Throttle for MemoryThrottle {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        Ok(self.charge_now(charges, now))
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

/// What `governor` reads a key's state from, and writes the next one to.
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

/// Returns when the key is fully refilled if one more is taken from it, or how long that has to
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
    // `governor` counts time from when a limiter was made: this one is made in 1970.
    let limiter: RateLimiter<_, _, _, NoOpMiddleware<Nanos>> =
        RateLimiter::new(quota, slot, FakeRelativeClock::default());
    limiter.clock().advance(now);
    match limiter.check() {
        Ok(()) => Ok(limiter.into_state_store().next.get().unwrap_or_default()),
        Err(not_until) => Err(not_until.wait_time_from(limiter.clock().now())),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_767_268_800);
    const THREE: Rate = Rate::new(3, Duration::from_secs(180));

    fn key(number: u64) -> ThrottleKey {
        let mut bytes = [7; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        ThrottleKey::from_bytes(bytes)
    }

    fn charge(number: u64, rate: Rate) -> Charge {
        Charge::new(key(number), rate)
    }

    fn after(seconds: u64) -> Timestamp {
        NOON + Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_refused_makes_no_key() {
        let throttle = MemoryThrottle::default();
        let one = Rate::new(1, Duration::from_secs(10));
        let slow = Rate::new(1, Duration::from_secs(500));
        let (a, b, c) = (charge(1, THREE), charge(2, one), charge(3, slow));
        let charged = |charges: &[Charge], second| throttle.charge_now(charges, after(second));
        assert_eq!(charged(&[a, b, c], 0), Charged::Admitted);
        for _ in 0..10 {
            assert_ne!(charged(&[a, b, c], 0), Charged::Admitted);
        }
        assert_eq!(throttle.keys(), 3);
        assert!(matches!(
            charged(&[charge(9, one), c], 1),
            Charged::Refused { by: 1, .. }
        ));
        assert_eq!(throttle.keys(), 3);
    }

    #[test]
    fn of_a_thousand_that_come_together_exactly_as_many_are_admitted_as_there_are() {
        let throttle = MemoryThrottle::default();
        let barrier = Barrier::new(16);
        let (mut charges, mut tries) = (0, 0);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let (mut charges, mut tries) = (0, 0);
                        for _ in 0..64 {
                            let charged = throttle.charge_now(&[charge(1, THREE)], NOON);
                            charges += u64::from(charged == Charged::Admitted);
                            let take = throttle.take_try_now(key(2), 5, after(600), NOON);
                            tries += u64::from(take != Take::Exhausted);
                        }
                        (charges, tries)
                    })
                })
                .collect();
            for thread in threads {
                let (a, b) = thread.join().unwrap();
                charges += a;
                tries += b;
            }
        });
        assert_eq!((charges, tries), (3, 5));
    }

    /// Threat 56.
    fn flood(keys: u64) {
        let throttle = MemoryThrottle::default().with_most_keys(1_000);
        for _ in 0..3 {
            let _ = throttle.charge_now(&[charge(0, THREE)], NOON);
            let _ = throttle.take_try_now(key(0), 3, after(3_600), NOON);
        }
        let mut most = 0;
        for number in 1..keys {
            let now = after(number * 100 / keys);
            let charged = throttle.charge_now(&[charge(number, THREE)], now);
            assert_eq!(charged, Charged::Admitted);
            most = most.max(throttle.keys());
        }
        assert_eq!(most, 1_001);
        let charged = throttle.charge_now(&[charge(0, THREE)], after(100));
        assert!(matches!(charged, Charged::Refused { .. }));
        let take = throttle.take_try_now(key(0), 3, after(3_600), after(100));
        assert_eq!(take, Take::Exhausted);
    }

    #[test]
    fn a_flood_of_keys_stays_within_the_bound_and_does_not_push_out_one_under_attack() {
        flood(100_000);
    }

    #[test]
    #[ignore = "needs minutes where it is not optimised; run by tests/run"]
    fn a_flood_of_ten_million_keys_stays_within_the_bound() {
        flood(10_000_000);
    }
}
