//! `DefaultPages`: what an application sets on the default pages.

use super::{accent::Accent, address, contact::Contact, logo::Logo};
use crate::{
    error::ConfigError,
    language::{Filled, Text, Words},
};

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
    accent: Option<Accent>,
    application_name: Option<String>,
    logo: Option<Logo>,
    own_style: Option<String>,
    support: Option<Contact>,
}

/// The frame around every page.
pub(super) struct Frame<'a> {
    pub(super) application: Option<&'a str>,
    pub(super) logo: Option<&'a Logo>,
    pub(super) own_style: Option<&'a str>,
    pub(super) style: &'a str,
    pub(super) support: Option<&'a Contact>,
    pub(super) words: &'a Words,
}

impl Frame<'_> {
    /// Returns the line that says whom to ask, as HTML.
    pub(super) fn support(&self) -> Option<String> {
        let support = self.support?;
        let (text, attributes) = match support.is_page() {
            true => (Text::SupportPage, " target=\"_top\""),
            false => (Text::SupportAddress, ""),
        };
        let contact = Filled::Link {
            href: &support.href,
            attributes,
            shown: &support.shown,
        };
        Some(self.words.html(text, &[("contact", contact)]))
    }
}

impl DefaultPages {
    /// Makes pages that name no application.
    pub const fn new() -> Self {
        Self {
            accent: None,
            application_name: None,
            logo: None,
            own_style: None,
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

    /// Sets the colour of buttons and links: `#` and six digits in hexadecimal, or three. Default:
    /// `#2456d6` on light pages, and `#8db0ff` on dark ones.
    ///
    /// Text needs a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3). Links stand on `#ffffff` or
    /// `#171b21`; the text of a button is `#ffffff` on light pages, and `#0d1014` on dark ones. The
    /// colour itself must reach that contrast on the light pages or on the dark ones. The others
    /// then have a darker or a lighter tone of the same hue, mixed as CSS's `color-mix(in srgb, …)`
    /// does: the light pages with black, the dark ones with white, by as few hundredths as suffice.
    ///
    /// | set | on light pages | on dark pages |
    /// | --- | --- | --- |
    /// | `#e65100` | `#cf4900`, with 10% of black | `#e65100` |
    /// | `#6d28d9` | `#6d28d9` | `#9969e4`, with 30% of white |
    /// | `#e53935` | refused: 4.22:1 | refused: 4.08:1 |
    ///
    /// A button under the pointer, and the ground of icons and codes, have tones of that colour.
    /// The policy allows the one style sheet by its hash, as without an accent.
    ///
    /// ```
    /// use tower_magic_link::page::{DefaultPages, Page, Pages, SignedOutPage};
    ///
    /// let pages = DefaultPages::new().accent("#e65100")?;
    /// let html = pages.render(&Page::SignedOut(SignedOutPage::new("/auth/login")));
    /// assert!(html.contains("--accent: #e65100"));
    ///
    /// let error = DefaultPages::new().accent("#e53935").unwrap_err().to_string();
    /// assert!(error.contains("4.22:1") && error.contains("#dc3733"));
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is no such colour, or if it can be read neither on light nor on dark
    /// pages: with its contrast on both, and the nearest tone that can.
    pub fn accent(mut self, color: impl AsRef<str>) -> Result<Self, ConfigError> {
        self.accent = Some(Accent::parse(color.as_ref(), STYLE)?);
        Ok(self)
    }

    /// Sets a logo, which stands above the heading in the place of the name, and its alternative
    /// text: 1 to 80 characters. Default: none. The title keeps the name.
    ///
    /// | source | what the policy allows |
    /// | --- | --- |
    /// | a URL of https, such as `https://cdn.example.com/logo.svg` | `img-src` with that URL alone |
    /// | a path, such as `/static/logo.svg` | `img-src` with that path of [`Builder::public_url`](crate::Builder::public_url) alone |
    /// | an `<svg>` element, of at most 16 KiB | nothing more: it is part of the page |
    ///
    /// A URL or path has at most 500 characters, and neither a query nor a fragment. A path is
    /// loaded without a session: open it with
    /// [`Builder::public_path`](crate::Builder::public_path). If a URL redirects, the browser
    /// refuses the picture unless it stays at the host.
    ///
    /// The logo is 2.5 rem high (40 pixels by default), and stands on `#ffffff` in light pages and
    /// on `#171b21` in dark ones. An `<svg>` that is filled with `currentColor` has the colour of
    /// the text in both.
    ///
    /// An `<svg>` is taken as it is, if it has shapes, gradients, clips and masks alone. It is
    /// refused with a script, an event attribute, a style, a class, text, a comment, `<use>`, or a
    /// reference to anything but its own ids, which must begin with `logo`. It needs a `viewBox`.
    ///
    /// ```
    /// use tower_magic_link::page::{DefaultPages, Page, Pages, SignedOutPage};
    ///
    /// let page = Page::SignedOut(SignedOutPage::new("/auth/login"));
    /// let html = DefaultPages::new().logo("/static/logo.svg", "Acme")?.render(&page);
    /// assert!(html.contains("<img class=\"logo\" src=\"/static/logo.svg\" alt=\"Acme\">"));
    ///
    /// let circle = "<svg viewBox=\"0 0 8 8\"><circle cx=\"4\" cy=\"4\" r=\"4\"/></svg>";
    /// let html = DefaultPages::new().logo(circle, "Acme")?.render(&page);
    /// assert!(html.contains("<svg class=\"logo\" role=\"img\" aria-label=\"Acme\" viewBox="));
    ///
    /// let script = circle.replace("circle", "script");
    /// assert!(DefaultPages::new().logo(script, "Acme").is_err());
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the source is none of the three, with the reason, or if the alternative
    /// text is too long, empty or has control characters. The error shows the first 80 characters
    /// of the value, unless they may be a password.
    pub fn logo(
        mut self,
        source: impl AsRef<str>,
        alt: impl AsRef<str>,
    ) -> Result<Self, ConfigError> {
        self.logo = Some(Logo::parse(source.as_ref(), alt.as_ref())?);
        Ok(self)
    }

    /// Adds a style sheet of the application's own, which wins over the pages' own rules: a URL of
    /// https, or a path, of at most 500 characters. Default: none.
    ///
    /// | set | what the policy adds to `style-src` |
    /// | --- | --- |
    /// | `https://cdn.example.com/sign-in.css` | that URL alone |
    /// | `/static/sign-in.css` | that path of [`Builder::public_url`](crate::Builder::public_url) alone |
    ///
    /// The address has neither a query nor a fragment. A path is loaded without a session: open it
    /// with [`Builder::public_path`](crate::Builder::public_path). Serve it as `text/css`. If a URL
    /// redirects, the browser refuses the sheet unless it stays at the host.
    ///
    /// The sheet loads behind everything else. If it is slow, the page shows in its usual look
    /// first; if it cannot be loaded, the page keeps that look, and works. A picture, font or
    /// `@import` that the sheet names does not load.
    ///
    /// These names stay as they are until a release says otherwise:
    ///
    /// | name | what it is |
    /// | --- | --- |
    /// | `--page`, `--card`, `--field` | the ground of the page, of the card on it, and of an input |
    /// | `--text`, `--soft`, `--problem` | the colour of headings, of other text, and of what went wrong |
    /// | `--accent`, `--accent-strong`, `--on-accent` | buttons and links, the same under the pointer, and the text on a button |
    /// | `--line`, `--edge`, `--tint`, `--shadow` | the line round the card, the line round an input, the ground of icons and codes, and the card's shadow |
    /// | `main`, `h1`, `.brand`, `.logo`, `.icon` | the card, and what stands at its top |
    /// | `input`, `button`, `.button`, `.quiet` | an input, a button, a link that looks like one, and a button of lesser weight |
    /// | `.digits`, `.letters`, `.problem`, `.note` | the field for a code, the letters to compare, the sentence on what went wrong, and small print |
    ///
    /// Dark pages have properties of their own, within `prefers-color-scheme: dark`. A property
    /// that the sheet sets outside of such a query holds for both.
    ///
    /// The layer cannot check the sheet. Keep a contrast of 4.5:1 for text, and let it come only
    /// from a host that you trust: a sheet can hide what the pages say.
    ///
    /// ```
    /// use tower_magic_link::page::{DefaultPages, Page, Pages, SignedOutPage};
    ///
    /// let pages = DefaultPages::new().stylesheet("/static/sign-in.css")?;
    /// let html = pages.render(&Page::SignedOut(SignedOutPage::new("/auth/login")));
    /// assert!(html.contains("<link rel=\"stylesheet\" href=\"/static/sign-in.css\">"));
    ///
    /// let error = DefaultPages::new().stylesheet("http://example.com/a.css").unwrap_err();
    /// assert!(error.to_string().contains("must be a URL of https"));
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is no such address. The error shows the first 80 characters of the
    /// value, unless they may be a password.
    pub fn stylesheet(mut self, address: impl AsRef<str>) -> Result<Self, ConfigError> {
        const NONE_OF: &str =
            "must be a URL of https, or a path of this origin such as /static/sign-in.css";
        let address = address::parsed("stylesheet", address.as_ref(), NONE_OF)?;
        self.own_style = Some(address);
        Ok(self)
    }

    /// Returns the address of the one picture that the pages load.
    pub(super) fn picture(&self) -> Option<&str> {
        self.logo.as_ref()?.address()
    }

    /// Returns the address of the application's own style sheet.
    pub(super) fn own_style(&self) -> Option<&str> {
        self.own_style.as_deref()
    }

    /// Returns the text of the inline style sheet.
    pub(super) fn style(&self) -> &str {
        self.accent.as_ref().map_or(STYLE, Accent::style)
    }

    pub(super) fn frame<'a>(&'a self, words: &'a Words) -> Frame<'a> {
        Frame {
            application: self.application_name.as_deref(),
            logo: self.logo.as_ref(),
            own_style: self.own_style(),
            style: self.style(),
            support: self.support.as_ref(),
            words,
        }
    }
}
