//! The habits of a browser: clicks, redirects, cookies, reloads.

/// How a visitor clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clicks {
    Once,
    /// Twice, and the second answer is what is seen. The first was answered before.
    TwiceInARow,
    /// Twice, and the second answer is what is seen. Each request sets out before the first one's
    /// answer is there.
    TwiceAtOnce,
}

/// How a visitor behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) clicks: Clicks,
    pub(crate) follows_redirects: bool,
    /// Whether it sends `Sec-Fetch-…`.
    pub(crate) is_modern: bool,
    pub(crate) keeps_cookies: bool,
    /// Whether every page is loaded a second time, and that one is seen.
    pub(crate) reloads: bool,
}

impl Habits {
    pub(crate) const PERSON: Self = Self {
        clicks: Clicks::Once,
        follows_redirects: true,
        is_modern: true,
        keeps_cookies: true,
        reloads: false,
    };
}
