//! The session: an identity, with the time of its sign-in and of its end.
//!
//! - A session is what a verified token says ([`token`]). The server stores nothing for it.
//! - It is one `Arc`, so a clone for a handler costs one reference count.
//! - Its id outlives renewals, so revoking it ends every token that was ever minted for it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    clock::{Skew, Timestamp},
    provider::{Identity, SignInMethod},
};

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod backend;
pub(crate) mod cookie;
mod example_keys;
mod id;
mod issued;
mod jwk;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod key_pairs;
mod keys;
pub(crate) mod lifetimes;
#[cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
    path = "no_pair.rs"
)]
mod pair;
pub(crate) mod passed;
pub(crate) mod revocable;
mod ring;
pub(crate) mod seal;
mod term;
#[cfg(test)]
#[cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
    expect(dead_code, reason = "without a backend there are no key pairs to test")
)]
mod test_keys;
pub(crate) mod token;

pub(crate) use self::term::Term;
pub use self::{
    id::{InvalidSessionId, SessionId},
    issued::{IssueError, Issued, SessionToken},
    keys::SigningKey,
    ring::{KeyFile, KeyHandle, KeyRing, RetiredKey},
};

/// A signed-in person's session, as the request's token states it.
///
/// The layer puts it into the request's extensions. With feature `axum` it is also an extractor.
///
/// ```
/// use tower_magic_link::Session;
///
/// fn greet(request: &http::Request<()>) -> String {
///     match request.extensions().get::<Session>() {
///         Some(session) => format!("hello {}", session.email()),
///         None => "hello, whoever you are".to_owned(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Record>);

/// All texts of a session share one string, so that reading a token allocates for them once.
#[derive(Clone)]
struct Record {
    text: String,
    /// Where each of `Field` ends in `text`.
    ends: [usize; Field::COUNT],
    id: SessionId,
    method: SignInMethod,
    term: Term,
    times: Times,
    /// How far the steady time of the replica that minted it was ahead of its date.
    skew: Skew,
    /// How far the steady time of the replica that began it was ahead of `auth_time`. No renewal
    /// changes it: what counts from the sign-in is judged by it.
    auth_skew: Skew,
    /// The latest revocation that was known when the person signed in: the sign-in comes after it.
    after: Timestamp,
    /// When the session was read from a request, or made.
    as_of: Timestamp,
    is_left: Left,
}

/// Whether the request that holds this session has signed it out itself. A copy of the record
/// starts unset, because it belongs to another request.
#[derive(Default)]
struct Left(AtomicBool);

impl Clone for Left {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[derive(Clone, Copy)]
enum Field {
    Subject,
    Email,
    Organization,
    Connection,
    FirstName,
    LastName,
    ProviderSession,
}

impl Field {
    const COUNT: usize = 7;

    const fn index(self) -> usize {
        match self {
            Self::Subject => 0,
            Self::Email => 1,
            Self::Organization => 2,
            Self::Connection => 3,
            Self::FirstName => 4,
            Self::LastName => 5,
            Self::ProviderSession => 6,
        }
    }
}

/// When a session was made and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) auth_time: Timestamp,
}

impl Session {
    /// Makes a session for an identity that was proven just now.
    pub(crate) fn new(identity: &Identity, id: SessionId, times: Times) -> Self {
        let fields = [
            identity.subject(),
            identity.email().as_str(),
            identity.organization().unwrap_or_default(),
            identity.connection().unwrap_or_default(),
            identity.first_name().unwrap_or_default(),
            identity.last_name().unwrap_or_default(),
            identity.provider_session().unwrap_or_default(),
        ];
        let now = times.auth_time;
        Self::from_fields(fields, id, identity.method(), Term::Usual, times, now)
    }

