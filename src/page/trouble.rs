//! The page that says what went wrong: its words, and what belongs to this one.

use std::{borrow::Cow, time::Duration};

use super::{Resend, content::Hidden};
use crate::{clock::words, rejection::RejectionKind};

/// Something did not work: the page of a refusal.
#[derive(Clone, Debug)]
pub struct TroublePage<'a> {
    action: Option<Hidden<'a>>,
    detail: Option<&'a str>,
    happened: Option<&'static str>,
    advice: Option<&'static str>,
    kind: RejectionKind,
    resend: Option<Resend<'a>>,
    retry_after: Option<Duration>,
}

impl<'a> TroublePage<'a> {
    /// Makes the page of a kind of refusal.
    #[must_use]
    pub const fn new(kind: RejectionKind) -> Self {
        Self {
            action: None,
            detail: None,
            happened: None,
            advice: None,
            kind,
            resend: None,
            retry_after: None,
        }
    }

    /// Adds where [`RejectionKind::way_on`] leads: a link, to be followed by GET.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<Option<&'a str>>) -> Self {
        self.action = action.into().map(Hidden);
        self
    }

    /// Adds what the sentences are about, by its name: `Cookie: __Host-magic-link`, `Open:
    /// https://app.example.com`. It must hold no secret and no address of a person.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Option<&'a str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds a sentence on what happened, in place of [`RejectionKind::happened`]: what the provider
    /// asks for, if the kind is [`RejectionKind::StepUpRequired`].
    #[must_use]
    pub fn with_happened(mut self, happened: impl Into<Option<&'static str>>) -> Self {
        self.happened = happened.into();
        self
    }

    /// Adds a sentence on what to do now, in place of [`RejectionKind::advice`].
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Option<&'static str>>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Adds the way to a new link.
    #[must_use]
    pub fn with_resend(mut self, resend: impl Into<Option<Resend<'a>>>) -> Self {
        self.resend = resend.into();
        self
    }

    /// Adds how long to wait before another try.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: impl Into<Option<Duration>>) -> Self {
        self.retry_after = retry_after.into();
        self
    }

    /// Returns where [`RejectionKind::way_on`] leads.
    #[must_use]
    pub fn action(&self) -> Option<&'a str> {
        self.action.map(|action| action.0)
    }

    /// Returns what to do now, in a sentence: [`RejectionKind::advice`] or what stands in its
    /// place, or how long to wait where that is known.
    #[must_use]
    pub fn advice(&self) -> Cow<'static, str> {
        match self.retry_after {
            Some(wait) => format!("Please try again in {}.", words::wait(wait)).into(),
            None => self.advice.unwrap_or(self.kind.advice()).into(),
        }
    }

    /// Returns what happened, in a sentence: [`RejectionKind::happened`] or what stands in its
    /// place.
    #[must_use]
    pub fn happened(&self) -> &'static str {
        self.happened.unwrap_or(self.kind.happened())
    }

    /// Returns what the sentences are about, by its name.
    #[must_use]
    pub const fn detail(&self) -> Option<&'a str> {
        self.detail
    }

    /// Returns the way to a new link.
    #[must_use]
    pub const fn resend(&self) -> Option<Resend<'a>> {
        self.resend
    }

    /// Returns how long to wait before another try.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns what did not work.
    #[must_use]
    pub const fn kind(&self) -> RejectionKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_wait_takes_the_place_of_the_advice() {
        let page = TroublePage::new(RejectionKind::RateLimited);
        assert_eq!(page.advice(), RejectionKind::RateLimited.advice());
        let page = page.with_retry_after(Duration::from_secs(61));
        assert_eq!(page.advice(), "Please try again in 1 minute and 1 second.");
    }
}
