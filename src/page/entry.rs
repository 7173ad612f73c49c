//! The pages and forms for typing a code, and the page that leads on.

use std::time::Duration;

use super::{content::Hidden, parts::has_words};
use crate::language::{Words, default_words};

/// How long WorkOS accepts a mailed code.
const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A form with one field, `code`, for a code that was mailed.
#[derive(Clone, Copy, Debug)]
pub struct CodeEntry<'a> {
    action: Hidden<'a>,
    lifetime: Duration,
    problem: Option<CodeProblem>,
}

/// What is wrong with the code that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeProblem {
    /// It has expired.
    Expired,
    /// The field was empty. This does not count as a try.
    Missing,
    /// It did not sign in, and the browser has asked for a newer mail since. The code of that mail
    /// belongs on the page that opened then.
    Replaced,
    /// It was used already, or a newer one has replaced it.
    Used,
    /// It is not the code that was sent.
    Wrong,
}

impl<'a> CodeEntry<'a> {
    /// Makes the form, which posts `code` to `action`.
    #[must_use]
    pub const fn new(action: &'a str) -> Self {
        Self {
            action: Hidden(action),
            lifetime: CODE_LIFETIME,
            problem: None,
        }
    }

    /// Sets how long a code is good, counted from when it was sent. Default: ten minutes, as at
    /// WorkOS.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Adds what was wrong with the code at the last try.
    #[must_use]
    pub fn with_problem(mut self, problem: impl Into<Option<CodeProblem>>) -> Self {
        self.problem = problem.into();
        self
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns how long a code is good, counted from when it was sent.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns what was wrong with the code at the last try.
    #[must_use]
    pub const fn problem(&self) -> Option<CodeProblem> {
        self.problem
    }
}

/// The page that asks for the match code, if a link was opened in another browser.
///
/// The browser that began shows the match code. The form posts one field, `code`, to
/// [`action`](Self::action). The match code consists of letters, so that a person cannot confuse it
/// with the digits of a mailed code. Case, spaces and the dash do not matter.
#[derive(Clone, Debug)]
pub struct MatchPage<'a> {
    entry: CodeEntry<'a>,
    masked: Hidden<'a>,
    start_over: Hidden<'a>,
    words: Option<&'a Words>,
}

impl<'a> MatchPage<'a> {
    /// Makes the page for a sign-in of the masked address.
    ///
    /// `start_over` leads to the form for an address.
    #[must_use]
    pub const fn new(entry: CodeEntry<'a>, masked: &'a str, start_over: &'a str) -> Self {
        Self {
            entry,
            masked: Hidden(masked),
            start_over: Hidden(start_over),
            words: None,
        }
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.entry.action()
    }

    /// Returns the address, masked because the link may have reached another person.
    #[must_use]
    pub const fn masked(&self) -> &'a str {
        self.masked.0
    }

    /// Returns what was wrong with the code at the last try.
    #[must_use]
    pub const fn problem(&self) -> Option<CodeProblem> {
        self.entry.problem()
    }

    /// Returns where the form for an address is.
    #[must_use]
    pub const fn start_over(&self) -> &'a str {
        self.start_over.0
    }
}

/// The person is signed in, and the page leads on to the fragment that the browser has kept
/// (`#part`).
///
/// The layer shows it only if the form for an address was posted with a field `fragment` (see
/// [`LoginPage`](super::LoginPage)); otherwise it redirects. The page must lead to [`to`](Self::to)
/// in three ways: by a script that appends the kept fragment, without scripts by `<meta
/// http-equiv="refresh">` in a `<noscript>`, and by a link as the last resort.
///
/// The script must use the kept text as a fragment only, and then delete it. Setting the link's
/// `hash` ensures that; joining strings does not.
#[derive(Clone, Debug)]
pub struct OnwardPage<'a> {
    to: Hidden<'a>,
    words: Option<&'a Words>,
}

impl<'a> OnwardPage<'a> {
    /// Makes the page. It leads to `to`, which has no fragment.
    #[must_use]
    pub const fn new(to: &'a str) -> Self {
        Self {
            to: Hidden(to),
            words: None,
        }
    }

    /// Returns the address that the page leads to, without the fragment.
    #[must_use]
    pub const fn to(&self) -> &'a str {
        self.to.0
    }
}

has_words!(MatchPage);
has_words!(OnwardPage);