    fn from_fields(
        fields: [&str; Field::COUNT],
        id: SessionId,
        method: SignInMethod,
        term: Term,
        times: Times,
        now: Timestamp,
    ) -> Self {
        // One allocation for all fields, instead of one each: every admitted request pays for it.
        let mut text = String::with_capacity(fields.iter().map(|field| field.len()).sum());
        let ends = fields.map(|field| {
            text.push_str(field);
            text.len()
        });
        Self(Arc::new(Record {
            text,
            ends,
            id,
            method,
            term,
            times,
            skew: Skew::default(),
            auth_skew: Skew::default(),
            after: Timestamp::from_secs(0),
            as_of: now,
            is_left: Left::default(),
        }))
    }

    /// Returns the same session with a later end, for a token minted at `now`.
    pub(crate) fn renewed(&self, expires_at: Timestamp, now: Timestamp) -> Self {
        let times = Times {
            issued_at: now,
            expires_at,
            ..self.0.times
        };
        // A new record, and not this one changed: the application's copy of the session belongs to
        // its request.
        Self(Arc::new(Record {
            times,
            ..Record::clone(&self.0)
        }))
    }

    /// Returns another session of the same person, with the same sign-in and the same term.
    pub(crate) fn another(&self, id: SessionId, times: Times, as_of: Timestamp) -> Self {
        Self(Arc::new(Record {
            id,
            times,
            as_of,
            ..Record::clone(&self.0)
        }))
    }

    /// Records that the request which holds this session has ended it.
    pub(crate) fn leave(&self) {
        // For the handler that signs out: its own answer must still leave, although the session
        // has ended. Relaxed, because nothing but the flag is read by it.
        self.0.is_left.0.store(true, Ordering::Relaxed);
    }

    /// Says whether the request that holds this session has ended it.
    pub(crate) fn is_left(&self) -> bool {
        self.0.is_left.0.load(Ordering::Relaxed)
    }

    /// Returns the provider's stable id of the person: `prof_…` at WorkOS. Key accounts on it.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.field(Field::Subject)
    }

    /// Returns the session's id. It stays the same when the session is renewed.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.id
    }

    /// Returns the proven address, in lower case, with a non-ASCII domain in punycode.
    #[must_use]
    pub fn email(&self) -> &str {
        self.field(Field::Email)
    }

    /// Returns the provider's id of the organization, if it named one.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.optional(Field::Organization)
    }

    /// Returns the provider's id of the connection that proved the address.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.optional(Field::Connection)
    }

    /// Returns the person's first name, if the provider knows it.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.optional(Field::FirstName)
    }

    /// Returns the person's last name, if the provider knows it.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.optional(Field::LastName)
    }

    /// Returns the id of the provider's own session, if any: `session_…` at WorkOS's Magic Auth.
    #[must_use]
    pub fn provider_session(&self) -> Option<&str> {
        self.optional(Field::ProviderSession)
    }

    /// Returns how the person proved their address.
    #[must_use]
    pub fn method(&self) -> SignInMethod {
        self.0.method
    }

    /// Returns when this token was minted: at sign-in, or at the last renewal.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.0.times.issued_at
    }

    /// Returns the first moment at which this token, as minted, is expired. A renewal moves it.
    ///
    /// If the layer's lifetimes were made shorter since, the session ends earlier, unless it is
    /// renewed before. `/auth/session` gives the end by today's lifetimes as `expires_at`.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.times.expires_at
    }

    /// Returns when the person proved their address. Renewal does not move it.
    #[must_use]
    pub fn auth_time(&self) -> Timestamp {
        self.0.times.auth_time
    }

    fn field(&self, field: Field) -> &str {
        let index = field.index();
        let end = |index: usize| self.0.ends.get(index).copied().unwrap_or_default();
        let start = index.checked_sub(1).map_or(0, end);
        self.0.text.get(start..end(index)).unwrap_or_default()
    }

    fn optional(&self, field: Field) -> Option<&str> {
        Some(self.field(field)).filter(|text| !text.is_empty())
    }
}

/// Prints the ids and times, but neither the address nor the names.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("subject", &self.subject())
            .field("id", &self.id())
            .field("organization", &self.organization())
            .field("issued_at", &self.issued_at())
            .field("expires_at", &self.expires_at())
            .field("auth_time", &self.auth_time())
            .finish_non_exhaustive()
    }
}
