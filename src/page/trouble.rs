//! The page that says what went wrong: its words, and what belongs to this one.

use std::{borrow::Cow, time::Duration};

use super::{
    Resend,
    content::Hidden,
    parts::{has_resend, has_words},
};
use crate::{
    language::{Text, Words, default_words},
    rejection::RejectionKind,
};

/// Something did not work: the page of a refusal.
#[derive(Clone, Debug)]
pub struct TroublePage<'a> {
    action: Option<Hidden<'a>>,
    detail: Option<&'a str>,
    happened: Option<&'a str>,
    advice: Option<&'a str>,
    kind: RejectionKind,
    place: Place,
    resend: Option<Resend<'a>>,
    retry_after: Option<Duration>,
    words: Option<&'a Words>,
}

/// Where a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a frame of another page, in place of what it was to show.
    Frame,
    /// In a frame of another page, after a form in it was sent.
    FrameAfterForm,
    Window,
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
            place: Place::Window,
            resend: None,
            retry_after: None,
            words: None,
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
    /// asks for, if the kind is [`RejectionKind::StepUpRequired`], or which organization it is, if
    /// it is [`RejectionKind::OrganizationNotAllowed`].
    #[must_use]
    pub fn with_happened(mut self, happened: impl Into<Option<&'a str>>) -> Self {
        self.happened = happened.into();
        self
    }

    /// Adds a sentence on what to do now, in place of [`RejectionKind::advice`].
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Option<&'a str>>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Says that the page is shown in a frame (`<iframe>`), in place of what the frame was to show.
    #[must_use]
    pub const fn in_frame(mut self) -> Self {
        self.place = Place::Frame;
        self
    }

    /// Says that the page is shown in a frame, after a form in it was sent.
    pub(crate) const fn in_frame_after_form(mut self) -> Self {
        self.place = Place::FrameAfterForm;
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

    /// Returns a few words that name what did not work, in the language of the page.
    #[must_use]
    pub fn heading(&self) -> &'a str {
        self.part("heading")
    }

    /// Returns the label of the link that leads on, in the language of the page.
    #[must_use]
    pub fn way_on(&self) -> &'a str {
        self.part("way_on")
    }

    /// Returns what happened, in a sentence of the page's language: [`RejectionKind::happened`] or
    /// what stands in its place, or what became of the frame.
    #[must_use]
    pub fn happened(&self) -> &'a str {
        if !self.leads_out_of_frame() {
            return self.happened.unwrap_or_else(|| self.part("happened"));
        }
        self.words().say(match self.kind {
            RejectionKind::RecentSignInRequired => Text::FrameRecent,
            _ => Text::FrameHappened,
        })
    }

    /// Says whether a sentence stands in place of the kind's own. It may be an application's, of
    /// another direction.
    pub(crate) const fn has_own_sentence(&self) -> bool {
        self.happened.is_some() && !self.leads_out_of_frame()
    }

    fn part(&self, part: &str) -> &'a str {
        self.words().part(&["trouble", self.kind.story(), part])
    }

    /// Says whether [`action`](Self::action) opens in the whole window (`target="_top"`). This page
    /// is then shown in a frame, and the sign-in form cannot be.
    #[must_use]
    pub const fn opens_top(&self) -> bool {
        !matches!(self.place, Place::Window) && self.kind.wants_sign_in()
    }

    /// Says whether a frame shows this page in place of its own, for want of a sign-in.
    const fn leads_out_of_frame(&self) -> bool {
        matches!(self.place, Place::Frame) && self.kind.wants_sign_in()
    }

    /// Returns what to do now, in a sentence of the page's language: [`RejectionKind::advice`] or
    /// what stands in its place, or how long to wait where that is known.
    #[must_use]
    pub fn advice(&self) -> Cow<'a, str> {
        if self.leads_out_of_frame() {
            return self.words().say(Text::FrameAdvice).into();
        }
        match self.retry_after {
            Some(wait) => {
                let words = self.words();
                let wait = words.wait(wait);
                words
                    .fill_own(Text::TroubleWait, &[("time", &*wait)])
                    .into()
            }
            None => self.advice.unwrap_or_else(|| self.part("advice")).into(),
        }
    }

    /// Returns what the sentences are about, by its name.
    #[must_use]
    pub const fn detail(&self) -> Option<&'a str> {
        self.detail
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

has_resend! {
    TroublePage,
    /// Adds the way to a new link.
    with_resend,
    /// Returns the way to a new link.
    resend
}

has_words!(TroublePage);

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
