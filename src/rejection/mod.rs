//! `Rejection`: why a request was refused, as data. The room `answer` says it in each audience's
//! language.

use std::time::Duration;

use http::StatusCode;

use crate::language::{Text, Words};

mod kind;
mod step_up;
mod words;

pub use self::kind::RejectionKind;

/// How long a client is asked to wait where nobody said.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
/// How long to wait for clocks to be set right.
const CLOCK_WAIT: Duration = Duration::from_secs(120);

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
    /// The cookie that did not come back, and the origin that it is set for. The person can pass
    /// both on to support.
    cookie: Option<Box<(String, String)>>,
    retry_after: Option<Duration>,
    /// What is said in place of the kind's sentences.
    told: Option<Told>,
    /// Why the application refuses, in its own words.
    reason: Option<Box<str>>,
    /// Whether a provider has compared the typed code, although the kind does not say so.
    has_compared: bool,
}

/// What is said of a refusal in place of the kind's sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// The organization that the person may not sign in to.
    Organization(Box<str>, Left),
    /// What the provider asks for, by the name of its sentences.
    Step(&'static str),
    /// What was brought will be too old by the end of the wait. The advice of another kind helps.
    TooLate(RejectionKind),
    /// The application was working on what was sent.
    Begun,
}

/// What is left to choose after an organization was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// No other organization.
    Nothing,
    /// Other organizations.
    Others,
    /// Nothing: what proved the address is used up.
    Spent,
}

impl Rejection {
    pub(crate) const fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            allow: None,
            cookie: None,
            retry_after: None,
            told: None,
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

    pub(crate) fn with_cookie(mut self, name: &str, origin: &str) -> Self {
        self.cookie = Some(Box::new((name.to_owned(), origin.to_owned())));
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Has the page say which step the provider asks for, by the provider's code.
    pub(crate) fn with_step(mut self, code: Option<&str>) -> Self {
        if let Some(words) = code.and_then(step_up::words_of) {
            self.told = Some(Told::Step(words.name));
        }
        self
    }

    /// Has the page, or the program's problem, say what the application gives as its reason.
    pub(crate) fn with_reason(mut self, reason: String) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Has the page say which organization the person may not sign in to, and what is left.
    pub(crate) fn with_organization(mut self, name: String, left: Left) -> Self {
        self.told = Some(Told::Organization(name.into(), left));
        self
    }

    /// Has the page and the program's problem say that the application was working on the request.
    pub(crate) fn begun(mut self) -> Self {
        self.told = Some(Told::Begun);
        self
    }

    /// Says whether the application was working on the request.
    pub(crate) fn has_begun(&self) -> bool {
        self.told == Some(Told::Begun)
    }

    /// Has the page say what to do in place of a wait after which it will be too late.
    pub(crate) fn too_late(mut self, advice_of: RejectionKind) -> Self {
        self.told = Some(Told::TooLate(advice_of));
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

    /// Returns a detail for the page, if there is one. It holds no secret.
    pub(crate) fn detail(&self, words: &Words) -> Option<String> {
        let (cookie, origin) = self.cookie.as_deref()?;
        let places = [("cookie", &**cookie), ("origin", &**origin)];
        Some(words.fill(Text::TroubleCookie, &places))
    }

    /// Returns the sentence on what happened, if it is not the kind's.
    pub(crate) fn happened(&self, words: &Words) -> Option<String> {
        if let Some(reason) = self.reason() {
            return Some(reason.to_owned());
        }
        Some(match self.told.as_ref()? {
            Told::Organization(name, left) => {
                let text = match left {
                    Left::Others => Text::ChooseRefused,
                    Left::Nothing => Text::ChooseRefusedLast,
                    Left::Spent => Text::ChooseRefusedSpent,
                };
                words.fill(text, &[("organization", name)])
            }
            Told::Step(name) => words.part(&["step", name, "happened"]).to_owned(),
            Told::Begun => words.say(Text::BegunHappened).to_owned(),
            Told::TooLate(_) => return None,
        })
    }

    /// Returns why the application refuses, if it says so.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns the sentence on what to do now, if it is not the kind's.
    pub(crate) fn advice<'w>(&self, words: &'w Words) -> Option<&'w str> {
        match self.told.as_ref()? {
            Told::Organization(_, Left::Others) => Some(words.say(Text::ChooseRefusedAdvice)),
            // A new mail would offer the same ones.
            Told::Organization(_, Left::Nothing) => {
                Some(words.part(&["trouble", RejectionKind::NotAllowed.story(), "advice"]))
            }
            Told::Organization(_, Left::Spent) => None,
            Told::Step(name) => Some(words.part(&["step", name, "advice"])),
            Told::Begun => Some(words.say(Text::BegunAdvice)),
            Told::TooLate(kind) => Some(words.part(&["trouble", kind.story(), "advice"])),
        }
    }

    /// Returns how long the page asks the person to wait, before what it offers is of use.
    pub(crate) fn wait_of_page(&self) -> Option<Duration> {
        let says_what_to_do = matches!(self.told, Some(Told::Begun | Told::TooLate(_)));
        self.retry_after().filter(|_| !says_what_to_do)
    }

    /// Returns how long the client was asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        // A client without a hint would come back at once, when the load is highest.
        let by_default = match self.kind {
            // The cookie is gone: another try would end nothing, and say that all is well.
            RejectionKind::SignOutNotRecorded => None,
            // Clocks that are over a minute apart are not right in five seconds.
            RejectionKind::ClockWrong => Some(CLOCK_WAIT),
            _ => matches!(
                self.kind.status(),
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
            )
            .then_some(DEFAULT_WAIT),
        };
        self.retry_after.or(by_default)
    }
}
