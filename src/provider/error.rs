//! `ProviderError`: why a call to a provider failed.
//!
//! - It holds no code, link, key or address. Its source must hold none either.
//! - Its kind decides what the person reads; its code, status and request id are for the log.
//! - It says whether the provider may have acted: a code works once, so that a person may try it
//!   again only if it was certainly not redeemed.

use std::{error::Error, fmt, time::Duration};

use super::OrganizationChoice;
use crate::{secret::may_be_secret, trace::Failure};

const LONGEST_CODE: usize = 64;

/// A failed call to a provider. It never holds a code, a link, a key or an address.
#[derive(Debug, thiserror::Error)]
#[error("identity provider: {kind}")]
pub struct ProviderError {
    kind: ProviderErrorKind,
    choice: Option<Box<OrganizationChoice>>,
    code: Option<String>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    status: Option<u16>,
    reach: Reach,
    has_compared: bool,
    was_late: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// How far a call that failed has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The provider certainly did not act on it.
    NotActedOn,
    /// Nobody knows, unless the kind tells.
    Unknown,
}

/// What kind of failure a [`ProviderError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// The provider does not accept the address.
    Address,
    /// The code from a mail has expired, or the provider no longer knows it.
    CodeExpired,
    /// The code from a mail was redeemed before.
    CodeUsed,
    /// The typed code is not that of the newest mail.
    CodeWrong,
    /// The answer breaks the protocol: wrong JSON, too long, a redirect, a missing field.
    InvalidAnswer,
    /// The provider does not accept our key, client id or redirect URI, or does not know the
    /// endpoint.
    Misconfigured,
    /// The provider does not let this person in: sign-up is closed there, or one of its own rules
    /// refuses.
    NotAllowed,
    /// The address is proven, and the person must choose one of several organizations.
    /// [`ProviderError::choice`] has them. Without that it means as much as
    /// [`StepUpRequired`](Self::StepUpRequired).
    OrganizationRequired,
    /// Too many requests. [`ProviderError::retry_after`] says when to try again.
    RateLimited,
    /// The code, link or token is used, expired or unknown.
    Refused,
    /// The code is good, but the provider asks for a step that this layer does not support: a
    /// second factor, single sign-on. [`ProviderError::code`] names it.
    StepUpRequired,
    /// The provider did not answer in time.
    TimedOut,
    /// The code had too many wrong tries and is spent.
    TooManyTries,
    /// The provider cannot be reached, answers 5xx, or turns this request away for a reason that
    /// will pass, such as another request that is under way. In the last case it should have its
    /// 4xx [status](ProviderError::status) and [`ProviderError::before_acting`].
    Unavailable,
    /// The provider does not support this way of signing in.
    Unsupported,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

impl ProviderErrorKind {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 16] = [
        Self::Address,
        Self::CodeExpired,
        Self::CodeUsed,
        Self::CodeWrong,
        Self::InvalidAnswer,
        Self::Misconfigured,
        Self::NotAllowed,
        Self::OrganizationRequired,
        Self::RateLimited,
        Self::Refused,
        Self::StepUpRequired,
        Self::TimedOut,
        Self::TooManyTries,
        Self::Unavailable,
        Self::Unsupported,
        Self::WrongConnection,
    ];

    /// Returns the stable name that events have for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::CodeExpired => "code_expired",
            Self::CodeUsed => "code_used",
            Self::CodeWrong => "code_wrong",
            Self::InvalidAnswer => "invalid_answer",
            Self::Misconfigured => "misconfigured",
            Self::NotAllowed => "not_allowed",
            Self::OrganizationRequired => "organization_required",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::StepUpRequired => "step_up_required",
            Self::TimedOut => "timed_out",
            Self::TooManyTries => "too_many_tries",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::WrongConnection => "wrong_connection",
        }
    }
}

impl fmt::Display for ProviderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address not accepted",
            Self::CodeExpired => "code expired",
            Self::CodeUsed => "code used",
            Self::CodeWrong => "code wrong",
            Self::InvalidAnswer => "invalid answer",
            Self::Misconfigured => "key, client id or redirect uri not accepted",
            Self::NotAllowed => "person not allowed",
            Self::OrganizationRequired => "an organization must be chosen",
            Self::RateLimited => "too many requests",
            Self::Refused => "used, expired or unknown",
            Self::StepUpRequired => "another sign-in step is required",
            Self::TimedOut => "no answer in time",
            Self::TooManyTries => "too many wrong tries",
            Self::Unavailable => "not available",
            Self::Unsupported => "this way of signing in is not supported",
            Self::WrongConnection => "proven by a connection that is not accepted",
        })
    }
}

impl Failure for ProviderError {
    fn kind_name(&self) -> &'static str {
        self.kind.name()
    }
}

impl ProviderError {
    /// Creates an error of a kind.
    #[must_use]
    pub const fn new(kind: ProviderErrorKind) -> Self {
        Self {
            kind,
            choice: None,
            code: None,
            retry_after: None,
            request_id: None,
            status: None,
            reach: Reach::Unknown,
            has_compared: false,
            was_late: false,
            source: None,
        }
    }

