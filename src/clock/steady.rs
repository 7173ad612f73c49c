//! `Steady`: the layer's time, which never goes back, and what it knows of the wall clock's.
//!
//! - **Waits and ends go by the steady time.** It is the highest reading of the clock so far. When
//!   the clock is set back, it goes on from there by a clock that nobody can set. So nothing that
//!   has expired comes back, and 30 seconds stay 30 seconds.
//! - **Dates go by the wall clock.** What is written for others, such as a token's `iat`, `exp` and
//!   `auth_time` or the moment of a revocation, is the clock's own reading. If the clock was ahead
//!   and was set right, no session is dated ahead from then on, and other replicas take it.
//! - **A token says how far the steady time was ahead of its date** (`skew`), where it was, and
//!   names the layer that minted it by a random mark (`by`). There the token is judged by the
//!   steady time less that skew, so that a session of 15 minutes lives 15 minutes there too. For
//!   each token that is a clock that never goes back. No other layer counts the skew: it does not
//!   know when the token was minted by its own time, and if its own clock was set back, too, what
//!   has expired there could come back.
//! - **What counts from the sign-in is judged by the sign-in's own skew** (`askew`), which no
//!   renewal changes: the absolute end, and whether the sign-in is recent. By a renewal's skew,
//!   each renewal would move that end by as much as the clock was wrong.
//! - **Any other token is judged by its date.** If the clock had not shown that date when it was
//!   set back last, the token cannot have expired here before, and is judged by the wall clock. If
//!   it had, the token may be from before the step, and is judged by the steady time. After an hour
//!   ahead, a replica therefore ends such tokens an hour early: all that were there at the step,
//!   and for one hour those that other replicas mint.
//! - **A renewal is dated as a new token is**, but never before the sign-in. A session that began
//!   while the clock was ahead keeps its date.
//! - **A leap is taken once it lasts.** A reading that is more than a day ahead of the monotonic
//!   clock is logged, and until the clock has shown it for ten seconds, time goes on by the
//!   monotonic clock. One wild reading would otherwise rule the rest of the process's life: a
//!   reading that is a year ahead would end every session, and keep each revocation for a year
//!   longer. The price is paid after a leap that is real, such as that of a machine that was
//!   suspended for two days: for ten seconds, what has expired meanwhile is still admitted. A
//!   reading that is up to a day ahead is taken at once, which ends sessions and keeps revocations
//!   by no more than that day. Without a monotonic clock every reading is taken.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{Clock, Signal, Timestamp, reading::Reading};

/// A reading that is further ahead of the monotonic clock, in seconds, has to last.
const LEAP: u64 = 24 * 60 * 60;
/// For how many seconds it has to last.
const LASTS: u64 = 10;
/// A clock that is behind by so many seconds more than it was is taken for one that was set back. A
/// thread that is suspended between two readings is not.
const JITTER: u64 = 5;

/// The layer's time: a clock that goes on from its highest reading when it goes back.
#[derive(Debug)]
pub(crate) struct Steady {
    clock: Box<dyn Clock>,
    /// Names this layer's time in its tokens. Random, and never zero.
    mark: u32,
    highest: AtomicU64,
    /// By how much the highest reading was ahead of the monotonic clock, in seconds.
    lead: AtomicU64,
    /// By how much the steady time was ahead of the clock at most, in seconds.
    most_ahead: AtomicU64,
    /// By how much it is at least, since the clock was set back last.
    least_ahead: AtomicU64,
    /// The latest date that the clock has shown. Kept up once the clock was set back.
    shown: AtomicU64,
    /// What that was when the clock was set back last.
    shown_before: AtomicU64,
    /// By how much a reading that may be wild is ahead of the monotonic clock. Zero: none is.
    leap: AtomicU64,
    /// When that was seen first, by the monotonic clock.
    leapt: AtomicU64,
}

/// One reading of the clocks.
struct Read {
    now: Timestamp,
    /// The wall clock's time, as far as it is known.
    wall: Timestamp,
    /// What the clock shows, wild or not.
    shows: Timestamp,
}

impl Steady {
    pub(crate) fn new(clock: Box<dyn Clock>) -> Self {
        Self {
            clock,
            mark: u32::from_be_bytes(crate::random::bytes()).max(1),
            highest: AtomicU64::new(0),
            lead: AtomicU64::new(0),
            most_ahead: AtomicU64::new(0),
            least_ahead: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            shown_before: AtomicU64::new(0),
            leap: AtomicU64::new(0),
            leapt: AtomicU64::new(0),
        }
    }

    /// Returns the present moment, never an earlier one than before.
    pub(crate) fn now(&self) -> Timestamp {
        self.read().now
    }

