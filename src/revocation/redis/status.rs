//! `Status`: how a `RedisRevocations` is, for a readiness check and for an operator.

use std::{fmt, time::Duration};

use super::{last_error::LastError, replica::Replica};

/// How a [`RedisRevocations`](super::RedisRevocations) is, at one moment.
///
/// Its `Display` is one line, for a log or for the body of a readiness check:
/// `following: 1200 revocations, 0 behind, 0 unsent, heard of 0.2 s ago`.
///
/// ```no_run
/// use tower_magic_link::revocation::{Phase, RedisRevocations};
///
/// /// What `/readyz` answers: a load balancer should send requests here only after the first load,
/// /// and while sessions can be vouched for.
/// fn ready(revocations: &RedisRevocations) -> (u16, String) {
///     let status = revocations.status();
///     if let Phase::Loading { read, of } = status.phase() {
///         println!("{read} of {of} are loaded");
///     }
///     (if status.is_ready() { 200 } else { 503 }, status.to_string())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Status {
    phase: Phase,
    last_word: Option<Duration>,
    entries: usize,
    lag: u64,
    unsent: usize,
    last_error: Option<LastError>,
}

/// Whether a [`RedisRevocations`](super::RedisRevocations) can say that a session is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The first load is not over. Look-ups fail, except for sessions that are known to have ended.
    Loading {
        /// How many revocations have been read. 0 until Redis has been reached.
        read: u64,
        /// How many there were when the load began, or `read` if that is more. 0 until Redis has
        /// been reached.
        of: u64,
    },
    /// Redis is followed. Look-ups are answered.
    Following,
    /// Redis is not followed: it is away, or is loaded again. Look-ups are answered as of the
    /// [last word](Status::last_word).
    WithinGrace {
        /// How much of the [grace](crate::store::Redis::grace) is left.
        left: Duration,
    },
    /// The grace is over. Look-ups fail, except for sessions that are known to have ended.
    PastGrace,
}

impl Status {
    /// Describes a copy.
    pub(super) fn of(replica: &Replica) -> Self {
        let phase = if !replica.is_loaded() {
            let (read, of) = replica.loading.progress();
            Phase::Loading { read, of }
        } else if replica.is_following() {
            Phase::Following
        } else {
            match replica.left() {
                Duration::ZERO => Phase::PastGrace,
                left => Phase::WithinGrace { left },
            }
        };
        Self {
            phase,
            last_word: replica.is_loaded().then(|| replica.unheard()),
            entries: replica.revocations.len(),
            lag: replica.notes.lag(),
            unsent: replica.notes.unsent(),
            last_error: replica.notes.last_error(),
        }
    }

    /// Returns whether sessions can be vouched for, and for how long.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Says whether look-ups are answered: whether Redis is followed, or the grace not over.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Following | Phase::WithinGrace { .. })
    }

    /// Returns how old the copy is: how long ago Redis was asked the question by whose answer this
    /// process had all that Redis had. `None` before the first load. While Redis is followed, it is
    /// less than 2.5 seconds.
    #[must_use]
    pub const fn last_word(&self) -> Option<Duration> {
        self.last_word
    }

    /// Returns how many revocations this process knows, including some that have expired.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// Returns how many streamed revocations this process had not read when Redis last described
    /// its data. Usually 0.
    #[must_use]
    pub const fn lag(&self) -> u64 {
        self.lag
    }

    /// Returns how many revocations given in this process Redis has not stored yet. The count is up
    /// to 1.5 seconds old. They are sent again until Redis has them.
    #[must_use]
    pub const fn unsent(&self) -> usize {
        self.unsent
    }

    /// Returns the last failure, of reading or of writing. `None` if there was none so far.
    #[must_use]
    pub const fn last_error(&self) -> Option<&LastError> {
        self.last_error.as_ref()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            phase,
            last_word,
            entries,
            lag,
            unsent,
            last_error,
        } = self;
        write!(
            f,
            "{phase}: {entries} revocations, {lag} behind, {unsent} unsent"
        )?;
        if let Some(age) = last_word {
            write!(f, ", heard of {:.1} s ago", age.as_secs_f64())?;
        }
        if let Some(error) = last_error.as_ref().filter(|_| *phase != Phase::Following) {
            write!(f, ", last error: {error}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loading { read, of } => write!(f, "loading, {read} of {of}"),
            Self::Following => f.write_str("following"),
            Self::WithinGrace { left } => {
                write!(f, "within the grace for {:.1} s", left.as_secs_f64())
            }
            Self::PastGrace => f.write_str("past the grace"),
        }
    }
}
