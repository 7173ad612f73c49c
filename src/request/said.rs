//! `Said`: what a request says of its client and its purpose: Fetch Metadata, what stands in for
//! it, and the fields by which other clients make themselves known.
//!
//! - One walk over the fields finds all of it. A refusal needs most of it, and a look-up of each
//!   field takes longer, most of all of those that are not there.
//! - Each field of a name counts: a request that says two things at once says neither.

use http::{HeaderMap, HeaderValue};

use super::accept;

/// What a request says of its client and its purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'r> {
    headers: &'r HeaderMap,
    content_type: Option<&'r HeaderValue>,
    destinations: Words,
    htmx: Option<&'r HeaderValue>,
    htmx_page: Option<&'r HeaderValue>,
    is_prefetch: bool,
    modes: Words,
    opens_websocket: bool,
    sites: Words,
    upgrades_insecure: Words,
}

/// The words that the fields of one name hold, as a set.
#[derive(Clone, Copy, Debug, Default)]
struct Words(u16);

impl<'r> Said<'r> {
    pub(crate) fn of(headers: &'r HeaderMap) -> Self {
        let mut said = Self {
            headers,
            content_type: None,
            destinations: Words::default(),
            htmx: None,
            htmx_page: None,
            is_prefetch: false,
            modes: Words::default(),
            opens_websocket: false,
            sites: Words::default(),
            upgrades_insecure: Words::default(),
        };
        for (name, value) in headers {
            match name.as_str() {
                "content-type" => said.content_type = said.content_type.or(Some(value)),
                "hx-current-url" => said.htmx_page = said.htmx_page.or(Some(value)),
                "hx-request" => said.htmx = said.htmx.or(Some(value)),
                // `Purpose` is the older name, from before there was a standard.
                "purpose" | "sec-purpose" => said.is_prefetch |= is_prefetch(value),
                "sec-fetch-dest" => said.destinations.add(value),
                "sec-fetch-mode" => said.modes.add(value),
                "sec-fetch-site" => said.sites.add(value),
                "upgrade" => said.opens_websocket |= names_websocket(value),
                "upgrade-insecure-requests" => said.upgrades_insecure.add(value),
                _ => {}
            }
        }
        said
    }

    /// Returns the kind of content that the request names.
    pub(crate) const fn content_type(&self) -> Option<&'r HeaderValue> {
        self.content_type
    }

    /// Returns the page of which htmx sends the request.
    pub(crate) const fn htmx_page(&self) -> Option<&'r HeaderValue> {
        self.htmx_page
    }

    /// Returns what the request says of htmx.
    pub(crate) const fn htmx(&self) -> Option<&'r HeaderValue> {
        self.htmx
    }

    /// Says whether the request is a prefetch or a prerender, which no person has asked for yet.
    pub(crate) const fn is_prefetch(&self) -> bool {
        self.is_prefetch
    }

    /// Says whether `Upgrade`, a list of protocols, names `websocket` (RFC 9110, section 7.8).
    ///
    /// Lenient, because it only words a refusal. [`Upgrade`](super::upgrade::Upgrade) decides what
    /// may become a tunnel.
    pub(crate) const fn opens_websocket(&self) -> bool {
        self.opens_websocket
    }

    /// Says whether a person will see the response: the request navigates, or prefers HTML. Fetch
    /// metadata wins over `Accept`, which scripts can set.
    pub(crate) fn wants_page(&self) -> bool {
        let prefers_page = || accept::prefers_page(self.headers);
        // No script can set a field that begins with `Sec-` (Fetch, "forbidden request-header").
        if let Some(navigates) = self.modes.are(NAVIGATE) {
            return navigates || (self.may_relay() && prefers_page());
        }
        let shown = DOCUMENT | EMBED | FRAME | IFRAME | OBJECT;
        self.destinations.are(shown).unwrap_or_else(prefers_page)
    }

    /// Says whether the request may stand for one that navigates.
    ///
    /// A service worker that makes a request of a page's anew does not send the mode `navigate`: no
    /// script can (Fetch, the Request constructor, step 13). It keeps the page's `Accept`, which
    /// names HTML. In the mode `cors` scripts do the same for a part of a page. Browsers alone send
    /// `Upgrade-Insecure-Requests`, and for pages alone.
    fn may_relay(&self) -> bool {
        let relays = match self.upgrades_insecure.are(ONE) {
            Some(true) => NAVIGATE | SAME_ORIGIN | CORS,
            _ => NAVIGATE | SAME_ORIGIN,
        };
        self.modes.are(relays) == Some(true)
    }

    /// Says whether a script of the site asks by `fetch`: perhaps a service worker, for a page.
    pub(crate) fn is_fetch(&self) -> bool {
        self.modes.are(CORS | SAME_ORIGIN) == Some(true)
            && self.destinations.are(EMPTY) == Some(true)
            && self.sites.are(SAME_ORIGIN) == Some(true)
    }

    /// Says whether the `fetch` may follow a redirect by itself. To a navigation such an answer of
    /// a service worker's is none (Fetch, "HTTP fetch").
    pub(crate) fn follows_redirects(&self) -> bool {
        self.is_fetch() && self.modes.are(CORS) == Some(true)
    }

    /// Says whether a person will see the response in a frame of another page (Fetch Metadata).
    pub(crate) fn is_framed(&self) -> bool {
        let frames = EMBED | FENCED_FRAME | FRAME | IFRAME | OBJECT;
        self.destinations.are(frames) == Some(true)
    }

    /// Says whether a browser sent the request: it says what it asks for (Fetch Metadata).
    pub(crate) const fn is_of_browser(&self) -> bool {
        !self.modes.is_empty() || !self.destinations.is_empty()
    }
}

const ONE: u16 = 1 << 0;
const CORS: u16 = 1 << 1;
const DOCUMENT: u16 = 1 << 2;
const EMBED: u16 = 1 << 3;
const EMPTY: u16 = 1 << 4;
const FENCED_FRAME: u16 = 1 << 5;
const FRAME: u16 = 1 << 6;
const IFRAME: u16 = 1 << 7;
const NAVIGATE: u16 = 1 << 8;
const OBJECT: u16 = 1 << 9;
const SAME_ORIGIN: u16 = 1 << 10;
/// Any other word.
const OTHER: u16 = 1 << 11;

impl Words {
    fn add(&mut self, value: &HeaderValue) {
        self.0 |= match value.as_bytes() {
            b"1" => ONE,
            b"cors" => CORS,
            b"document" => DOCUMENT,
            b"embed" => EMBED,
            b"empty" => EMPTY,
            b"fencedframe" => FENCED_FRAME,
            b"frame" => FRAME,
            b"iframe" => IFRAME,
            b"navigate" => NAVIGATE,
            b"object" => OBJECT,
            b"same-origin" => SAME_ORIGIN,
            _ => OTHER,
        };
    }

    /// Says whether there is no field of the name.
    const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Says whether each field of the name holds one of these words. `None` if there is no field.
    fn are(self, words: u16) -> Option<bool> {
        (!self.is_empty()).then_some(self.0 & !words == 0)
    }
}

fn is_prefetch(purpose: &HeaderValue) -> bool {
    let purpose = purpose.as_bytes().split(|byte| *byte == b';').next();
    let purpose = purpose.unwrap_or_default().trim_ascii();
    purpose.eq_ignore_ascii_case(b"prefetch") || purpose.eq_ignore_ascii_case(b"prerender")
}

fn names_websocket(protocols: &HeaderValue) -> bool {
    let mut protocols = protocols.as_bytes().split(|byte| *byte == b',');
    protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

#[cfg(test)]
mod tests;
