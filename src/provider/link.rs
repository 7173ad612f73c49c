//! Signing in by a link: what the port's `start` and `finish` take and return.
//!
//! - A provider with a site of its own makes a link to it, which leads back to the layer's callback
//!   with a code and the state.
//! - A provider without one makes the code alone. The layer's own mailed link then leads to the
//!   callback with it, and ends when the link's lifetime does.

use std::{fmt, time::Duration};

use super::Attempt;
use crate::{
    email::Email,
    secret::{compared_in_constant_time, secret_text},
};

/// The request to begin a sign-in. `Debug` shows neither the state nor the whole address.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Start<'a> {
    /// The sign-in that it belongs to.
    pub attempt: Attempt<'a>,
    /// The address that the link is for.
    pub email: &'a Email,
    /// Where the link leads: the layer's callback, under the public URL. It has no query.
    pub redirect_uri: &'a str,
    /// The state, which must come back unchanged with the code: base64url, under 1,000 bytes.
    pub state: &'a str,
    /// How long the link is valid: 1 minute to 24 hours, and within the provider's own
    /// [`Abilities::link_lifetimes`](super::Abilities::link_lifetimes).
    pub link_lifetime: Duration,
    /// Whether the layer or the provider mails the link.
    pub delivery: Delivery,
}

impl<'a> Start<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        attempt: Attempt<'a>,
        email: &'a Email,
        redirect_uri: &'a str,
        state: &'a str,
        link_lifetime: Duration,
        delivery: Delivery,
    ) -> Self {
        Self {
            attempt,
            email,
            redirect_uri,
            state,
            link_lifetime,
            delivery,
        }
    }
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("attempt", &self.attempt)
            .field("email", &self.email)
            .field("redirect_uri", &self.redirect_uri)
            .field("link_lifetime", &self.link_lifetime)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// The sender of the link or the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The layer's own mailer. The provider returns the link or code and mails nothing.
    Mailer,
    /// The provider mails it.
    Provider,
}

/// A sign-in that a provider has begun.
#[derive(Debug)]
pub struct Started(Made);

/// What a provider has made for the layer to mail.
#[derive(Debug)]
pub(crate) enum Made {
    Code(AuthorizationCode),
    Link(Link),
    Nothing,
}

impl Started {
    /// Creates the answer of a provider that mailed the link itself.
    #[must_use]
    pub const fn mailed() -> Self {
        Self(Made::Nothing)
    }

    /// Creates the answer of a provider that leaves the link to the layer's mailer.
    #[must_use]
    pub const fn with_link(link: Link) -> Self {
        Self(Made::Link(link))
    }

    /// Creates the answer of a provider that has no site: the layer's mailed link leads straight to
    /// the callback with this code, at most 200 visible ASCII characters.
    ///
    /// The layer refuses the link after [`Start::link_lifetime`]. The provider must refuse the code
    /// soon after, within ten minutes.
    #[must_use]
    pub const fn with_code(code: AuthorizationCode) -> Self {
        Self(Made::Code(code))
    }

    /// Returns the link, if the layer is to mail the provider's.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        match &self.0 {
            Made::Link(link) => Some(link),
            Made::Code(_) | Made::Nothing => None,
        }
    }

    /// Returns the code, if the layer's own link is to lead to the callback with it.
    #[must_use]
    pub const fn code(&self) -> Option<&AuthorizationCode> {
        match &self.0 {
            Made::Code(code) => Some(code),
            Made::Link(_) | Made::Nothing => None,
        }
    }

    pub(crate) fn into_made(self) -> Made {
        self.0
    }
}

/// A single-use sign-in link. It is a credential: `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(String);

secret_text!(Link, "link");

/// A code from the callback, not yet redeemed. `Debug` prints `[redacted]`. Two codes of one length
/// are compared in constant time.
#[derive(Clone)]
pub struct AuthorizationCode(String);

secret_text!(AuthorizationCode, "code");
compared_in_constant_time!(AuthorizationCode);

/// The request to redeem a code from the callback. `Debug` shows neither the code nor the whole
/// address.
///
/// The layer makes it only for a state of its own, in the browser that began or in one that has
/// shown its permission.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Finish<'a> {
    /// The sign-in that it belongs to: that of the state that came with the code.
    pub attempt: Attempt<'a>,
    /// The code as it came: 1 to 512 visible ASCII characters.
    pub code: &'a AuthorizationCode,
    /// The address that the link was mailed to. The layer refuses an identity of another one.
    pub email: &'a Email,
    /// How long the link was valid, counted from [`Attempt::begun_at`].
    pub link_lifetime: Duration,
}

impl<'a> Finish<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        attempt: Attempt<'a>,
        code: &'a AuthorizationCode,
        email: &'a Email,
        link_lifetime: Duration,
    ) -> Self {
        Self {
            attempt,
            code,
            email,
            link_lifetime,
        }
    }
}
