//! `Steady`: the layer's time, which never goes back, and what it knows of the wall clock's.
//!
//! - **Waits and ends go by the steady time.** It is the highest reading of the clock so far. When
//!   the clock is set back, it goes on from there by a clock that nobody can set. So nothing that
//!   has expired comes back, and 30 seconds stay 30 seconds.
//! - **Dates go by the wall clock.** What is written for others, such as a token's `iat`, `exp` and
//!   `auth_time` or the moment of a revocation, is the clock's own reading. If the clock was ahead
//!   and was set right, no session is dated ahead from then on, and other replicas take it.
//! - **A token says how far the steady time was ahead of its date** (`skew`), where it was. At a
//!   replica that was ahead itself, the token is judged by the steady time less that skew, so that
//!   a session of 15 minutes lives 15 minutes there too. For each token that is a clock that never
//!   goes back. A replica that was never ahead ignores it.
//! - **What counts from the sign-in is judged by the sign-in's own skew** (`askew`), which no
//!   renewal changes: the absolute end, and whether the sign-in is recent. By a renewal's skew,
//!   each renewal would move that end by as much as the clock was wrong.
//! - **A token without a skew is judged by the steady time**, as one from before the step is. After
//!   an hour ahead, a replica therefore ends those an hour early, until its process ends.
//! - **A renewal is dated as a new token is**, but never before the sign-in. A session that began
//!   while the clock was ahead keeps its date.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{Clock, Signal, Timestamp};

/// The layer's time: a clock that goes on from its highest reading when it goes back.
#[derive(Debug)]
pub(crate) struct Steady {
    clock: Box<dyn Clock>,
    highest: AtomicU64,
    /// By how much the highest reading was ahead of the monotonic clock, in seconds.
    lead: AtomicU64,
    /// By how much the steady time was ahead of the clock at most, in seconds.
    most_ahead: AtomicU64,
}

/// A moment of the steady time, with what is known of the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    now: Timestamp,
    /// By how much the steady time is ahead of the clock.
    ahead: Duration,
    /// By how much it was ahead at most, since the process began.
    most_ahead: Duration,
}

impl Steady {
    pub(crate) fn new(clock: Box<dyn Clock>) -> Self {
        Self {
            clock,
            highest: AtomicU64::new(0),
            lead: AtomicU64::new(0),
            most_ahead: AtomicU64::new(0),
        }
    }

    /// Returns the present moment, never an earlier one than before.
    pub(crate) fn now(&self) -> Timestamp {
        self.read().0
    }

    /// Adds what is known of the wall clock to a moment of the steady time.
    pub(crate) fn at(&self, now: Timestamp) -> Reading {
        // Usually the clock was never ahead, and is not read again.
        let is_level = self.most_ahead.load(Ordering::Relaxed) == 0;
        let ahead = if is_level {
            Duration::ZERO
        } else {
            let (steady, wall) = self.read();
            wall.until(steady)
        };
        let most_ahead = self.most_ahead.load(Ordering::Relaxed);
        Reading {
            now,
            ahead,
            most_ahead: Duration::from_secs(most_ahead),
        }
    }

    /// Returns a future that completes at this moment, or earlier.
    pub(crate) fn sleep_until(&self, at: Timestamp) -> Signal {
        let (now, wall) = self.read();
        if now >= at {
            // By the steady time: the clock may have gone back behind a moment that has passed.
            return Box::pin(std::future::ready(()));
        }
        // The clock knows its own time alone. Where the steady time stands still, it has to catch
        // up first.
        let at = match self.clock.running() {
            Some(_) => at - wall.until(now),
            None => at,
        };
        self.clock.sleep_until(at)
    }

    /// Returns the steady time, and the clock's.
    fn read(&self) -> (Timestamp, Timestamp) {
        let wall = self.clock.now();
        let Timestamp(read) = wall;
        // Loads before the exchanges: usually the cache line stays shared between cores, instead of
        // each request taking it.
        let highest = self.highest.load(Ordering::Relaxed);
        let running = self.clock.running().map(|running| running.as_secs());
        let lead = self.lead.load(Ordering::Relaxed);
        let on = running.map_or(highest, |running| lead.saturating_add(running));
        // Two clocks of whole seconds tick at different moments, so one second is no step.
        let is_level = self.most_ahead.load(Ordering::Relaxed) == 0
            && read >= highest
            && on <= read.saturating_add(1);
        if is_level && read == highest {
            return (wall, wall);
        }
        // If the clock was set back, now or before, time goes on by the other clock. Time that
        // stood still would keep people waiting for as long as the clock was ahead.
        let on = if is_level { read } else { on.max(read) };
        if let Some(running) = running
            && on == read
        {
            self.lead
                .store(read.saturating_sub(running), Ordering::Relaxed);
        }
        // Another thread may have stored a later reading meanwhile.
        let now = self.highest.fetch_max(on, Ordering::Relaxed).max(on);
        if !is_level {
            let ahead = now.saturating_sub(read);
            self.most_ahead.fetch_max(ahead, Ordering::Relaxed);
        }
        (Timestamp(now), wall)
    }
}

impl Reading {
    /// Makes the reading of a clock that was never ahead.
    pub(crate) const fn level(now: Timestamp) -> Self {
        Self {
            now,
            ahead: Duration::ZERO,
            most_ahead: Duration::ZERO,
        }
    }

    /// Returns the moment by the steady time.
    pub(crate) const fn now(self) -> Timestamp {
        self.now
    }

    /// Returns the moment by the wall clock, to be written for others.
    pub(crate) fn date(self) -> Timestamp {
        self.now - self.ahead
    }

    /// Returns the date for a token, and how far the steady time is ahead of it. The date is not
    /// before a moment that the token names already.
    pub(crate) fn dated(self, not_before: Timestamp) -> (Timestamp, Duration) {
        let date = self.date().max(not_before);
        (date, date.until(self.now))
    }

    /// Returns the moment by which a token of this skew is judged.
    pub(crate) fn judging(self, skew: Duration) -> Timestamp {
        self.now - self.counted(skew)
    }

    /// Returns how much of a token's skew counts here.
    pub(crate) fn counted(self, skew: Duration) -> Duration {
        skew.min(self.most_ahead)
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

#[cfg(test)]
mod tests;