    /// States that the provider certainly did not act on the call: the connection was refused, the
    /// request was not sent, or the provider turned it away before it looked at the code. Default:
    /// it may have acted, see [`may_have_acted`](Self::may_have_acted).
    ///
    /// The layer then tells the person to try the same link or code again. If the provider has
    /// redeemed it, that cannot work. A timeout after the request was sent, a connection that broke
    /// and a 5xx all leave that open.
    ///
    /// ```
    /// use std::io;
    /// use tower_magic_link::provider::{ProviderError, ProviderErrorKind};
    ///
    /// /// A database in which codes are redeemed.
    /// fn failed(error: io::Error) -> ProviderError {
    ///     let is_unsent = error.kind() == io::ErrorKind::ConnectionRefused;
    ///     let failed = ProviderError::new(ProviderErrorKind::Unavailable).with_source(error);
    ///     if is_unsent { failed.before_acting() } else { failed }
    /// }
    ///
    /// assert!(!failed(io::ErrorKind::ConnectionRefused.into()).may_have_acted());
    /// assert!(failed(io::ErrorKind::ConnectionReset.into()).may_have_acted());
    /// ```
    #[must_use]
    pub const fn before_acting(mut self) -> Self {
        self.reach = Reach::NotActedOn;
        self
    }

    /// Adds the provider's own code for the failure, such as `sso_required`. The code is dropped
    /// unless it is an identifier: at most 64 ASCII letters, digits and underscores, beginning with
    /// a letter.
    #[must_use]
    pub fn with_code(mut self, code: Option<&str>) -> Self {
        self.code = code.filter(|code| is_identifier(code)).map(str::to_owned);
        self
    }

    /// Adds the choice of an organization that the provider asks for.
    #[must_use]
    pub fn with_choice(mut self, choice: impl Into<Option<OrganizationChoice>>) -> Self {
        self.choice = choice.into().map(Box::new);
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

    /// Adds the provider's id of the request, which its support asks for.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// Adds the HTTP status of the answer.
    ///
    /// A 4xx other than 408 says that the provider is there, so
    /// [`TwoProviders`](super::TwoProviders) does not take the failure for an outage. A 4xx other
    /// than 401, 408 and 429 may be about one request alone, so the layer tells others of it only
    /// once mail to a second domain has met it too.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub const fn kind(&self) -> ProviderErrorKind {
        self.kind
    }

    /// Returns the provider's own code for the failure, such as WorkOS's `mfa_enrollment`. It is
    /// safe to log: at most 64 ASCII letters, digits and underscores.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Says whether the provider may have acted although the call failed: redeemed the code, or
    /// sent the mail.
    ///
    /// It may after [`InvalidAnswer`](ProviderErrorKind::InvalidAnswer),
    /// [`TimedOut`](ProviderErrorKind::TimedOut) and
    /// [`Unavailable`](ProviderErrorKind::Unavailable), unless
    /// [`before_acting`](Self::before_acting) was called. Every other kind is the provider's own
    /// answer, and tells by itself what became of the code.
    #[must_use]
    pub const fn may_have_acted(&self) -> bool {
        use ProviderErrorKind as Kind;
        match self.kind {
            Kind::InvalidAnswer | Kind::TimedOut | Kind::Unavailable => {
                matches!(self.reach, Reach::Unknown)
            }
            Kind::Address
            | Kind::CodeExpired
            | Kind::CodeUsed
            | Kind::CodeWrong
            | Kind::Misconfigured
            | Kind::NotAllowed
            | Kind::OrganizationRequired
            | Kind::RateLimited
            | Kind::Refused
            | Kind::StepUpRequired
            | Kind::TooManyTries
            | Kind::Unsupported
            | Kind::WrongConnection => false,
        }
    }

    /// States that a typed code was compared, whatever the kind says.
    pub(crate) const fn after_comparing(mut self) -> Self {
        self.has_compared = true;
        self
    }

    /// Says whether a typed code was compared: it was a guess, and counts as one.
    pub(crate) const fn has_compared(&self) -> bool {
        use ProviderErrorKind as Kind;
        let is_compared = matches!(
            self.kind,
            Kind::CodeExpired | Kind::CodeUsed | Kind::CodeWrong | Kind::TooManyTries
        );
        self.has_compared || is_compared
    }

    /// States that another provider was asked before, whose answer did not come in time.
    pub(crate) const fn after_a_late_answer(mut self) -> Self {
        self.was_late = true;
        self
    }

    /// Says whether an answer did not come in time, of this provider or of one that was asked
    /// before, so that a mail may have been sent.
    pub(crate) const fn was_late(&self) -> bool {
        self.was_late || (matches!(self.kind, ProviderErrorKind::TimedOut) && self.may_have_acted())
    }

    /// Returns the choice of an organization, if the provider asks for one.
    #[must_use]
    pub fn choice(&self) -> Option<&OrganizationChoice> {
        self.choice.as_deref()
    }

    /// Returns how long to wait before another try, if the provider says.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the provider's id of the request: WorkOS's `X-Request-Id`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the HTTP status of the answer, if there was one.
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

/// Says whether a text is an identifier. The letter at its start rules out a six-digit code that
/// ended up in the wrong field. A key that did is none either.
fn is_identifier(text: &str) -> bool {
    text.len() <= LONGEST_CODE
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !may_be_secret(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever forgets to say it costs a person a mail, and never a try that cannot work.
    #[test]
    fn a_call_without_an_answer_may_have_been_acted_on_unless_somebody_knows_better() {
        use ProviderErrorKind::{
            CodeWrong, InvalidAnswer, Misconfigured, RateLimited, Refused, TimedOut, Unavailable,
        };
        let cases = [
            (InvalidAnswer, true),
            (TimedOut, true),
            (Unavailable, true),
            (CodeWrong, false),
            (Misconfigured, false),
            (RateLimited, false),
            (Refused, false),
        ];
        for (kind, want) in cases {
            assert_eq!(ProviderError::new(kind).may_have_acted(), want, "{kind}");
            let known = ProviderError::new(kind).before_acting();
            assert!(!known.may_have_acted(), "{kind}");
        }
    }

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
            ("an API key", "sk_test_a2V5", false),
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
