//! One decision by the generic cell rate algorithm, with the arithmetic of the crate `governor`.
//!
//! - The state of a key is one number: when it is fully refilled, in nanoseconds since 1970. The
//!   caller keeps it.
//! - The time is an argument: `governor` reads no clock.

use std::{cell::Cell, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, direct::NotKeyed},
};

use crate::throttle::Rate;

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
pub(super) fn decide(rate: Rate, end: Option<u64>, now: Duration) -> Result<u64, Duration> {
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

/// Returns a time in nanoseconds.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
