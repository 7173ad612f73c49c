//! The clock port, and the only place where system time is read.
//!
//! - Everywhere else time is an argument: the service reads the clock once per request and passes
//!   the time on.
//! - The layer's time never goes back, even if the clock does (`Steady`): it goes on by a clock
//!   that nobody can set. What has expired stays
//!   expired.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

mod rfc3339;
pub(crate) mod words;

/// A moment: whole seconds since 1970-01-01T00:00:00Z, as in a JWT's `NumericDate` (RFC 7519,
/// section 2).
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::clock::Timestamp;
///
/// let noon = Timestamp::from_secs(43_200);
/// assert_eq!(noon + Duration::from_secs(60), Timestamp::from_secs(43_260));
/// assert_eq!(noon.until(Timestamp::from_secs(43_260)), Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Creates a moment from seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Returns the seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns the time from this moment to a later one, or zero if it is not later.
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

/// A future that completes when an event has happened, without a value.
pub type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The longest single sleep. tokio's timer may stop while the machine is suspended, and ignores
/// changes of the system clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The layer's source of time.
///
/// The clock may go back. The layer then goes on from its highest reading, by
/// [`running`](Self::running), so that what has expired stays expired and 30 seconds stay 30
/// seconds. The cost: if a clock is an hour ahead for a moment, the layer stays an hour ahead until
/// the process ends, and other replicas refuse its new sessions meanwhile.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the present moment.
    fn now(&self) -> Timestamp;

    /// Returns for how long a clock that nobody can set has been running, such as the machine's
    /// monotonic clock. It never goes back. Default: `None`, there is none.
    ///
    /// When [`now`](Self::now) goes back, the layer's time goes on by this. Without it, the layer's
    /// time stands still until the clock has caught up.
    fn running(&self) -> Option<Duration> {
        None
    }

    /// Returns a future that completes at this moment. Live connections use it to end with their
    /// session.
    ///
    /// It may complete early, and the layer then calls again; it should not complete late. The
    /// default sleeps on tokio's timer for at most a minute, so that the layer notices a clock set
    /// forward, or a machine that was suspended, within a minute.
    fn sleep_until(&self, at: Timestamp) -> Signal {
        let left = self.now().until(at).min(LONGEST_SLEEP);
        Box::pin(async move { tokio::time::sleep(left).await })
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reading of monotonic time"
    )]
    fn running(&self) -> Option<Duration> {
        // An `Instant` has no number of its own, so it is counted from the first reading.
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        Some(BEGUN.get_or_init(Instant::now).elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "the one reading of system time")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // Before 1970 the machine's clock is plainly wrong. Time zero admits nothing: every token
        // lies ahead of it.
        Timestamp(since.map_or(0, |since| since.as_secs()))
    }
}

/// The layer's time: a clock that goes on from its highest reading when it goes back.
#[derive(Debug)]
pub(crate) struct Steady {
    clock: Box<dyn Clock>,
    highest: AtomicU64,
    /// By how much the highest reading was ahead of the monotonic clock, in seconds.
    lead: AtomicU64,
}

impl Steady {
    pub(crate) fn new(clock: Box<dyn Clock>) -> Self {
        Self {
            clock,
            highest: AtomicU64::new(0),
            lead: AtomicU64::new(0),
        }
    }

    /// Returns the present moment, never an earlier one than before.
    pub(crate) fn now(&self) -> Timestamp {
        let Timestamp(read) = self.clock.now();
        // A load before the exchange: usually the cache line stays shared between cores, instead of
        // each request taking it.
        let highest = self.highest.load(Ordering::Relaxed);
        if read > highest {
            if let Some(running) = self.clock.running() {
                let lead = read.saturating_sub(running.as_secs());
                self.lead.store(lead, Ordering::Relaxed);
            }
            // Another thread may have stored a later reading meanwhile.
            return Timestamp(self.highest.fetch_max(read, Ordering::Relaxed).max(read));
        }
        if read == highest {
            return Timestamp(highest);
        }
        // The clock was set back. Time that stood still would keep people waiting for as long as
        // the clock was ahead.
        let Some(running) = self.clock.running() else {
            return Timestamp(highest);
        };
        let lead = self.lead.load(Ordering::Relaxed);
        let on = lead.saturating_add(running.as_secs());
        Timestamp(self.highest.fetch_max(on, Ordering::Relaxed).max(on))
    }

    /// Returns a future that completes at this moment, or earlier.
    pub(crate) fn sleep_until(&self, at: Timestamp) -> Signal {
        if self.now() >= at {
            // By the steady time: the clock may have gone back behind a moment that has passed.
            return Box::pin(std::future::ready(()));
        }
        self.clock.sleep_until(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that shows the time that the test sets, and whose sleeps never end.
    #[derive(Clone, Debug, Default)]
    struct Dial(std::sync::Arc<AtomicU64>);

    impl Clock for Dial {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }

        fn sleep_until(&self, _: Timestamp) -> Signal {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_clock_that_goes_back_holds_the_layer_at_its_highest_reading() {
        let dial = Dial::default();
        let steady = Steady::new(Box::new(dial.clone()));
        for (read, want) in [
            (7_200, 7_200),
            (3_600, 7_200),
            (7_199, 7_200),
            (0, 7_200),
            (7_201, 7_201),
            (10_801, 10_801),
            (7_201, 10_801),
        ] {
            dial.0.store(read, Ordering::Relaxed);
            assert_eq!(steady.now(), Timestamp(want), "{read}");
        }
    }

    /// A clock that is set, beside one that is not.
    #[derive(Debug, Default)]
    struct Pair(Dial, Dial);

    impl Clock for std::sync::Arc<Pair> {
        fn now(&self) -> Timestamp {
            self.0.now()
        }

        fn running(&self) -> Option<Duration> {
            Some(Duration::from_secs(self.1.now().as_secs()))
        }
    }

    /// Pins: a clock that was an hour ahead and was set right kept everybody waiting for an hour.
    #[test]
    fn thirty_seconds_stay_thirty_seconds_when_the_clock_is_set() {
        let pair = std::sync::Arc::new(Pair::default());
        let steady = Steady::new(Box::new(pair.clone()));
        // When, what the clock shows, and what the layer's time is.
        for (running, read, want) in [
            (100, 7_200, 7_200),
            (110, 7_210, 7_210),
            (111, 3_611, 7_211),
            (141, 3_641, 7_241),
            (141, 0, 7_241),
            (150, 9_000, 9_000),
            (160, 8_999, 9_010),
            (161, 9_010, 9_010),
            (162, 9_000, 9_012),
            (170, 20_000, 20_000),
        ] {
            pair.0.0.store(read, Ordering::Relaxed);
            pair.1.0.store(running, Ordering::Relaxed);
            assert_eq!(steady.now(), Timestamp(want), "{running}: {read}");
        }
    }

    #[test]
    fn a_moment_that_has_come_is_not_waited_for_again_when_the_clock_goes_back() {
        let dial = Dial::default();
        let steady = Steady::new(Box::new(dial.clone()));
        dial.0.store(7_200, Ordering::Relaxed);
        steady.now();
        dial.0.store(3_600, Ordering::Relaxed);
        for (name, at, want) in [("come", 7_200, Some(())), ("to come", 7_201, None)] {
            let sleep = steady.sleep_until(Timestamp(at));
            assert_eq!(futures_util::FutureExt::now_or_never(sleep), want, "{name}");
        }
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
