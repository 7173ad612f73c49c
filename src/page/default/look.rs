//! `DefaultPages`: what an application sets on the default pages.

use super::contact::Contact;
use crate::error::ConfigError;

pub(super) const STYLE: &str = include_str!("../templates/style.css");

/// The crate's own pages: plain, accessible, light or dark as the reader prefers.
///
/// ```
/// use tower_magic_link::page::{DefaultPages, LoginPage, Page, Pages};
///
/// let pages = DefaultPages::new().application_name("Acme <Labs>");
/// let html = pages.render(&Page::Login(LoginPage::new("/auth/login?return_to=%2Freports")));
/// assert!(html.contains("<title>Sign in · Acme &#60;Labs&#62;</title>"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DefaultPages {
    application_name: Option<String>,
    support: Option<Contact>,
}

/// The frame around every page.
pub(super) struct Frame<'a> {
    pub(super) application: Option<&'a str>,
    pub(super) style: &'a str,
    pub(super) support: Option<&'a Contact>,
}

impl DefaultPages {
    /// Makes pages that name no application.
    pub const fn new() -> Self {
        Self {
            application_name: None,
            support: None,
        }
    }

    /// Sets the application's name: every page shows it above its heading and in its title.
    /// Default: none.
    ///
    /// Any text: the pages escape it. On the form for an address,
    /// [`Builder::application_name`](crate::Builder::application_name) replaces it.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Sets whom people ask if signing in does not work: an email address, or a URL of https of up
    /// to 500 characters. Default: none.
    ///
    /// Every page of a failure ([`Page::Trouble`](crate::page::Page::Trouble)) then ends with a
    /// line that links to it, and so does the page that waits for the mail, under "Nothing yet?".
    /// Everyone can read it there.
    ///
    /// ```
    /// use tower_magic_link::{RejectionKind, page::{DefaultPages, Page, Pages, TroublePage}};
    ///
    /// let pages = DefaultPages::new().support("help@example.com")?;
    /// let html = pages.render(&Page::Trouble(TroublePage::new(RejectionKind::LinkUsed)));
    /// assert!(html.contains("href=\"mailto:help@example.com\""));
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is neither, or if the URL holds a user name or password. The error
    /// shows the first 80 characters of the value, unless they may be a password.
    pub fn support(mut self, contact: impl AsRef<str>) -> Result<Self, ConfigError> {
        self.support = Some(Contact::parse(contact.as_ref())?);
        Ok(self)
    }

    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            application: self.application_name.as_deref(),
            style: STYLE,
            support: self.support.as_ref(),
        }
    }
}
