//! `Endpoint`: the endpoint that a method and a path name.
//!
//! - A path is split before it is decoded, so that an encoded slash stays inside its segment.
//! - HEAD counts as GET, as in most servers. It is not known whether a HEAD uses up a link at
//!   WorkOS; this is the worse case.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

/// An endpoint of WorkOS, to order faults for and count requests of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `POST /user_management/authenticate`.
    Authenticate,
    /// `GET /passwordless/{token}/confirm`: the link.
    Confirm,
    /// `POST /passwordless/sessions`.
    Create,
    /// `GET /user_management/magic_auth/{id}`.
    MagicAuth,
    /// `POST /user_management/magic_auth`.
    MagicAuthCreate,
    /// `GET /sso/profile`.
    Profile,
    /// `POST /passwordless/sessions/{id}/send`.
    Send,
    /// `POST /sso/token`.
    Token,
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// To an endpoint, with the id or token from its path, or an empty text if it has none.
    Endpoint(Endpoint, Cow<'a, str>),
    Unknown,
    /// To an endpoint that takes other methods, listed here as in `Allow`.
    WrongMethod(&'static str),
}

impl<'a> Route<'a> {
    pub(super) fn of(method: &Method, path: &'a str) -> Self {
        // One part more than the longest route has, so that a deeper path matches none.
        let segments: Vec<&'a str> = path.splitn(6, '/').collect();
        let (endpoint, id) = match segments.as_slice() {
            ["", "passwordless", "sessions"] => (Endpoint::Create, ""),
            ["", "passwordless", "sessions", id, "send"] => (Endpoint::Send, *id),
            ["", "passwordless", token, "confirm"] => (Endpoint::Confirm, *token),
            ["", "sso", "profile"] => (Endpoint::Profile, ""),
            ["", "sso", "token"] => (Endpoint::Token, ""),
            ["", "user_management", "authenticate"] => (Endpoint::Authenticate, ""),
            ["", "user_management", "magic_auth"] => (Endpoint::MagicAuthCreate, ""),
            ["", "user_management", "magic_auth", id] => (Endpoint::MagicAuth, *id),
            _ => return Self::Unknown,
        };
        let (is_taken, allow) = match endpoint {
            Endpoint::Confirm | Endpoint::MagicAuth | Endpoint::Profile => {
                (matches!(*method, Method::GET | Method::HEAD), "GET, HEAD")
            }
            Endpoint::Authenticate
            | Endpoint::Create
            | Endpoint::MagicAuthCreate
            | Endpoint::Send
            | Endpoint::Token => (*method == Method::POST, "POST"),
        };
        if !is_taken {
            return Self::WrongMethod(allow);
        }
        Self::Endpoint(endpoint, percent_decode_str(id).decode_utf8_lossy())
    }

    pub(super) const fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::Endpoint(endpoint, _) => Some(*endpoint),
            Self::Unknown | Self::WrongMethod(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_a_path_name_an_endpoint() {
        let found = |endpoint, id: &'static str| Route::Endpoint(endpoint, id.into());
        let cases = [
            ("POST /passwordless/sessions", found(Endpoint::Create, "")),
            (
                "POST /passwordless/sessions/ps_1/send",
                found(Endpoint::Send, "ps_1"),
            ),
            (
                "POST /passwordless/sessions/a%2Fb/send",
                found(Endpoint::Send, "a/b"),
            ),
            (
                "POST /passwordless/sessions/../send",
                found(Endpoint::Send, ".."),
            ),
            (
                "GET /passwordless/tok/confirm",
                found(Endpoint::Confirm, "tok"),
            ),
            (
                "HEAD /passwordless/tok/confirm",
                found(Endpoint::Confirm, "tok"),
            ),
            ("POST /sso/token", found(Endpoint::Token, "")),
            ("GET /sso/profile", found(Endpoint::Profile, "")),
            (
                "POST /user_management/authenticate",
                found(Endpoint::Authenticate, ""),
            ),
            (
                "POST /user_management/magic_auth",
                found(Endpoint::MagicAuthCreate, ""),
            ),
            (
                "GET /user_management/magic_auth/m%2F1",
                found(Endpoint::MagicAuth, "m/1"),
            ),
            (
                "GET /user_management/magic_auth",
                Route::WrongMethod("POST"),
            ),
            (
                "POST /user_management/magic_auth/send",
                Route::WrongMethod("GET, HEAD"),
            ),
            ("GET /sso/token", Route::WrongMethod("POST")),
            (
                "POST /passwordless/tok/confirm",
                Route::WrongMethod("GET, HEAD"),
            ),
            ("GET /", Route::Unknown),
            ("POST /sso/token/", Route::Unknown),
            ("POST /passwordless/sessions/a/b/send", Route::Unknown),
            ("POST /passwordless/sessions/a/send/", Route::Unknown),
            ("POST //sso/token", Route::Unknown),
            ("POST /SSO/token", Route::Unknown),
        ];
        for (name, want) in cases {
            let (method, path) = name.split_once(' ').unwrap();
            let method = method.parse().unwrap();
            assert_eq!(Route::of(&method, path), want, "{name}");
        }
    }
}
