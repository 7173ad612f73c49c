//! The answer that the browser sees.

use http::{HeaderMap, StatusCode, header};
use tower_magic_link::RejectionKind;

use super::ask::Ask;
use crate::{names::ORIGIN, page::Page};

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) ask: Ask,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Seen {
    pub(crate) fn page(&self) -> Page {
        Page::of(&self.html)
    }

    pub(crate) fn path(&self) -> &str {
        self.ask.url.path()
    }

    pub(crate) fn is(&self, trouble: RejectionKind) -> bool {
        self.is_page() && self.page().heading == trouble.heading()
    }

    /// Says whether this is the page that asks for the match code.
    pub(crate) fn asks_for_match_code(&self) -> bool {
        self.is_page() && self.page().form_to_type("code").is_some()
    }

    pub(crate) fn location(&self) -> Option<&str> {
        let is_redirect = self.status.is_redirection();
        // 307 and 308 would send the form on.
        assert!(!is_redirect || !self.ask.is_ours() || self.status == 303);
        let location = self.headers.get(header::LOCATION);
        location.filter(|_| is_redirect)?.to_str().ok()
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies
            .map(|cookie| cookie.to_str().unwrap().to_owned())
            .collect()
    }

    fn is_page(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/html"))
    }

    /// Returns the origins that the page's forms may lead to.
    pub(super) fn form_action(&self) -> Vec<String> {
        let policy = &self.headers[header::CONTENT_SECURITY_POLICY];
        let policy = policy.to_str().unwrap();
        let mut directives = policy.split(';').map(str::trim);
        let sources = directives.find_map(|directive| directive.strip_prefix("form-action "));
        let sources = sources.expect("form-action").split(' ');
        sources
            .map(|source| source.replace("'self'", ORIGIN))
            .collect()
    }
}
