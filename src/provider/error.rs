//! `ProviderError`: why a provider could not do what it was asked.
//!
//! - It holds no code, link, key or address, and neither may its source.
//! - Its kind decides what the person reads; its status and request id are for the log.

use std::{error::Error, fmt, time::Duration};

/// Why a provider could not do what it was asked. It never holds a code, a link, a key or an address.
#[derive(Debug, thiserror::Error)]
#[error("identity provider: {kind}")]
pub struct ProviderError {
    kind: ProviderErrorKind,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    status: Option<u16>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure a [`ProviderError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// The provider does not take the address.
    Address,
    /// The answer is not what the protocol says: wrong JSON, too long, a redirect, a field missing.
    InvalidAnswer,
    /// The provider does not take our key, client id or redirect URI, or does not know the endpoint.
    Misconfigured,
    /// Too many requests; [`ProviderError::retry_after`] says when to come back.
    RateLimited,
    /// The code, link or token is used, expired or unknown.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The provider cannot be reached, or answers 5xx.
    Unavailable,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

impl fmt::Display for ProviderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address not taken",
            Self::InvalidAnswer => "answer not understood",
            Self::Misconfigured => "key, client id or redirect uri not taken",
            Self::RateLimited => "too many requests",
            Self::Refused => "used, expired or unknown",
            Self::TimedOut => "no answer in time",
            Self::Unavailable => "not available",
            Self::WrongConnection => "proven by a connection that is not accepted",
        })
    }
}

impl ProviderError {
    /// Makes an error of a kind.
    #[must_use]
    pub const fn new(kind: ProviderErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
            request_id: None,
            status: None,
            source: None,
        }
    }

    /// Adds the cause. Its text must hold no code, link, key or address.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds how long to wait before another try.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Adds the provider's name for the request, for its support.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Returns what kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ProviderErrorKind {
        self.kind
    }

    /// Returns how long the provider wants us to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the provider's name for the request: WorkOS's `X-Request-Id`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the HTTP status of the answer, where there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }
}

impl From<ProviderErrorKind> for ProviderError {
    fn from(kind: ProviderErrorKind) -> Self {
        Self::new(kind)
    }
}
