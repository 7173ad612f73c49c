//! `Mail`: the link or the code to mail.
//!
//! - It has one recipient, and a link, a code or both, each with its lifetime.
//! - The code is in the text, never in the subject: locked screens show subjects, and mail servers
//!   log them.
//! - `Debug` shows neither link nor code, and masks the address.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    email::Email,
    language::{Words, default_words},
    provider::{Link, OneTimeCode},
};

/// A mail to send. `Debug` shows neither the link, nor the code, nor the whole address.
///
/// The layer makes it. An application makes one only to test its own
/// [`Mailer`](crate::mailer::Mailer).
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{Email, clock::Timestamp, mailer::Mail, provider::Link};
///
/// let (to, link) = ("ada@example.com".parse()?, Link::new("https://app.example.com/auth/open?t=…"));
/// let mail = Mail::new(&to, Timestamp::from_secs(1_767_225_600))
///     .with_link(&link, Duration::from_secs(15 * 60))
///     .with_application("Acme");
/// assert_eq!(mail.subject(), "Sign in to Acme");
/// assert!(mail.text().contains("\nhttps://app.example.com/auth/open?t=…\n"));
/// # Ok::<(), tower_magic_link::InvalidEmail>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    to: &'a Email,
    sent_at: Timestamp,
    link: Option<(&'a Link, Duration)>,
    code: Option<(&'a OneTimeCode, Duration)>,
    application: Option<&'a str>,
    language: Option<&'a str>,
    words: Option<&'a Words>,
}

impl<'a> Mail<'a> {
    /// Makes an empty mail, dated now.
    #[must_use]
    pub const fn new(to: &'a Email, now: Timestamp) -> Self {
        Self {
            to,
            sent_at: now,
            link: None,
            code: None,
            application: None,
            language: None,
            words: None,
        }
    }

    /// Adds the link, which is good for `lifetime`.
    #[must_use]
    pub const fn with_link(mut self, link: &'a Link, lifetime: Duration) -> Self {
        self.link = Some((link, lifetime));
        self
    }

    /// Adds the code, which is good for `lifetime`.
    #[must_use]
    pub const fn with_code(mut self, code: &'a OneTimeCode, lifetime: Duration) -> Self {
        self.code = Some((code, lifetime));
        self
    }

    /// Adds the name of what the recipient signs in to.
    #[must_use]
    pub fn with_application(mut self, application: impl Into<Option<&'a str>>) -> Self {
        self.application = application.into();
        self
    }

    /// Adds the language that the recipient reads, as a BCP 47 tag: `de-AT`.
    #[must_use]
    pub fn with_language(mut self, language: impl Into<Option<&'a str>>) -> Self {
        self.language = language.into();
        self
    }

    /// Sets the language that [`subject`](Self::subject), [`text`](Self::text) and
    /// [`html`](Self::html) are written in. Default: English.
    #[must_use]
    pub const fn with_words(mut self, words: &'a Words) -> Self {
        self.words = Some(words);
        self
    }

    /// Returns the one recipient.
    #[must_use]
    pub const fn to(&self) -> &'a Email {
        self.to
    }

    /// Returns the link that signs the recipient in. `None` when only a code is mailed.
    #[must_use]
    pub fn link(&self) -> Option<&'a Link> {
        self.link.map(|(link, _)| link)
    }

    /// Returns the code that the recipient types in the browser that began. `None` when only a link
    /// is mailed.
    #[must_use]
    pub fn code(&self) -> Option<&'a OneTimeCode> {
        self.code.map(|(code, _)| code)
    }

    /// Returns when the mail was made, by the layer's clock: its `Date`.
    #[must_use]
    pub const fn sent_at(&self) -> Timestamp {
        self.sent_at
    }

    /// Returns when the mail expires: [`sent_at`](Self::sent_at) plus [`lifetime`](Self::lifetime).
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.sent_at + self.lifetime()
    }

    /// Returns how long the link is good: 1 minute to 24 hours, and within the provider's own
    /// range. Without a link, it is the code's lifetime.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let lifetime = self.link.map(|(_, lifetime)| lifetime);
        lifetime.or(self.code_lifetime()).unwrap_or_default()
    }

    /// Returns how long the code is good: 10 minutes at WorkOS. `None` without a code.
    #[must_use]
    pub fn code_lifetime(&self) -> Option<Duration> {
        self.code.map(|(_, lifetime)| lifetime)
    }

    /// Returns the name of what the recipient signs in to:
    /// [`Builder::application_name`](crate::Builder::application_name).
    #[must_use]
    pub const fn application(&self) -> Option<&'a str> {
        self.application
    }

    /// Returns the language that the recipient prefers: `de-AT`.
    ///
    /// It comes from the request that asked for the mail: from the hook of
    /// [`Builder::language`](crate::Builder::language), or else from `Accept-Language`. It has the
    /// form of a BCP 47 tag of at most 35 characters; the layer checks nothing else. So it may be a
    /// language that the layer has no table of: the default rendering is in [`words`](Self::words).
    #[must_use]
    pub const fn language(&self) -> Option<&'a str> {
        self.language
    }

    /// Returns the language that the default rendering is written in: the one of
    /// [`Builder::languages`](crate::Builder::languages) that the recipient prefers.
    #[must_use]
    pub fn words(&self) -> &'a Words {
        match self.words {
            Some(words) => words,
            None => default_words(),
        }
    }
}
