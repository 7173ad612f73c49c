//! "Check your email", and the form that asks for a new one.

use std::time::Duration;

use super::{
    CodeEntry,
    content::{Hidden, Sent},
    parts::{has_resend, has_sent, has_words},
};
use crate::language::{Words, default_words};

/// "Check your email": the page after a mail was asked for.
///
/// It is shown for an address that gets no mail too, with the same data: it must not reveal which
/// addresses may sign in. So it should say what to do if nothing comes: check the spelling, or ask
/// the people who run the application.
#[derive(Clone, Debug)]
pub struct CheckPage<'a> {
    code_entry: Option<CodeEntry<'a>>,
    email: Option<Hidden<'a>>,
    link_lifetime: Duration,
    match_code: Option<Hidden<'a>>,
    cross_device: CrossDevice,
    resend: Option<Resend<'a>>,
    sent: Sent,
    start_over: Hidden<'a>,
    words: Option<&'a Words>,
}

/// What happens when the link is opened in another browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrossDevice {
    /// That browser is signed in after a click.
    Confirm,
    /// That browser is signed in once the match code is typed.
    #[default]
    MatchCode,
    /// That browser is never signed in.
    Refuse,
}

impl<'a> CheckPage<'a> {
    /// Makes the page for a link that is good for `link_lifetime`.
    ///
    /// `start_over` leads to the form for an address.
    #[must_use]
    pub const fn new(start_over: &'a str, link_lifetime: Duration) -> Self {
        Self {
            code_entry: None,
            email: None,
            link_lifetime,
            match_code: None,
            // A page that a test makes without a word promises the least.
            cross_device: CrossDevice::Refuse,
            resend: None,
            sent: Sent::Link,
            start_over: Hidden(start_over),
            words: None,
        }
    }

    /// Adds the address that the link was sent to.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Option<&'a str>>) -> Self {
        self.email = email.into().map(Hidden);
        self
    }

    /// Adds the match code, which another browser asks for. A page must show it as the text of
    /// `#match-code`, and keep translators off it (`translate="no"`), as off the field for a code.
    #[must_use]
    pub fn with_match_code(mut self, match_code: impl Into<Option<&'a str>>) -> Self {
        self.match_code = match_code.into().map(Hidden);
        self
    }

    /// Adds the field for a mailed code.
    #[must_use]
    pub fn with_code_entry(mut self, entry: impl Into<Option<CodeEntry<'a>>>) -> Self {
        self.code_entry = entry.into();
        self
    }

    /// Adds what happens when the link is opened in another browser. Default:
    /// [`CrossDevice::Refuse`].
    #[must_use]
    pub const fn with_cross_device(mut self, cross_device: CrossDevice) -> Self {
        self.cross_device = cross_device;
        self
    }

    /// Returns the field for a mailed code.
    #[must_use]
    pub const fn code_entry(&self) -> Option<CodeEntry<'a>> {
        self.code_entry
    }

    /// Returns what happens when the link is opened in another browser.
    #[must_use]
    pub const fn cross_device(&self) -> CrossDevice {
        self.cross_device
    }

    /// Returns the address that the link was sent to; `None` in a browser that did not begin the
    /// sign-in.
    #[must_use]
    pub fn email(&self) -> Option<&'a str> {
        self.email.map(|email| email.0)
    }

    /// Returns how long the link is good, counted from when it was sent.
    #[must_use]
    pub const fn link_lifetime(&self) -> Duration {
        self.link_lifetime
    }

    /// Returns the match code, which another browser asks for.
    #[must_use]
    pub fn match_code(&self) -> Option<&'a str> {
        self.match_code.map(|code| code.0)
    }

    /// Returns where the form for an address is.
    #[must_use]
    pub const fn start_over(&self) -> &'a str {
        self.start_over.0
    }
}

has_sent! {
    CheckPage,
    /// Adds what was mailed. Default: a link.
    with_sent,
    /// Returns what was mailed.
    sent
}

has_resend! {
    CheckPage,
    /// Adds the form that asks for a new mail.
    with_resend,
    /// Returns the form that asks for a new mail.
    resend
}

/// A form that asks for a new mail, so that the person need not type the address again.
///
/// It has a hidden field `email`, and a hidden field `t` if there is an [`attempt`](Self::attempt).
#[derive(Clone, Copy, Debug)]
pub struct Resend<'a> {
    action: Hidden<'a>,
    attempt: Option<Hidden<'a>>,
    email: Hidden<'a>,
    sent: Sent,
    wait: Option<Duration>,
}

impl<'a> Resend<'a> {
    /// Makes the form, which posts `email` to `action`.
    #[must_use]
    pub const fn new(action: &'a str, email: &'a str) -> Self {
        Self {
            action: Hidden(action),
            attempt: None,
            email: Hidden(email),
            sent: Sent::Link,
            wait: None,
        }
    }

    /// Adds the attempt that the new link continues, as the form's field `t`.
    #[must_use]
    pub fn with_attempt(mut self, attempt: impl Into<Option<&'a str>>) -> Self {
        self.attempt = attempt.into().map(Hidden);
        self
    }

    /// Adds how long the person has to wait: a form that is posted sooner sends nothing.
    #[must_use]
    pub fn with_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.wait = wait.into();
        self
    }

    /// Returns the attempt that the new link continues: the value of the hidden field `t`.
    #[must_use]
    pub fn attempt(&self) -> Option<&'a str> {
        self.attempt.map(|attempt| attempt.0)
    }

    /// Returns how long the person has to wait.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns the value of the hidden field `email`.
    #[must_use]
    pub const fn email(&self) -> &'a str {
        self.email.0
    }
}

has_sent! {
    Resend,
    /// Adds what the form asks for. Default: a link. On a [`TroublePage`](super::TroublePage),
    /// [`DefaultPages`](super::DefaultPages) labels its button accordingly.
    with_sent,
    /// Returns what the form asks for.
    sent
}

has_words!(CheckPage);
