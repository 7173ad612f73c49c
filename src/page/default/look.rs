//! `DefaultPages`: what an application sets on the default pages.

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
}

/// The frame around every page.
pub(super) struct Frame<'a> {
    pub(super) application: Option<&'a str>,
    pub(super) style: &'a str,
}

impl DefaultPages {
    /// Makes pages that name no application.
    pub const fn new() -> Self {
        Self {
            application_name: None,
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

    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            application: self.application_name.as_deref(),
            style: STYLE,
        }
    }
}
