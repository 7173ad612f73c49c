//! The pages port: the HTML that a person sees while signing in and out.
//!
//! - The layer chooses the page, its status and its headers. [`Pages`] only makes the HTML.
//! - Every page works without JavaScript: its actions are form posts and links.
//! - The layer composes the `Content-Security-Policy` from [`Pages::sources`]; nothing else may
//!   load.
//!
//! [`DefaultPages`] ships with the crate.

mod check;
mod choose;
mod content;
mod default;
mod entry;
mod parts;
mod policy;
mod trouble;

use crate::language::Words;

pub(crate) use self::policy::Policy;
pub use self::{
    check::{CheckPage, CrossDevice, Resend},
    choose::{ChoosePage, OfferedOrganization},
    content::{
        ConfirmPage, Confirmation, LoginPage, LoginProblem, RememberMe, Sent, SignedOutPage,
        WayBack,
    },
    default::DefaultPages,
    entry::{CodeEntry, CodeProblem, MatchPage, OnwardPage},
    policy::PageSources,
    trouble::TroublePage,
};

/// Draws the layer's pages.
///
/// An implementation must escape every text that it puts into HTML: addresses, match codes and
/// paths come from outside. It must not keep them. It should write in [`Page::words`], the language
/// of the person. It may leave pages that it does not know to
/// [`DefaultPages`], if it names the sources of those pages too:
///
/// ```
/// use tower_magic_link::page::{DefaultPages, Page, PageSources, Pages, SignedOutPage};
///
/// const STYLE: &str = "body { font: 1.2rem/1.5 serif }";
///
/// struct OurPages(DefaultPages);
///
/// impl Pages for OurPages {
///     fn render(&self, page: &Page<'_>) -> String {
///         match page {
///             Page::SignedOut(page) => format!(
///                 "<!doctype html><html lang=\"en\"><title>Goodbye</title><style>{STYLE}</style>\
///                  <p>Goodbye! <a href=\"{}\">Sign in again</a></p></html>",
///                 escape(page.sign_in()),
///             ),
///             page => self.0.render(page),
///         }
///     }
///
///     fn sources(&self) -> PageSources {
///         self.0.sources().inline_style(STYLE).image("'self'")
///     }
/// }
///
/// fn escape(text: &str) -> String {
///     text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
/// }
///
/// let pages = OurPages(DefaultPages::new());
/// let page = Page::SignedOut(SignedOutPage::new("/auth/login?return_to=%2F&x=%22"));
/// assert!(pages.render(&page).contains("return_to=%2F&amp;x="));
/// ```
pub trait Pages: Send + Sync + 'static {
    /// Renders a page as a whole HTML document. It is served as `text/html; charset=utf-8`.
    fn render(&self, page: &Page<'_>) -> String;

    /// Returns the sources of the pages' styles, images, scripts and fonts. Default: none.
    ///
    /// The layer calls it once, when it is built.
    fn sources(&self) -> PageSources {
        PageSources::new()
    }
}

/// A page, with all that it shows, in the language of the person.
///
/// The layer makes them. An application that draws its own makes them in its tests:
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::RejectionKind;
/// use tower_magic_link::page::{
///     CheckPage, CodeEntry, CodeProblem, DefaultPages, Page, Pages, Resend, Sent, TroublePage,
/// };
///
/// # let our_pages = DefaultPages::new();
/// let again = Resend::new("/auth/login", "ada@example.com").with_wait(Duration::from_secs(20));
/// let pages = [
///     Page::Check(
///         CheckPage::new("/auth/login", Duration::from_secs(900))
///             .with_email("ada@example.com")
///             .with_sent(Sent::LinkAndCode)
///             .with_code_entry(CodeEntry::new("/auth/code").with_problem(CodeProblem::Wrong))
///             .with_resend(again),
///     ),
///     Page::Trouble(TroublePage::new(RejectionKind::LinkExpired).with_resend(again)),
/// ];
/// for page in &pages {
///     let html = our_pages.render(page);
///     assert!(html.contains("ada@example.com"), "{page:?}");
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Page<'a> {
    /// "Check your email": a link has been sent.
    Check(CheckPage<'a>),
    /// The person belongs to several organizations, and chooses one.
    Choose(ChoosePage<'a>),
    /// A click is needed before something happens.
    Confirm(ConfirmPage<'a>),
    /// The form that asks for an address.
    Login(LoginPage<'a>),
    /// The link was opened in another browser: the page asks for the match code.
    Match(MatchPage<'a>),
    /// The person is signed in, and on their way.
    Onward(OnwardPage<'a>),
    /// The person is signed out.
    SignedOut(SignedOutPage<'a>),
    /// Something did not work.
    Trouble(TroublePage<'a>),
}

impl<'a> Page<'a> {
    /// Returns the page in a language. Default: English.
    ///
    /// ```
    /// use tower_magic_link::{
    ///     language::Words,
    ///     page::{DefaultPages, Page, Pages, SignedOutPage},
    /// };
    ///
    /// let german = Words::german();
    /// let page = Page::SignedOut(SignedOutPage::new("/auth/login")).with_words(&german);
    /// assert_eq!(page.words().tag(), "de");
    /// assert!(DefaultPages::new().render(&page).contains("<html lang=\"de\">"));
    /// ```
    #[must_use]
    pub fn with_words(self, words: &'a Words) -> Self {
        match self {
            Self::Check(page) => Self::Check(page.with_words(words)),
            Self::Choose(page) => Self::Choose(page.with_words(words)),
            Self::Confirm(page) => Self::Confirm(page.with_words(words)),
            Self::Login(page) => Self::Login(page.with_words(words)),
            Self::Match(page) => Self::Match(page.with_words(words)),
            Self::Onward(page) => Self::Onward(page.with_words(words)),
            Self::SignedOut(page) => Self::SignedOut(page.with_words(words)),
            Self::Trouble(page) => Self::Trouble(page.with_words(words)),
        }
    }

    /// Returns the language of the page: its tag, its direction, and its texts.
    #[must_use]
    pub fn words(&self) -> &'a Words {
        match self {
            Self::Check(page) => page.words(),
            Self::Choose(page) => page.words(),
            Self::Confirm(page) => page.words(),
            Self::Login(page) => page.words(),
            Self::Match(page) => page.words(),
            Self::Onward(page) => page.words(),
            Self::SignedOut(page) => page.words(),
            Self::Trouble(page) => page.words(),
        }
    }
}
