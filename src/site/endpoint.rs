//! `Endpoint`: the layer's own paths, below the mount, and their methods.
//!
//! - Matched on the address that the browser sees, even if a router has nested the layer.
//! - Matched byte for byte. A path with an encoded or doubled slash is another path, and protected.
//! - Only the path of the mailed link may end in a slash or in punctuation, which mail programs and
//!   copying add. Such a path leads to the page of that link, and not to an empty form.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::request::head::RequestHead;

/// The most bytes of a form: 16 KiB.
pub(crate) const LONGEST_FORM: usize = 16 * 1_024;

/// The most bytes of an event: 256 KiB. WorkOS documents no limit; a directory user with every
/// attribute is a few KiB.
pub(crate) const LONGEST_EVENT: usize = 256 * 1_024;

/// One of the layer's own paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// WorkOS's redirect URI.
    Callback,
    /// "Check your mail."
    Check,
    /// One of several organizations, chosen after the proof.
    Choose,
    /// A mailed code, typed in the browser that began.
    Code,
    /// The form; posting it begins a sign-in.
    Login,
    /// A button; posting it ends the session.
    Logout,
    /// Where our own mailed link lands.
    Open,
    /// The current session as JSON, for scripts.
    Session,
    /// The provider's signed events. It exists only if a webhook secret is set.
    Webhook,
}

impl Endpoint {
    /// Returns the endpoint that a request names.
    pub(crate) fn named_by(head: &RequestHead<'_>, mount: &str) -> Option<Self> {
        // A router that nests the layer keeps the last segment, so most requests stop at this
        // comparison.
        let (_, last) = last_segment(head.path())?;
        let endpoint = Self::called(last)?;
        let (before, original) = last_segment(head.original_uri().path())?;
        // Both: a rewrite between the router and the layer may have changed the last segment.
        (before == mount && original == last).then_some(endpoint)
    }

    fn called(name: &str) -> Option<Self> {
        Some(match name {
            "callback" => Self::Callback,
            "check" => Self::Check,
            "choose" => Self::Choose,
            "code" => Self::Code,
            "login" => Self::Login,
            "logout" => Self::Logout,
            "open" => Self::Open,
            "session" => Self::Session,
            "webhook" => Self::Webhook,
            _ if name.strip_prefix("open").is_some_and(is_stray) => Self::Open,
            _ => return None,
        })
    }

    /// Returns the last segment of the endpoint's path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Check => "check",
            Self::Choose => "choose",
            Self::Code => "code",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Open => "open",
            Self::Session => "session",
            Self::Webhook => "webhook",
        }
    }

    /// Returns the methods that the endpoint takes, as `Allow` lists them.
    pub(crate) const fn allow(self) -> &'static str {
        match self {
            Self::Callback
            | Self::Choose
            | Self::Code
            | Self::Login
            | Self::Logout
            | Self::Open => "GET, HEAD, POST",
            Self::Check | Self::Session => "GET, HEAD",
            Self::Webhook => "POST",
        }
    }

    /// Returns the most bytes that the endpoint reads of a body.
    pub(crate) const fn longest_body(self) -> usize {
        match self {
            Self::Webhook => LONGEST_EVENT,
            _ => LONGEST_FORM,
        }
    }

    pub(crate) fn takes(self, method: &Method) -> bool {
        // Methods are case-sensitive (RFC 9110, section 9.1): `post` is another one.
        self.allow().split(", ").any(|name| name == method.as_str())
    }
}

/// Splits a path before its last segment. The slash behind that of the mailed link does not count.
fn last_segment(path: &str) -> Option<(&str, &str)> {
    match path.strip_suffix("/open/") {
        Some(before) => Some((before, "open")),
        None => {
            let slash = memchr::memrchr(b'/', path.as_bytes())?;
            Some((path.get(..slash)?, path.get(slash + 1..)?))
        }
    }
}

/// Says whether a text is no part of a name: punctuation, or a query whose `?` was encoded.
fn is_stray(text: &str) -> bool {
    let text = percent_decode_str(text).decode_utf8_lossy();
    text.starts_with('?') || !text.contains(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_exact_path() {
        let cases = [
            ("/auth/login", Some(Endpoint::Login)),
            ("/auth/login?return_to=/x", Some(Endpoint::Login)),
            ("/auth/callback?code=1", Some(Endpoint::Callback)),
            ("/auth/choose", Some(Endpoint::Choose)),
            ("/login", None),
            ("/auth/login/", None),
            ("/auth//login", None),
            ("/auth/./login", None),
            ("/auth%2flogin", None),
            ("/AUTH/login", None),
            ("/auth/Login", None),
            ("/auth/%6cogin", None),
            ("/x/auth/login", None),
            ("/authlogin", None),
            ("/auth", None),
            ("/auth/open/", Some(Endpoint::Open)),
            ("/auth/open/?t=x", Some(Endpoint::Open)),
            ("/auth/open.", Some(Endpoint::Open)),
            ("/auth/open%3E", Some(Endpoint::Open)),
            ("/auth/open%E2%80%9D", Some(Endpoint::Open)),
            ("/auth/open%3Ft=x", Some(Endpoint::Open)),
            ("/auth/open//", None),
            ("/auth/open/x", None),
            ("/auth/open-source", None),
            ("/auth/open.html", None),
            ("/auth/openid", None),
            ("/auth/open%69d", None),
            ("/open/", None),
            ("/x/auth/open/", None),
        ];
        for (path, want) in cases {
            let request = Request::builder().uri(path).body(()).unwrap();
            assert_eq!(
                Endpoint::named_by(&RequestHead::of(&request), "/auth"),
                want,
                "{path}"
            );
        }
    }

    /// A service that rewrites the path between the router and the layer cannot name another
    /// endpoint.
    #[cfg(feature = "axum")]
    #[test]
    fn an_endpoint_is_named_by_both_views_of_the_address() {
        let cases = [
            ("/auth/login", "/login", Some(Endpoint::Login)),
            ("/auth/foo", "/x/logout", None),
            ("/auth/login", "/logout", None),
            ("/x/login", "/auth/login", None),
        ];
        for (original, path, want) in cases {
            let mut request = Request::builder().uri(path).body(()).unwrap();
            let original = axum::extract::OriginalUri(original.parse().unwrap());
            request.extensions_mut().insert(original.clone());
            let got = Endpoint::named_by(&RequestHead::of(&request), "/auth");
            assert_eq!(got, want, "{original:?} {path}");
        }
    }

    #[test]
    fn methods_are_taken_as_listed() {
        assert!(Endpoint::Login.takes(&Method::POST) && Endpoint::Callback.takes(&Method::HEAD));
        for method in [
            "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "G",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert!(!Endpoint::Login.takes(&method), "{method}");
        }
    }
}
