//! `Rejection`: why a request was refused, as data. The room `answer` says it in each audience's
//! language.

use std::{borrow::Cow, time::Duration};

use http::StatusCode;

mod kind;
mod step_up;
mod words;

pub use self::kind::RejectionKind;

/// How long a client is asked to wait where nobody said.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Why a request was refused. The layer leaves it in the response's extensions, for a log or a
/// metric.
///
/// ```
/// use tower_magic_link::{Rejection, RejectionKind};
///
/// fn is_outage<B>(response: &http::Response<B>) -> bool {
///     let rejection = response.extensions().get::<Rejection>();
///     rejection.is_some_and(|rejection| rejection.kind() == RejectionKind::StoreUnavailable)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    kind: RejectionKind,
    allow: Option<&'static str>,
    /// A detail for the page, which the person can pass on to support. It holds no secret.
    detail: Option<Box<str>>,
    retry_after: Option<Duration>,
    /// The sentences in place of those of the kind.
    happened: Option<Cow<'static, str>>,
    advice: Option<&'static str>,
    /// Why the application refuses, in its own words.
    reason: Option<Box<str>>,
    /// Whether a provider has compared the typed code, although the kind does not say so.
    has_compared: bool,
}

impl Rejection {
    pub(crate) const fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            allow: None,
            detail: None,
            retry_after: None,
            happened: None,
            advice: None,
            reason: None,
            has_compared: false,
        }
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(RejectionKind::MethodNotAllowed)
        }
    }

    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Has the page say which step the provider asks for, by the provider's code.
    pub(crate) fn with_step(mut self, code: Option<&str>) -> Self {
        if let Some(words) = code.and_then(step_up::words_of) {
            self.happened = Some(words.happened.into());
            self.advice = Some(words.advice);
        }
        self
    }

    /// Has the page, or the program's problem, say what the application gives as its reason.
    pub(crate) fn with_reason(mut self, reason: String) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Has the page say what happened in a sentence of its own, which may name an organization.
    pub(crate) fn with_happened(mut self, happened: String) -> Self {
        self.happened = Some(happened.into());
        self
    }

    /// Has the page say what to do now in a sentence of its own.
    pub(crate) const fn with_advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// Records that a provider has compared the typed code.
    pub(crate) const fn after_comparing(mut self) -> Self {
        self.has_compared = true;
        self
    }

    /// Says whether a provider has compared the typed code.
    pub(crate) const fn has_compared(&self) -> bool {
        self.has_compared
    }

    /// Returns why the request was refused.
    #[must_use]
    pub const fn kind(&self) -> RejectionKind {
        self.kind
    }

    pub(crate) const fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    pub(crate) fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns the sentence on what happened, if it is not the kind's.
    pub(crate) fn happened(&self) -> Option<&str> {
        self.reason().or(self.happened.as_deref())
    }

    /// Returns why the application refuses, if it says so.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns the sentence on what to do now, if it is not the kind's.
    pub(crate) const fn advice(&self) -> Option<&'static str> {
        self.advice
    }

    /// Returns how long the client was asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        // A client without a hint would come back at once, when the load is highest.
        let waits = matches!(
            self.kind.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        self.retry_after.or(waits.then_some(DEFAULT_WAIT))
    }
}
