//! What each page shows.
//!
//! - The target of a form or a link is a path and query on the layer's own origin, not yet escaped.
//! - The constructors are public, so that an application can test its own [`Pages`](super::Pages).
//! - `Debug` shows no address, path or match code.

use std::fmt;

use super::parts::{has_sent, has_words};
use crate::{
    language::{Words, default_words},
    secret::redacted,
};

/// What was mailed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sent {
    /// A code, to be typed on the page.
    Code,
    /// A link.
    #[default]
    Link,
    /// A link, and a code for reading the mail on another device.
    LinkAndCode,
}

/// The form that asks for an address.
///
/// It posts one field, `email`, to [`action`](Self::action).
///
/// It also posts `remember_me`, if the page [offers that](Self::offers_remember_me) and the person
/// ticks it.
///
/// It may also post a field `fragment`, with any value. The sign-in then ends with
/// [`OnwardPage`](super::OnwardPage) instead of a redirect. This is for a script that has kept
/// `location.hash`, the fragment of the page that the person asked for. Browsers keep the fragment
/// across the redirect to this page, and never send it.
///
/// The script should keep it in `localStorage`: the link may be opened in another tab, and a form
/// that is shown again after a [`problem`](Self::problem) has no fragment in its address. It should
/// keep the fragment under the `return_to` in [`action`](Self::action), or under `/` if there is
/// none.
#[derive(Clone, Debug)]
pub struct LoginPage<'a> {
    action: Hidden<'a>,
    application: Option<&'a str>,
    email: Option<Hidden<'a>>,
    problem: Option<LoginProblem>,
    remember_me: Option<RememberMe>,
    sent: Sent,
    way_back: WayBack,
    words: Option<&'a Words>,
}

/// Whether signing in leads back to the address that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WayBack {
    /// It does, or none was asked for.
    #[default]
    Kept,
    /// The address has more than 2,048 bytes. The person comes to the front page, and has to open
    /// the address again.
    TooLong,
}

/// The initial state of the tick box by which a person asks to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a box is ticked or it is not")]
pub enum RememberMe {
    /// It is not ticked.
    Offered,
    /// It is ticked, because the person ticked it at the last try.
    Ticked,
}

/// What is wrong with the address that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginProblem {
    /// It is not a single plain address that mail can be sent to.
    InvalidAddress,
    /// It has a character in it that nobody sees. [`LoginPage::email`] is without that.
    InvisibleCharacter,
    /// The field was empty.
    MissingAddress,
}

impl<'a> LoginPage<'a> {
    /// Makes the page, whose form posts to `action`.
    #[must_use]
    pub const fn new(action: &'a str) -> Self {
        Self {
            action: Hidden(action),
            application: None,
            email: None,
            problem: None,
            remember_me: None,
            sent: Sent::Link,
            way_back: WayBack::Kept,
            words: None,
        }
    }

    /// Adds the name of what the person signs in to. [`DefaultPages`](super::DefaultPages) shows it
    /// in place of its own.
    #[must_use]
    pub fn with_application(mut self, application: impl Into<Option<&'a str>>) -> Self {
        self.application = application.into();
        self
    }

    /// Adds the field's initial text. It need not be an address.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Option<&'a str>>) -> Self {
        self.email = email.into().map(Hidden);
        self
    }

    /// Adds what was wrong with the address at the last try.
    #[must_use]
    pub fn with_problem(mut self, problem: impl Into<Option<LoginProblem>>) -> Self {
        self.problem = problem.into();
        self
    }

    /// Adds the tick box by which the person asks to be remembered. Default: there is none.
    #[must_use]
    pub fn with_remember_me(mut self, remember_me: impl Into<Option<RememberMe>>) -> Self {
        self.remember_me = remember_me.into();
        self
    }

    /// Adds whether signing in leads back to the address that was asked for. Default:
    /// [`WayBack::Kept`].
    #[must_use]
    pub const fn with_way_back(mut self, way_back: WayBack) -> Self {
        self.way_back = way_back;
        self
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns whether signing in leads back to the address that was asked for.
    #[must_use]
    pub const fn way_back(&self) -> WayBack {
        self.way_back
    }

    /// Returns the name of what the person signs in to.
    #[must_use]
    pub const fn application(&self) -> Option<&'a str> {
        self.application
    }

    /// Returns the field's initial text.
    #[must_use]
    pub fn email(&self) -> Option<&'a str> {
        self.email.map(|email| email.0)
    }

    /// Returns what was wrong with the address at the last try.
    #[must_use]
    pub const fn problem(&self) -> Option<LoginProblem> {
        self.problem
    }

    /// Says whether the page should let the person ask to be remembered
    /// ([`Builder::remember_me`](crate::Builder::remember_me)).
    ///
    /// The form posts a field `remember_me` with the value `on` or `true`. Any other value, or
    /// none, is no.
    #[must_use]
    pub const fn offers_remember_me(&self) -> bool {
        self.remember_me.is_some()
    }

    /// Returns the tick box, if the page should have one.
    #[must_use]
    pub const fn remember_me(&self) -> Option<RememberMe> {
        self.remember_me
    }
}

