//! `Reading`: a moment of the steady time, with what is known of the wall clock; and [`Skew`], what
//! a token says of the clock by which it is dated.

use std::time::Duration;

use super::Timestamp;

/// By how much the steady time was ahead of a date, at the layer that wrote the date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    ahead: Duration,
    /// The mark of that layer. Zero if its time was not ahead.
    by: u32,
}

impl Skew {
    /// Makes the skew that the layer of this mark wrote.
    pub(crate) const fn new(ahead: Duration, by: u32) -> Self {
        if ahead.is_zero() {
            return Self { ahead, by: 0 };
        }
        Self { ahead, by }
    }

    /// Returns by how much the steady time was ahead of the date.
    pub(crate) const fn ahead(self) -> Duration {
        self.ahead
    }

    /// Returns the mark of the layer that wrote the date. Zero if its time was not ahead.
    pub(crate) const fn by(self) -> u32 {
        self.by
    }
}

/// A moment of the steady time, with what is known of the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(super) now: Timestamp,
    /// By how much the steady time is ahead of the clock.
    pub(super) ahead: Duration,
    /// The least of that since the clock was set back last.
    pub(super) least_ahead: Duration,
    /// The most of that since the process began.
    pub(super) most_ahead: Duration,
    /// The latest date that the clock had shown when it was set back last. Zero if it never was.
    pub(super) shown: Timestamp,
    /// The mark of this layer.
    pub(super) mark: u32,
}

impl Reading {
    /// Makes the reading of a clock that was never ahead.
    pub(crate) const fn level(now: Timestamp) -> Self {
        Self {
            now,
            ahead: Duration::ZERO,
            least_ahead: Duration::ZERO,
            most_ahead: Duration::ZERO,
            shown: Timestamp(0),
            mark: 0,
        }
    }

    /// Returns the moment by the steady time.
    pub(crate) const fn now(self) -> Timestamp {
        self.now
    }

    /// Says whether a layer's clock was read, and no moment was made up.
    pub(crate) const fn is_of_a_layer(self) -> bool {
        self.mark != 0
    }

    /// Returns the moment by the wall clock, to be written for others.
    pub(crate) fn date(self) -> Timestamp {
        self.now - self.ahead
    }

    /// Returns the date for a token, and how far the steady time is ahead of it. The date is not
    /// before a moment that the token names already.
    pub(crate) fn dated(self, not_before: Timestamp) -> (Timestamp, Skew) {
        let date = self.date().max(not_before);
        (date, Skew::new(date.until(self.now), self.mark))
    }

    /// Returns the moment by which what has this date and skew is judged.
    pub(crate) fn judging(self, date: Timestamp, skew: Skew) -> Timestamp {
        self.now - self.counted(date, skew)
    }

    /// Returns how far the moment by which what has this date and skew is judged is behind the
    /// steady time. It grows only for what cannot have expired yet.
    pub(crate) fn counted(self, date: Timestamp, skew: Skew) -> Duration {
        if skew.by == self.mark && !skew.ahead.is_zero() {
            return skew.ahead.min(self.most_ahead);
        }
        // The clock had not shown the date when it was set back, so nothing of that date had
        // expired here.
        if date > self.shown {
            return self.least_ahead;
        }
        Duration::ZERO
    }

    /// Returns by how much the steady time was ahead at most, since the process began.
    pub(crate) const fn most_ahead(self) -> Duration {
        self.most_ahead
    }
}

#[cfg(test)]
impl From<Timestamp> for Reading {
    fn from(now: Timestamp) -> Self {
        Self::level(now)
    }
}
