//! The session: an identity, with the time of its sign-in and of its end.
//!
//! - A session is what a verified token says ([`token`]). The server stores nothing for it.
//! - It is one `Arc`, so a clone for a handler costs one reference count.
//! - Its id outlives renewals, so revoking it ends every token that was ever minted for it.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use crate::{
    clock::{Skew, Timestamp},
    email::masked_subject,
    provider::{Identity, SignInMethod},
};

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod backend;
mod base64url;
pub(crate) mod browser_cookie;
pub(crate) mod cookie;
mod derived;
mod example_keys;
mod grant;
pub(crate) mod handled;
mod id;
pub(crate) mod issued;
mod jwk;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod key_pairs;
mod keys;
pub(crate) mod lifetimes;
mod opening;
#[cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
    path = "no_pair.rs"
)]
mod pair;
pub(crate) mod passed;
mod record;
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

use self::record::{Facts, Field, KeyMark, Record};
pub(crate) use self::record::{Term, Times};
pub use self::{
    grant::{ClaimsError, Grant},
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
///
/// # In an axum handler
///
/// An extractor needs the feature, and axum 0.8:
///
/// ```toml
/// tower-magic-link = { version = "0.1", features = ["axum"] }
/// ```
///
/// Without it the compiler says that the trait `Handler` is not implemented for a handler with a
/// `Session` among its arguments. With `#[axum::debug_handler]` it says that the trait
/// `FromRequestParts` is not implemented for `Session`, which is "not a valid axum extractor".
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use tower_magic_link::Session;
///
/// async fn hello(session: Session) -> String {
///     format!("hello {}", session.email())
/// }
///
/// // On a public or optional path there may be no session.
/// async fn about(session: Option<Session>) -> String {
///     session.map_or("hello".to_owned(), |session| format!("hello {}", session.email()))
/// }
///
/// let app: Router = Router::new().route("/", get(hello)).route("/about", get(about));
/// # }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Record>);

impl Session {
    /// Makes a session for an identity that was proven just now.
    pub(crate) fn new(identity: &Identity, id: SessionId, times: Times) -> Self {
        let facts = Facts {
            id,
            method: identity.method(),
            term: Term::Usual,
            times,
            skew: Skew::default(),
            auth_skew: Skew::default(),
            after: Timestamp::from_secs(0),
            as_of: times.auth_time,
            key: KeyMark::default(),
        };
        let texts = [
            identity.subject(),
            identity.email().as_str(),
            identity.organization().unwrap_or_default(),
            identity.connection().unwrap_or_default(),
            identity.first_name().unwrap_or_default(),
            identity.last_name().unwrap_or_default(),
            identity.provider_session().unwrap_or_default(),
            // The application may grant other ids, and then these are the provider's.
            "",
            "",
            "",
        ];
        Self::with(facts, texts)
    }

    fn with(facts: Facts, texts: [&str; Field::COUNT]) -> Self {
        Self(Record::new(facts, texts))
    }

    fn of<const N: usize>(record: Arc<Record<[u8; N]>>) -> Self {
        Self(record)
    }

    fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Returns the session in a record of its own, without room to spare.
    fn compact(&self) -> Self {
        self.changed(|_| {})
    }

    /// Returns the session of another request with the same token.
    fn again(&self, facts: Facts) -> Self {
        Self(self.0.again(facts))
    }

    /// Returns the session with other facts. It is a new record, and not this one changed: the
    /// application's copy of the session belongs to its request.
    fn changed(&self, change: impl FnOnce(&mut Facts)) -> Self {
        let mut facts = self.0.facts;
        change(&mut facts);
        Self::with(facts, self.0.texts())
    }

    /// Returns the same session with a later end, for a token minted at `now`.
    pub(crate) fn renewed(&self, expires_at: Timestamp, now: Timestamp) -> Self {
        self.changed(|facts| {
            facts.times = Times {
                issued_at: now,
                expires_at,
                ..facts.times
            };
        })
    }

    /// Returns another session of the same person, with the same sign-in and the same term.
    pub(crate) fn another(&self, id: SessionId, times: Times, as_of: Timestamp) -> Self {
        self.changed(|facts| {
            *facts = Facts {
                id,
                times,
                as_of,
                key: KeyMark::default(),
                ..*facts
            };
        })
    }

    /// Records that somebody who holds this session has ended it.
    pub(crate) fn leave(&self) {
        // Relaxed, because nothing but the flag is read by it.
        self.0.is_left.0.store(true, Ordering::Relaxed);
    }

    /// Says whether the request that holds this session runs on when the session ends: it has
    /// ordered an end that includes it.
    pub(crate) fn runs_on(&self) -> bool {
        self.0.orders.0.load(Ordering::Relaxed) > 0
    }

    /// Counts an order of the request that holds this session, for an end that includes it.
    pub(crate) fn count_order(&self) {
        self.0.orders.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes such an order off the count: it has failed.
    pub(crate) fn uncount_order(&self) {
        self.0.orders.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says whether somebody who holds this session has ended it.
    pub(crate) fn is_left(&self) -> bool {
        self.0.is_left.0.load(Ordering::Relaxed)
    }

    /// Returns the person's stable id: the one that the application [granted](Grant::subject), or
    /// else the provider's: `prof_…` at WorkOS. Key accounts on it.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.field(Field::Subject)
    }

    /// Returns the session's id. It stays the same when the session is renewed.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.facts.id
    }

    /// Returns the proven address, in lower case, with a non-ASCII domain in punycode.
    #[must_use]
    pub fn email(&self) -> &str {
        self.field(Field::Email)
    }

    /// Returns the organization that the application [granted](Grant::organization), or else the
    /// provider's id of it, if it named one.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.optional(Field::Organization)
    }

    /// Returns the provider's id of the connection that proved the address.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.optional(Field::Connection)
    }

    /// Returns the person's first name, if the provider or the application knows it.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.optional(Field::FirstName)
    }

    /// Returns the person's last name, if the provider or the application knows it.
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
        self.0.facts.method
    }

    /// Returns when this token was minted: at sign-in, or at the last renewal. It may be
    /// dated earlier if it was [issued from](crate::companion::SessionIssuer::issue_from) another.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.0.facts.times.issued_at
    }

    /// Returns the first moment at which this token, as minted, is expired. A renewal moves it.
    ///
    /// If the layer's lifetimes were made shorter since, the session ends earlier, unless it is
    /// renewed before. `/auth/session` gives the end by today's lifetimes as `expires_at`.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.facts.times.expires_at
    }

    /// Returns when the person proved their address. Renewal does not move it.
    #[must_use]
    pub fn auth_time(&self) -> Timestamp {
        self.0.facts.times.auth_time
    }

    /// Returns the subject, the address and the organization, which is empty if there is none. As
    /// bytes: what only copies them need not look for UTF-8.
    pub(crate) fn introduction(&self) -> [&[u8]; 3] {
        [Field::Subject, Field::Email, Field::Organization].map(|field| self.0.bytes(field))
    }

    fn field(&self, field: Field) -> &str {
        self.0.text(field)
    }

    fn optional(&self, field: Field) -> Option<&str> {
        Some(self.field(field)).filter(|text| !text.is_empty())
    }
}

/// Prints the ids and times, but neither the address, the names nor the application's claims. A
/// subject that holds an `@` is masked.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("subject", &masked_subject(self.subject()))
            .field("id", &self.id())
            .field("organization", &self.organization())
            .field("issued_at", &self.issued_at())
            .field("expires_at", &self.expires_at())
            .field("auth_time", &self.auth_time())
            .finish_non_exhaustive()
    }
}
