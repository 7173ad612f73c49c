//! The clock port, and the only place where system time is read.
//!
//! - Time is an argument everywhere else: the service reads it once per request and passes it on.
//! - [`SystemClock`] never goes back: what has expired stays expired when the machine's clock is set back.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

mod rfc3339;

/// A moment: whole seconds since 1970-01-01T00:00:00Z, as in a JWT's `NumericDate` (RFC 7519, section 2).
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::Timestamp;
///
/// let noon = Timestamp::from_secs(43_200);
/// assert_eq!(noon + Duration::from_secs(60), Timestamp::from_secs(43_260));
/// assert_eq!(noon.until(Timestamp::from_secs(43_260)), Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Makes a moment from seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Returns the seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns how long it is from this moment to a later one; zero if it is not later.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(after.as_secs()))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(before.as_secs()))
    }
}

/// Something to wait for that says no more than that it has happened.
pub type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// tokio's timer stands still while the machine sleeps, and knows nothing of a clock that is set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Tells the time to the layer.
///
/// An implementation must not go back: a session that has expired at one answer would live again at the next.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the present moment.
    fn now(&self) -> Timestamp;

    /// Returns a future that completes once this moment has come. Live connections wait for their session's end with it.
    ///
    /// It may complete early, and is then asked for again; it should not complete late. By default it sleeps by tokio's timer, a minute at
    /// most, so that a clock that is set forward, or a machine that slept, is noticed within a minute.
    fn sleep_until(&self, at: Timestamp) -> Signal {
        let left = self.now().until(at).min(LONGEST_SLEEP);
        Box::pin(async move { tokio::time::sleep(left).await })
    }
}

/// The machine's clock, held at its highest reading when it is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    highest: AtomicU64,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one reading of system time")]
    fn now(&self) -> Timestamp {
        let read = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        // A load before the exchange: the usual request shares the cache line instead of taking it.
        let highest = self.highest.load(Ordering::Relaxed);
        if read > highest {
            self.highest.fetch_max(read, Ordering::Relaxed);
        }
        Timestamp(read.max(highest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_stays_at_its_highest_reading() {
        let clock = SystemClock::default();
        let ahead = clock.now() + Duration::from_secs(3_600);
        clock.highest.store(ahead.as_secs(), Ordering::Relaxed);
        assert_eq!(clock.now(), ahead);
    }

    /// A clock whose `sleep_until` is the port's own.
    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp(43_200)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_sleeps_until_the_moment_but_looks_up_every_minute() {
        let cases = [
            ("past", 43_000, 0),
            ("now", 43_200, 0),
            ("soon", 43_205, 5),
            ("in a minute", 43_260, 60),
            ("in an hour", 46_800, 60),
            ("never", u64::MAX, 60),
        ];
        for (name, at, want) in cases {
            let begun = tokio::time::Instant::now();
            Noon.sleep_until(Timestamp(at)).await;
            assert_eq!(begun.elapsed().as_secs(), want, "{name}");
        }
    }

    #[test]
    fn arithmetic_on_moments_saturates() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(Timestamp(10) - hour, Timestamp(0));
        assert_eq!(Timestamp(u64::MAX) + hour, Timestamp(u64::MAX));
        assert_eq!(Timestamp(20).until(Timestamp(10)), Duration::ZERO);
    }
}