has_sent! {
    LoginPage,
    /// Adds what will be mailed. Default: a link.
    with_sent,
    /// Returns what will be mailed.
    sent
}

/// A click is needed before something happens.
#[derive(Clone, Debug)]
pub struct ConfirmPage<'a> {
    action: Hidden<'a>,
    confirmation: Confirmation<'a>,
    words: Option<&'a Words>,
}

/// What is about to happen.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Confirmation<'a> {
    /// Signing in by a link that was opened in another browser than the one that began.
    ///
    /// The form posts no field to sign in here, and `answer=no` to decline. The button that
    /// declines should come first in the page: a robot that presses all buttons then presses it
    /// first.
    SignIn {
        /// Whose sign-in it is, masked.
        masked: &'a str,
    },
    /// Signing out.
    ///
    /// The form posts no field to sign out here, and `everywhere=true` to sign out on every device,
    /// however the person signed in there.
    SignOut {
        /// Who is signed in.
        email: &'a str,
    },
}

impl<'a> ConfirmPage<'a> {
    /// Makes the page, whose form posts to `action`.
    #[must_use]
    pub const fn new(action: &'a str, confirmation: Confirmation<'a>) -> Self {
        Self {
            action: Hidden(action),
            confirmation,
            words: None,
        }
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns what is about to happen.
    #[must_use]
    pub const fn confirmation(&self) -> Confirmation<'a> {
        self.confirmation
    }
}

impl fmt::Debug for Confirmation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn { masked } => f
                .debug_struct("SignIn")
                .field("masked", &Hidden(masked))
                .finish(),
            Self::SignOut { email } => f
                .debug_struct("SignOut")
                .field("email", &Hidden(email))
                .finish(),
        }
    }
}

/// The person is signed out.
#[derive(Clone, Debug)]
pub struct SignedOutPage<'a> {
    sign_in: Hidden<'a>,
    words: Option<&'a Words>,
}

impl<'a> SignedOutPage<'a> {
    /// Makes the page. `sign_in` leads to the form for an address.
    #[must_use]
    pub const fn new(sign_in: &'a str) -> Self {
        Self {
            sign_in: Hidden(sign_in),
            words: None,
        }
    }

    /// Returns where the form for an address is.
    #[must_use]
    pub const fn sign_in(&self) -> &'a str {
        self.sign_in.0
    }
}

/// Text that `Debug` does not show.
#[derive(Clone, Copy)]
pub(super) struct Hidden<'a>(pub(super) &'a str);

redacted!(Hidden<'_>);

has_words!(LoginPage);
has_words!(ConfirmPage);
has_words!(SignedOutPage);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{CheckPage, Resend, TroublePage};
    use super::*;
    use crate::rejection::RejectionKind;

    #[test]
    fn debug_shows_no_address_path_or_code() {
        let resend = Resend::new("/auth/login?secret", "secret@example.com");
        let pages = [
            format!(
                "{:?}",
                LoginPage::new("/auth/login?secret").with_email("secret@example.com")
            ),
            format!(
                "{:?}",
                CheckPage::new("/auth/login?secret", Duration::from_secs(900))
                    .with_email("secret@example.com")
                    .with_match_code("secret")
                    .with_resend(resend)
            ),
            format!(
                "{:?}",
                ConfirmPage::new(
                    "/auth/logout?secret",
                    Confirmation::SignOut {
                        email: "secret@example.com"
                    }
                )
            ),
            format!("{:?}", SignedOutPage::new("/auth/login?secret")),
            format!(
                "{:?}",
                TroublePage::new(RejectionKind::LinkUsed)
                    .with_action("/auth/login?secret")
                    .with_resend(resend)
            ),
        ];
        for debug in pages {
            assert!(!debug.contains("secret"), "{debug}");
            assert!(debug.contains("[redacted]"), "{debug}");
        }
    }
}
