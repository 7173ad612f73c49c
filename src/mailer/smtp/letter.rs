//! `Letter`: a mail as its reader sees it.

use std::fmt;

use crate::mailer::Mail;

/// A rendering of a [`Mail`]: its subject and its parts. `Debug` shows none of them, since they
/// hold the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
}

impl Letter {
    /// Makes a letter of plain text. A control character in the subject becomes a space.
    #[must_use]
    pub fn new(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            text: text.into(),
            html: None,
        }
    }

    /// Makes the default rendering of a mail.
    #[must_use]
    pub fn of(mail: &Mail<'_>) -> Self {
        Self::new(mail.subject(), mail.text()).with_html(mail.html())
    }

    /// Adds an HTML document. Most clients show it in place of the text. The text is for the
    /// others, and should say the same.
    ///
    /// The caller must escape every text from outside in it.
    #[must_use]
    pub fn with_html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("has_html", &self.html.is_some())
            .finish_non_exhaustive()
    }
}