    /// Adds what is known of the wall clock to a moment of the steady time.
    pub(crate) fn at(&self, now: Timestamp) -> Reading {
        let level = Reading {
            mark: self.mark,
            ..Reading::level(now)
        };
        // Usually the clock was never ahead, and is not read again.
        if self.most_ahead.load(Ordering::Relaxed) == 0 {
            return level;
        }
        let read = self.read();
        // In this order: with the date of before, what is new here would count for what is old.
        let least_ahead = self.least_ahead.load(Ordering::Acquire);
        let shown = self.shown_before.load(Ordering::Relaxed);
        Reading {
            ahead: read.wall.until(read.now),
            least_ahead: Duration::from_secs(least_ahead),
            most_ahead: Duration::from_secs(self.most_ahead.load(Ordering::Relaxed)),
            shown: Timestamp(shown),
            ..level
        }
    }

    /// Returns a future that completes at this moment, or earlier.
    pub(crate) fn sleep_until(&self, at: Timestamp) -> Signal {
        let Read { now, wall, shows } = self.read();
        if now >= at {
            // By the steady time: the clock may have gone back behind a moment that has passed.
            return Box::pin(std::future::ready(()));
        }
        // The clock knows its own time alone. Where the steady time stands still, it has to catch
        // up first.
        let at = match self.clock.running() {
            Some(_) => at - wall.until(now) + wall.until(shows),
            None => at,
        };
        self.clock.sleep_until(at)
    }

    fn read(&self) -> Read {
        let shows = self.clock.now();
        let Timestamp(read) = shows;
        // Loads before the exchanges: usually the cache line stays shared between cores, instead of
        // each request taking it.
        let highest = self.highest.load(Ordering::Relaxed);
        let running = self.clock.running().map(|running| running.as_secs());
        let lead = self.lead.load(Ordering::Relaxed);
        let on = running.map_or(highest, |running| lead.saturating_add(running));
        let was_level = self.most_ahead.load(Ordering::Relaxed) == 0;
        // Two clocks of whole seconds tick at different moments, so one second is no step.
        let is_level = was_level && read >= highest && on <= read.saturating_add(1);
        // Another thread has read the next second meanwhile, or the clock ticks a little back at
        // the edge of a second, as Linux's coarse one may.
        let is_late =
            was_level && read.saturating_add(1) == highest && on <= highest.saturating_add(1);
        if is_late || is_level && read == highest {
            if self.leap.load(Ordering::Relaxed) != 0 {
                self.leap.store(0, Ordering::Relaxed);
            }
            let now = Timestamp(highest);
            return Read {
                now,
                wall: now,
                shows,
            };
        }
        if let Some(running) = running
            && highest != 0
            && self.is_wild(read, on.max(highest), running)
        {
            // A second less than the monotonic clock may be ahead: the next good reading is level.
            let on = on.saturating_sub(1);
            let now = Timestamp(self.highest.fetch_max(on, Ordering::Relaxed).max(on));
            let ahead = Duration::from_secs(self.least_ahead.load(Ordering::Relaxed));
            let wall = now - ahead;
            return Read { now, wall, shows };
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
            self.note(was_level.then_some(highest), read, on);
            let ahead = now.saturating_sub(read);
            self.most_ahead.fetch_max(ahead, Ordering::Relaxed);
        }
        Read {
            now: Timestamp(now),
            wall: shows,
            shows,
        }
    }

    /// Notes by how much the clock is behind, and whether it was set back just now. `level` is the
    /// latest date that it has shown, if it was never behind before.
    fn note(&self, level: Option<u64>, read: u64, on: u64) {
        let ahead = on.saturating_sub(read);
        let shown = level.unwrap_or_else(|| self.shown.load(Ordering::Relaxed));
        let least = self.least_ahead.load(Ordering::Relaxed);
        if level.is_some() || ahead > least.saturating_add(JITTER) {
            self.shown_before.fetch_max(shown, Ordering::Relaxed);
            self.least_ahead.store(ahead, Ordering::Release);
        } else {
            self.least_ahead.fetch_min(ahead, Ordering::Relaxed);
        }
        self.shown.fetch_max(shown.max(read), Ordering::Relaxed);
    }

    /// Says whether a reading is not to be taken: it is far ahead, and has not lasted.
    fn is_wild(&self, read: u64, on: u64, running: u64) -> bool {
        let known = self.leap.load(Ordering::Acquire);
        if read <= on.saturating_add(LEAP) {
            if known != 0 {
                self.leap.store(0, Ordering::Relaxed);
            }
            return false;
        }
        let leap = read.saturating_sub(running).max(1);
        // The same clock goes on. Another leap has to last by itself.
        if known.abs_diff(leap) <= 1 {
            return running.saturating_sub(self.leapt.load(Ordering::Relaxed)) < LASTS;
        }
        self.leapt.store(running, Ordering::Relaxed);
        let told = self
            .leap
            .compare_exchange(known, leap, Ordering::Release, Ordering::Relaxed);
        if told.is_ok() {
            let ahead = read.saturating_sub(on);
            tracing::warn!(
                target: "tower_magic_link",
                ahead,
                "the clock has leapt: it is not believed before it has lasted for {LASTS} seconds"
            );
        }
        true
    }
}

#[cfg(test)]
mod tests;
