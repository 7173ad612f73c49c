//! What the stores share: their error, and the connections to Redis.

use std::{error::Error, fmt, future::Future, pin::Pin};

use crate::{email::masked_within, trace::Failure};

#[cfg(feature = "redis")]
pub(crate) mod redis;

#[cfg(feature = "redis")]
pub use self::redis::Redis;

/// The future of a look-up or a revocation that has to wait.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The error of a revocation store or a throttle.
#[derive(Debug, thiserror::Error)]
#[error("store: {kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store answers that it does not accept this application's user: the password is wrong, or
    /// a permission is missing. It stays so until somebody changes the configuration.
    Denied,
    /// The store did not answer in time.
    TimedOut,
    /// The store cannot be reached, or answers with a failure.
    Unavailable,
}

/// Words the cause of a failure for the log, without addresses and without names of Redis's users.
pub(crate) fn reason(error: &StoreError) -> Option<String> {
    #[cfg(feature = "redis")]
    let words = redis::reason(error);
    #[cfg(not(feature = "redis"))]
    let words = error.source().map(ToString::to_string);
    words.map(|words| masked_within(&words).into_owned())
}

impl StoreErrorKind {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 3] = [Self::Denied, Self::TimedOut, Self::Unavailable];

    /// Returns the stable name that events have for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "access denied",
            Self::TimedOut => "no answer in time",
            Self::Unavailable => "not available",
        })
    }
}

impl Failure for StoreError {
    fn kind_name(&self) -> &'static str {
        self.kind.name()
    }
}

impl StoreError {
    /// Creates an error of a kind.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Creates an [`Unavailable`](StoreErrorKind::Unavailable) error with its cause.
    ///
    /// The layer may log the cause's text, with its addresses masked. It must hold no other secret.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::caused(StoreErrorKind::Unavailable, source)
    }

    /// Creates an error of a kind with its cause.
    pub(crate) fn caused(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}
