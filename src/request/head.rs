//! `RequestHead`: what the gate reads of a request, borrowed. It allocates nothing.
//!
//! - Cookie names are compared byte for byte, over all `Cookie` fields (HTTP/2 may split them: RFC
//!   9113, section 8.2.3). A name that is percent-encoded or padded with space is not ours:
//!   decoding it would let a sibling subdomain get around `__Host-`.
//! - Invalid bytes in another cookie do not hide ours.
//! - Two cookies of our name with different values are a conflict: neither the first nor the last
//!   wins.
//! - A bearer token is in the only `Authorization` field, after the scheme and one space. Any other
//!   scheme is left to the application.

use http::{Extensions, HeaderMap, Method, Request, Uri, Version, header, uri::Authority};
use memchr::{memchr, memchr_iter};

use super::{names, routed, said::Said};

/// What the gate reads of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestHead<'r> {
    method: &'r Method,
    uri: &'r Uri,
    version: Version,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
}

/// Replaces a value that the layer cannot have issued. No key has signed it, so it never verifies.
const NONE_OF_OURS: &str = "\u{fffd}";

/// The cookies of one name in a request, or its bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// Several, with different values.
    Conflict,
    /// One, or several with the same value.
    One(T),
    /// None.
    Nothing,
}

impl<T: Copy> Found<T> {
    pub(crate) const fn one(self) -> Option<T> {
        match self {
            Self::One(value) => Some(value),
            Self::Conflict | Self::Nothing => None,
        }
    }
}

impl<'r> RequestHead<'r> {
    pub(crate) fn of<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    pub(crate) const fn of_parts(parts: &'r http::request::Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }

    pub(crate) const fn method(&self) -> &'r Method {
        self.method
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    pub(crate) const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    pub(crate) const fn extensions(&self) -> &'r Extensions {
        self.extensions
    }

