//! What issuing a session yields, and why it may fail.

use http::HeaderValue;

use super::{Session, cookie, seal::SealedBy};
use crate::secret::redacted;

/// A new session, with the token and the cookie that carry it.
#[derive(Clone, Debug)]
pub struct Issued {
    session: Session,
    token: SessionToken,
    cookie: HeaderValue,
}

impl Issued {
    pub(crate) const fn new(session: Session, token: String, cookie: HeaderValue) -> Self {
        Self {
            session,
            token: SessionToken(token),
            cookie,
        }
    }

    /// Returns the session.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the token, for a program that sends it as a bearer token.
    #[must_use]
    pub const fn token(&self) -> &SessionToken {
        &self.token
    }

    /// Returns the `Set-Cookie` value that gives a browser the session. The response must not be
    /// cached (`Cache-Control: no-store`).
    #[must_use]
    pub fn set_cookie(&self) -> HeaderValue {
        self.cookie.clone()
    }
}

/// A session's token. It is a credential, so `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// Returns the token itself. It must not reach a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

redacted!(SessionToken);

/// What a session that is handed out comes of.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    /// The application has signed the person in.
    Application,
    /// Another session of the person.
    Session(&'a Session),
    /// A sign-in, and the key that had sealed it.
    SignIn(Option<SealedBy>),
}

/// Why no session was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The session to issue from has ended: its lifetime has passed, its token's key has left the
    /// ring, or the request that holds it has signed it out.
    #[error("the session to issue from has ended")]
    Ended,
    /// The identity's subject is empty. The gate would refuse such a token.
    #[error("the subject is empty")]
    NoSubject,
    /// The layer does not admit the identity: its organization is none of
    /// [`Builder::organization`](crate::Builder::organization), or its address is of none of
    /// [`Builder::email_domains`](crate::Builder::email_domains).
    #[error("the organization or the domain of the address is not one of the layer's")]
    NotAllowed,
    /// The current key failed to sign.
    #[error("the signing key failed to sign")]
    NotSigned,
    /// The cookie would be over 4,096 bytes. Browsers drop such cookies
    /// (draft-ietf-httpbis-rfc6265bis, section 5.6), and the gate accepts no longer token.
    #[error(
        "the session's cookie would have {size} bytes, over {}",
        cookie::LONGEST
    )]
    TooLarge {
        /// The bytes of the cookie's name and value.
        size: usize,
    },
}
