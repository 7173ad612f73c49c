//! `ProviderError`: why a provider could not do what it was asked.
//!
//! - It holds no code, link, key or address, and neither may its source.
//! - Its kind decides what the person reads; its code, status and request id are for the log.

use std::{error::Error, fmt, time::Duration};

const LONGEST_CODE: usize = 64;

/// Why a provider could not do what it was asked. It never holds a code, a link, a key or an
/// address.
#[derive(Debug, thiserror::Error)]
#[error("identity provider: {kind}")]
pub struct ProviderError {
    kind: ProviderErrorKind,
    code: Option<String>,
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
    /// The code from a mail is no longer good: its time is up, or nothing is known of it any more.
    CodeExpired,
    /// The code from a mail was redeemed before.
    CodeUsed,
    /// What was typed is not the code of the newest mail.
    CodeWrong,
    /// The answer is not what the protocol says: wrong JSON, too long, a redirect, a field missing.
    InvalidAnswer,
    /// The provider does not take our key, client id or redirect URI, or does not know the
    /// endpoint.
    Misconfigured,
    /// The provider does not let this person in: nobody new may sign up there, or a rule of its own
    /// says no.
    NotAllowed,
    /// Too many requests; [`ProviderError::retry_after`] says when to come back.
    RateLimited,
    /// The code, link or token is used, expired or unknown.
    Refused,
    /// The code is good, and the provider asks for more than this layer can give: a second factor,
    /// single sign-on, the choice of an organization. [`ProviderError::code`] says what.
    StepUpRequired,
    /// No answer in time.
    TimedOut,
    /// There were too many wrong tries for the code, which is spent.
    TooManyTries,
    /// The provider cannot be reached, or answers 5xx.
    Unavailable,
    /// The provider has no such way of signing in.
    Unsupported,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

impl fmt::Display for ProviderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address not taken",
            Self::CodeExpired => "code expired",
            Self::CodeUsed => "code used",
            Self::CodeWrong => "code wrong",
            Self::InvalidAnswer => "answer not understood",
            Self::Misconfigured => "key, client id or redirect uri not taken",
            Self::NotAllowed => "person not let in",
            Self::RateLimited => "too many requests",
            Self::Refused => "used, expired or unknown",
            Self::StepUpRequired => "more than this asked for",
            Self::TimedOut => "no answer in time",
            Self::TooManyTries => "too many wrong tries",
            Self::Unavailable => "not available",
            Self::Unsupported => "no such way of signing in",
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
            code: None,
            retry_after: None,
            request_id: None,
            status: None,
            source: None,
        }
    }

    /// Adds the provider's own word for the failure, `sso_required`. It must be an identifier, and
    /// is left out otherwise: at most 64 ASCII letters, digits and underscores, a letter first.
    #[must_use]
    pub fn with_code(mut self, code: Option<&str>) -> Self {
        self.code = code.filter(|code| is_identifier(code)).map(str::to_owned);
        self
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

    /// Returns the provider's own word for the failure: WorkOS's machine code, `mfa_enrollment`. At
    /// most 64 ASCII letters, digits and underscores, so that it can stand in a log.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
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

/// What begins with a letter is no six-digit code that ended up in the wrong field.
fn is_identifier(text: &str) -> bool {
    text.len() <= LONGEST_CODE
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_identifier_is_kept_as_the_providers_word() {
        let long = "a".repeat(65);
        let cases = [
            ("a word", "sso_required", true),
            ("capitals and digits", "Mfa2", true),
            ("the longest", &long[..64], true),
            ("too long", &long, false),
            ("empty", "", false),
            ("six digits", "424242", false),
            ("a sentence", "the code is wrong", false),
            ("an address", "ada@example.com", false),
            ("a line break", "sso\nrequired", false),
            ("beyond ascii", "caf\u{e9}", false),
        ];
        for (name, code, want) in cases {
            let error = ProviderError::new(ProviderErrorKind::StepUpRequired).with_code(Some(code));
            assert_eq!(error.code(), want.then_some(code), "{name}");
        }
    }
}
