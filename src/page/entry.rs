//! Pages and forms into which a code is typed, and the page that leads on.

use std::time::Duration;

use super::content::Hidden;

/// How long WorkOS takes a mailed code.
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
    /// It was good for a while, and that is over.
    Expired,
    /// The field was empty. It was no try.
    Missing,
    /// It has signed somebody in already, or a newer one has taken its place.
    Used,
    /// It is another one.
    Wrong,
}

impl<'a> CodeEntry<'a> {
    /// Makes the form: it posts `code` to `action`.
    #[must_use]
    pub const fn new(action: &'a str) -> Self {
        Self {
            action: Hidden(action),
            lifetime: CODE_LIFETIME,
            problem: None,
        }
    }

    /// Sets how long a code is good, counted from when it was sent. Default: ten minutes, as WorkOS
    /// has it.
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

/// The link was opened in another browser than the one that began: the page asks for the match code
/// that the first one shows.
///
/// It posts one field, `code`, to [`action`](Self::action). The code is letters, so that nobody
/// takes it for the digits of a mailed one; case, spaces and the dash do not matter.
#[derive(Clone, Debug)]
pub struct MatchPage<'a> {
    entry: CodeEntry<'a>,
    masked: Hidden<'a>,
    start_over: Hidden<'a>,
}

impl<'a> MatchPage<'a> {
    /// Makes the page for a sign-in of the masked address; `start_over` leads to the form for an
    /// address.
    #[must_use]
    pub const fn new(entry: CodeEntry<'a>, masked: &'a str, start_over: &'a str) -> Self {
        Self {
            entry,
            masked: Hidden(masked),
            start_over: Hidden(start_over),
        }
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.entry.action()
    }

    /// Returns the masked address: who opened the link need not be whom it was mailed to.
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

/// The person is signed in, and the browser has kept the fragment of where they wanted to go
/// (`#part`): the page leads there.
///
/// It is shown only when the form for an address was posted with a field `fragment` (see
/// [`LoginPage`](super::LoginPage)); else the answer is a redirect. The page must lead to
/// [`to`](Self::to): at once by a script that puts the kept fragment behind it, by `<meta
/// http-equiv="refresh">` in a `<noscript>` where there is none, and by a link for whoever is left.
/// Its script must take what it kept as a fragment and as nothing else, and forget it: setting the
/// `hash` of the link does that, joining texts does not.
#[derive(Clone, Debug)]
pub struct OnwardPage<'a> {
    to: Hidden<'a>,
}

impl<'a> OnwardPage<'a> {
    /// Makes the page; it leads to `to`, which has no fragment.
    #[must_use]
    pub const fn new(to: &'a str) -> Self {
        Self { to: Hidden(to) }
    }

    /// Returns where the page leads, without the fragment.
    #[must_use]
    pub const fn to(&self) -> &'a str {
        self.to.0
    }
}