    /// Returns the path as the layer receives it. A router that nests the layer has cut its prefix
    /// off.
    pub(crate) fn path(&self) -> &'r str {
        self.uri.path()
    }

    /// Returns the address that the browser sees, if the host keeps it; otherwise the received one.
    pub(crate) fn original_uri(&self) -> &'r Uri {
        routed::original_uri(self.extensions).unwrap_or(self.uri)
    }

    /// Returns the host that the request names, with its port if it names one: in `Host`, or over
    /// HTTP/2 in `:authority`.
    pub(crate) fn host(&self) -> Option<&'r str> {
        let host = self.headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        host.or_else(|| self.original_uri().authority().map(Authority::as_str))
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// Says whether the request is a CORS preflight (Fetch, "CORS-preflight request").
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
            && self.headers.contains_key(header::ORIGIN)
            && self
                .headers
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Returns what the request says of its client and its purpose. Whoever asks for several things
    /// keeps it: it takes a walk over the fields.
    pub(crate) fn said(&self) -> Said<'r> {
        Said::of(self.headers)
    }

    /// Says whether the request may come from another site than `origin`. `has_browser_cookie`
    /// (or, for a sign-out, the session cookie) decides if the browser does not say: our cookies
    /// are `SameSite=Lax`, so no cross-site POST carries them.
    ///
    /// `Origin: null` counts as unstated: browsers send it from our own pages, because of their
    /// `Referrer-Policy: no-referrer`.
    pub(crate) fn is_cross_site(
        &self,
        origin: &str,
        has_browser_cookie: impl FnOnce() -> bool,
    ) -> bool {
        let mut sites = self.headers.get_all(&names::SEC_FETCH_SITE).iter();
        if let Some(site) = sites.next() {
            // `same-site` is another site here: a sibling subdomain is not trusted.
            // `none` is a person's own act, such as a bookmark or a typed address.
            let is_ours = site == "same-origin" || site == "none";
            return !is_ours || sites.next().is_some();
        }
        let mut origins = self.headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => !has_browser_cookie(),
            (Some(stated), None) if stated == "null" => !has_browser_cookie(),
            (Some(stated), None) => !stated.as_bytes().eq_ignore_ascii_case(origin.as_bytes()),
            // A repeated field is no browser's, and its readers differ on which one counts.
            (Some(_), Some(_)) => true,
        }
    }

    /// Says whether neither `Sec-Fetch-Site` nor `Origin` states where the request comes from.
    pub(crate) fn is_silent_on_site(&self) -> bool {
        let mut origins = self.headers.get_all(header::ORIGIN).iter();
        !self.headers.contains_key(&names::SEC_FETCH_SITE)
            && origins.next().is_none_or(|origin| origin == "null")
            && origins.next().is_none()
    }

    /// Says whether a person will see the response.
    pub(crate) fn wants_page(&self) -> bool {
        self.said().wants_page()
    }

    /// Finds the cookies whose name has exactly these bytes.
    pub(crate) fn cookie(&self, name: &str) -> Found<&'r str> {
        self.cookie_as(name, text_of)
    }

    /// Does the same for a value that need not be text: to look for UTF-8 in a token takes a
    /// twentieth of what it takes to verify it.
    pub(crate) fn cookie_bytes(&self, name: &str) -> Found<&'r [u8]> {
        self.cookie_as(name, |value| value)
    }

    fn cookie_as<T: PartialEq>(&self, name: &str, read: impl Fn(&'r [u8]) -> T) -> Found<T> {
        let mut found = Found::Nothing;
        // Without the iterator of `cookies`, which every request would pay for.
        for field in self.headers.get_all(header::COOKIE) {
            let mut rest = field.as_bytes();
            loop {
                let end = memchr(b';', rest);
                let (pair, next) = rest.split_at(end.unwrap_or(rest.len()));
                if let Some(value) = value_of(pair, name).map(&read) {
                    found = match found {
                        Found::Nothing => Found::One(value),
                        // The same value twice leaves readers no choice.
                        Found::One(first) if first == value => Found::One(first),
                        _ => return Found::Conflict,
                    };
                }
                match next.split_first() {
                    Some((_, next)) => rest = next,
                    None => break,
                }
            }
        }
        found
    }

    /// Returns the values of all cookies whose name has exactly these bytes, in their order.
    pub(crate) fn cookies<'n>(&self, name: &'n str) -> impl Iterator<Item = &'r str> + use<'r, 'n> {
        let fields = self.headers.get_all(header::COOKIE).into_iter();
        let pairs = fields.flat_map(|field| pairs(field.as_bytes()));
        pairs.filter_map(move |pair| value_of(pair, name).map(text_of))
    }

    /// Finds the bearer token (RFC 6750, section 2.1). The scheme is case-insensitive; the token is
    /// every byte after it and one space.
    ///
    /// Several `Authorization` fields conflict: the inner service may read a different one than the
    /// layer.
    pub(crate) fn bearer(&self) -> Found<&'r str> {
        let mut fields = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(field) = fields.next() else {
            return Found::Nothing;
        };
        if fields.next().is_some() {
            return Found::Conflict;
        }
        let unpadded = field.as_bytes().trim_ascii_start();
        let is_padded = unpadded.len() < field.len();
        let Some(credentials) = behind_bearer(unpadded) else {
            return Found::Nothing;
        };
        let token = credentials
            .strip_prefix(b" ")
            .filter(|_| !is_padded)
            .and_then(|token| std::str::from_utf8(token).ok());
        Found::One(token.unwrap_or(NONE_OF_OURS))
    }
}

/// Returns the value of a `Cookie` field's pair, if its name has exactly these bytes.
fn value_of<'r>(pair: &'r [u8], name: &str) -> Option<&'r [u8]> {
    // One space follows the semicolon (RFC 6265, section 4.2.1). A second one would belong to the
    // name.
    let pair = pair.strip_prefix(b" ").unwrap_or(pair);
    let (start, rest) = pair.split_at_checked(name.len())?;
    // First, because it is one byte and seldom so in another cookie.
    let value = rest.strip_prefix(b"=")?;
    (start == name.as_bytes()).then_some(value)
}

/// Returns a cookie's value as text.
fn text_of(value: &[u8]) -> &str {
    // The layer sets no value that is not UTF-8, so such a value conflicts with ours.
    std::str::from_utf8(value).unwrap_or(NONE_OF_OURS)
}

/// Returns what follows the scheme in an `Authorization` field, if the scheme is `Bearer`.
///
/// The scheme ends before the first byte that no token may hold (RFC 9110, section 11.1). So
/// `Bearer` and a tab is still this scheme: it is refused, and the cookie does not take its place.
fn behind_bearer(field: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = field.split_at_checked(b"bearer".len())?;
    let is_whole = rest
        .first()
        .is_none_or(|b| !b.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(b));
    // `BearerX` is another scheme, and the application's.
    (scheme.eq_ignore_ascii_case(b"bearer") && is_whole).then_some(rest)
}

/// Splits a `Cookie` field at its semicolons. memchr compares many bytes at a time, and a token is
/// hundreds of bytes without one.
pub(crate) fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b';', field)
        .chain([field.len()])
        .map(move |end| {
            let pair = field.get(start..end).unwrap_or_default();
            start = end + 1;
            pair
        })
}

#[cfg(test)]
mod tests;
