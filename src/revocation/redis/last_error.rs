//! `LastError`: why a `RedisRevocations` last failed, for an operator.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use crate::store::{
    StoreError, StoreErrorKind,
    redis::{reason, refuses},
};

/// The last failure of a [`RedisRevocations`](super::RedisRevocations). It may have passed.
#[derive(Clone, Debug)]
pub struct LastError {
    kind: StoreErrorKind,
    cause: Option<String>,
    is_refusal: bool,
    at: Instant,
}

impl LastError {
    /// Notes a failure that has just been.
    pub(super) fn of(error: &StoreError) -> Self {
        Self {
            kind: error.kind(),
            cause: reason(error),
            is_refusal: refuses(error),
            at: Instant::now(),
        }
    }

    /// Says whether the server has answered that it does not do what was asked, which waiting does
    /// not mend.
    pub(super) const fn is_refusal(&self) -> bool {
        self.is_refusal
    }

    /// Returns the same failure, for a caller.
    pub(super) fn to_error(&self) -> StoreError {
        match &self.cause {
            Some(cause) => StoreError::caused(self.kind, cause.as_str()),
            None => StoreError::new(self.kind),
        }
    }

    /// Returns what kind of failure it was.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns what the server or the network said, in words for an operator: at most 200
    /// characters, and of a refused user the code alone. `None` if there was no answer. It holds no
    /// password.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Returns how long ago it was.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(cause) = &self.cause {
            write!(f, " ({cause})")?;
        }
        write!(f, " {:.0} s ago", self.age().as_secs_f64())
    }
}
