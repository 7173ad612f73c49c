//! The clock port, and the only place where system time is read.
//!
//! - Everywhere else time is an argument: the service reads the clock once per request and passes
//!   the time on. `system.rs` reads the machine's, or on Linux `system/linux.rs`.
//! - The layer's time never goes back, even if the clock does (`Steady`). What is written for
//!   others is dated by the clock itself. `steady.rs` has the rules.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use serde::{Deserialize, Serialize};

#[cfg(feature = "workos")]
mod http_date;
mod reading;
mod rfc3339;
mod steady;
#[cfg_attr(target_os = "linux", path = "clock/system/linux.rs")]
mod system;
pub(crate) mod words;

pub(crate) use self::{
    reading::{Reading, Skew},
    steady::Steady,
};

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
/// seconds. What it writes for others is dated by the clock itself: if the clock was an hour ahead
/// and was set right, a new session begins by the right time, and other replicas take it.
///
/// The cost: a layer whose clock was an hour ahead ends the sessions that began before the step an
/// hour early, and for an hour also those that other replicas begin or renew. If a person begins to
/// sign in there, and another replica finishes it, that replica asks the person to start again
/// ([`RejectionKind::ClockWrong`](crate::RejectionKind::ClockWrong)).
///
/// One wild reading does no harm: a reading that is more than a day ahead of
/// [`running`](Self::running) is logged, and taken once the clock has shown it for ten seconds.
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
    fn running(&self) -> Option<Duration> {
        Some(system::running())
    }

    fn now(&self) -> Timestamp {
        // Before 1970 the machine's clock is plainly wrong. Time zero admits nothing: every token
        // lies ahead of it.
        Timestamp(system::secs().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
