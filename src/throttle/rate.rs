//! `Rate`: a burst, and how fast it refills.

use std::{ops::RangeInclusive, time::Duration};

use crate::error::ConfigError;

/// The bursts that the layer accepts.
const BURSTS: RangeInclusive<u32> = 1..=1_000_000;
/// The periods that the layer accepts.
const PERIODS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(86_400);
/// The longest that a rate may take to refill. A key is remembered for at most as long.
const LONGEST_REFILL: Duration = Duration::from_secs(30 * 86_400);

/// A burst, refilled by one each period.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::throttle::Rate;
///
/// let three_then_one_a_minute = Rate::new(3, Duration::from_secs(60));
/// assert_eq!(three_then_one_a_minute.refill(), Duration::from_secs(180));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    burst: u32,
    period: Duration,
}

impl Rate {
    /// Creates a rate: `burst` at once, then one every `period`.
    ///
    /// A layer accepts bursts of 1 to 1,000,000, periods of 1 millisecond to 1 day, and at most 30
    /// days to refill (burst times period). [`Builder::build`](crate::Builder::build) refuses
    /// others. Time is counted in whole seconds, so a period of 100 milliseconds is ten each
    /// second.
    #[must_use]
    pub const fn new(burst: u32, period: Duration) -> Self {
        Self { burst, period }
    }

    /// Returns how many are admitted at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns how long it takes to refill by one.
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// Returns how long it takes to refill from empty to full. A store may forget a key that was
    /// not charged for this long.
    #[must_use]
    pub const fn refill(&self) -> Duration {
        self.period.saturating_mul(self.burst)
    }

    /// Returns the rate of this many together: as many times the burst, and as many times as fast.
    /// A throttle takes it as the nearest rate that a layer accepts.
    pub(crate) fn times(self, many: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(many),
            period: self.period / many.max(1),
        }
    }

    /// Returns the rate with another burst, refilled no faster.
    pub(crate) const fn with_burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// Returns a share of this rate: a part of its burst, refilled in the same time as the whole.
    /// `None` of nothing, and of a rate so slow that a layer would accept no such part.
    pub(crate) fn share(self, burst: u32) -> Option<Self> {
        let period = self.refill().checked_div(burst)?;
        PERIODS.contains(&period).then_some(Self { burst, period })
    }

    /// Returns the nearest rate that a layer accepts.
    pub(super) fn clamped(self) -> Self {
        let period = self.period.clamp(*PERIODS.start(), *PERIODS.end());
        let burst = self.burst.clamp(*BURSTS.start(), *BURSTS.end());
        // A caller of a store may give it any rate. Clamped, no arithmetic on it overflows.
        let most = LONGEST_REFILL.as_nanos() / period.as_nanos().max(1);
        Self {
            burst: burst.min(u32::try_from(most).unwrap_or(u32::MAX)),
            period,
        }
    }

    pub(super) fn validate(self, setting: &'static str) -> Result<(), ConfigError> {
        let problem = if !BURSTS.contains(&self.burst) {
            "must have a burst of 1 to 1,000,000"
        } else if !PERIODS.contains(&self.period) {
            "must have a period of 1 millisecond to 1 day"
        } else if self.refill() > LONGEST_REFILL {
            "must refill within 30 days"
        } else {
            return Ok(());
        };
        let value = format!("{} and one each {:?}", self.burst, self.period);
        Err(ConfigError::invalid(setting, value, problem))
    }
}
