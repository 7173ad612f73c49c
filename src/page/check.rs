//! "Check your email", and the way to a new one.

use std::time::Duration;

use super::{
    CodeEntry,
    content::{Hidden, Sent},
};

/// "Check your email": a link has been sent.
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
}

/// What opening the link in another browser comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrossDevice {
    /// It signs in there, after a click.
    Confirm,
    /// It signs in there, once the match code is typed.
    #[default]
    MatchCode,
    /// Nothing.
    Refuse,
}

impl<'a> CheckPage<'a> {
    /// Makes the page for a link that is good for `link_lifetime`; `start_over` leads to the form
    /// for an address.
    #[must_use]
    pub const fn new(start_over: &'a str, link_lifetime: Duration) -> Self {
        Self {
            code_entry: None,
            email: None,
            link_lifetime,
            match_code: None,
            cross_device: CrossDevice::Refuse,
            resend: None,
            sent: Sent::Link,
            start_over: Hidden(start_over),
        }
    }

    /// Adds the address that the link was sent to.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Option<&'a str>>) -> Self {
        self.email = email.into().map(Hidden);
        self
    }

    /// Adds the code that another browser asks for. A page must show it as the text of
    /// `#match-code`.
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

    /// Adds what opening the link in another browser comes to. Default: nothing.
    #[must_use]
    pub const fn with_cross_device(mut self, cross_device: CrossDevice) -> Self {
        self.cross_device = cross_device;
        self
    }

    /// Adds what was mailed. Default: a link.
    #[must_use]
    pub const fn with_sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// Adds the way to a new link.
    #[must_use]
    pub fn with_resend(mut self, resend: impl Into<Option<Resend<'a>>>) -> Self {
        self.resend = resend.into();
        self
    }

    /// Returns the field for a mailed code.
    #[must_use]
    pub const fn code_entry(&self) -> Option<CodeEntry<'a>> {
        self.code_entry
    }

    /// Returns what opening the link in another browser comes to.
    #[must_use]
    pub const fn cross_device(&self) -> CrossDevice {
        self.cross_device
    }

    /// Returns what was mailed.
    #[must_use]
    pub const fn sent(&self) -> Sent {
        self.sent
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

    /// Returns the code that another browser asks for.
    #[must_use]
    pub fn match_code(&self) -> Option<&'a str> {
        self.match_code.map(|code| code.0)
    }

    /// Returns the way to a new link.
    #[must_use]
    pub const fn resend(&self) -> Option<Resend<'a>> {
        self.resend
    }

    /// Returns where the form for an address is.
    #[must_use]
    pub const fn start_over(&self) -> &'a str {
        self.start_over.0
    }
}

/// The way to a new link without typing the address again: a form with a hidden field, `email`, and
/// where there is one a second, `t`.
#[derive(Clone, Copy, Debug)]
pub struct Resend<'a> {
    action: Hidden<'a>,
    attempt: Option<Hidden<'a>>,
    email: Hidden<'a>,
    sent: Sent,
    wait: Option<Duration>,
}

impl<'a> Resend<'a> {
    /// Makes the form: it posts `email` to `action`.
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

    /// Adds the attempt that goes on with the new link, as the form's field `t`.
    #[must_use]
    pub fn with_attempt(mut self, attempt: impl Into<Option<&'a str>>) -> Self {
        self.attempt = attempt.into().map(Hidden);
        self
    }

    /// Adds what the form has mailed. Default: a link. [`DefaultPages`](super::DefaultPages) names
    /// its button on a trouble's page after it.
    #[must_use]
    pub const fn with_sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// Adds how long it is until the form will be heeded: one that is posted sooner sends nothing.
    #[must_use]
    pub fn with_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.wait = wait.into();
        self
    }

    /// Returns the attempt that goes on with the new link: the value of the hidden field `t`.
    #[must_use]
    pub fn attempt(&self) -> Option<&'a str> {
        self.attempt.map(|attempt| attempt.0)
    }

    /// Returns what the form has mailed.
    #[must_use]
    pub const fn sent(&self) -> Sent {
        self.sent
    }

    /// Returns how long it is until the form will be heeded.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns the value of the hidden field.
    #[must_use]
    pub const fn email(&self) -> &'a str {
        self.email.0
    }
}
