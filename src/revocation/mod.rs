//! The revocation hook: where sessions that were ended early are remembered.
//!
//! - A look-up is synchronous and may answer at once: memory, or a local copy of a remote store, costs the request neither a
//!   box nor a wait. Only a store that truly waits returns [`Lookup::Pending`].
//! - It is asked after the token's signature and end were checked, never for strangers.
//! - Unknown is not revoked: a store that fails is a 503, and the session's cookie stays.

use std::{error::Error, fmt, future::Future, pin::Pin};

use crate::{
    clock::{Signal, Timestamp},
    event::Listener,
    session::{Session, SessionId},
};

mod closure;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod watchers;

pub use self::{
    closure::{FnRevocations, IntoRevocations, IntoStanding},
    memory::MemoryRevocations,
};

#[cfg(feature = "redis")]
pub use self::redis::RedisRevocations;

/// What a look-up or a revocation may wait for.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where sessions that were ended early are remembered.
///
/// An implementation may forget an entry once [`Revocation::until`] has passed. It must not forget sooner: a forgotten entry is a
/// session that works again.
///
/// ```
/// use std::{collections::HashSet, sync::RwLock};
/// use tower_magic_link::{Lookup, Revocation, Revocations, Session, SessionId, Standing, StoreFuture, Target};
///
/// /// Ends single sessions, and forgets them only with the process.
/// #[derive(Debug, Default)]
/// struct Ended(RwLock<HashSet<SessionId>>);
///
/// impl Revocations for Ended {
///     fn look_up(&self, session: &Session) -> Lookup {
///         let ended = self.0.read().unwrap();
///         Lookup::settled(if ended.contains(&session.id()) { Standing::Revoked } else { Standing::Active })
///     }
///
///     fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
///         if let Target::Session(id) = revocation.target() {
///             self.0.write().unwrap().insert(*id);
///         }
///         Box::pin(async { Ok(()) })
///     }
/// }
/// ```
pub trait Revocations: fmt::Debug + Send + Sync + 'static {
    /// Looks up one session. Answers [`Lookup::Settled`] when no IO is needed.
    fn look_up(&self, session: &Session) -> Lookup;

    /// Ends a session, or all of a subject's. Logout calls it.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()>;

    /// Returns a future that completes once this session is ended, for live connections to end with it; `None` if the store
    /// cannot tell by itself. Default: `None`.
    ///
    /// It must complete too if the session has been ended already, and must not complete for any other reason. Dropping it must leave nothing
    /// behind. It may miss an end, since the layer looks live sessions up at an interval as well
    /// ([`Builder::stream_look_up_interval`](crate::Builder::stream_look_up_interval)).
    fn watch(&self, session: &Session) -> Option<Signal> {
        let _ = session;
        None
    }

    /// Takes note of where the layer's events go. [`Builder::build`](crate::Builder::build) calls it, for a store that has something to tell between requests.
    /// Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }
}

/// A look-up's answer, or the wait for it.
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "an answer is there or it is not")]
pub enum Lookup {
    /// The store has to wait. The request waits with it, for as long as the layer's `revocation_timeout`.
    Pending(StoreFuture<'static, Standing>),
    /// Known at once.
    Settled(Result<Standing, StoreError>),
}

impl Lookup {
    /// Answers at once.
    pub const fn settled(standing: Standing) -> Self {
        Self::Settled(Ok(standing))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(_) => f.write_str("Pending"),
            Self::Settled(answer) => f.debug_tuple("Settled").field(answer).finish(),
        }
    }
}

/// Whether a session still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a session stands or it does not")]
pub enum Standing {
    /// It was not ended.
    Active,
    /// It was ended early.
    Revoked,
}

/// An order to end sessions early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    target: Target,
    at: Timestamp,
    until: Timestamp,
}

/// Which sessions a [`Revocation`] ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Every session of this address whose sign-in was at [`Revocation::at`] or before, whatever its subject. ASCII case does not matter.
    Address(String),
    /// Every session that this connection of the provider proved, at [`Revocation::at`] or before.
    Connection(String),
    /// Every session of this subject in this organization whose sign-in was at [`Revocation::at`] or before; none of the subject's in another.
    Membership {
        /// The provider's id of the person: [`Session::subject`].
        subject: String,
        /// The provider's id of the organization: [`Session::organization`].
        organization: String,
    },
    /// Every session of this organization whose sign-in was at [`Revocation::at`] or before.
    Organization(String),
    /// Every session that began with this session of the provider's ([`Session::provider_session`]), at [`Revocation::at`] or before.
    ProviderSession(String),
    /// The one session of this id.
    Session(SessionId),
    /// Every session of this subject whose sign-in ([`Session::auth_time`]) was at [`Revocation::at`] or before.
    Subject(String),
}

impl Target {
    /// Says whether a session is one of those that the target names, whenever it began.
    #[must_use]
    pub fn names(&self, session: &Session) -> bool {
        match self {
            Self::Address(address) => session.email().eq_ignore_ascii_case(address),
            Self::Connection(id) => session.connection() == Some(id),
            Self::Membership {
                subject,
                organization,
            } => session.subject() == subject && session.organization() == Some(organization),
            Self::Organization(id) => session.organization() == Some(id),
            Self::ProviderSession(id) => session.provider_session() == Some(id),
            Self::Session(id) => session.id() == *id,
            Self::Subject(subject) => session.subject() == subject,
        }
    }
}

impl Revocation {
    /// Orders an end: now, which is `at`, and remembered until `until`, the end of the last token that it concerns.
    #[must_use]
    pub const fn new(target: Target, at: Timestamp, until: Timestamp) -> Self {
        Self { target, at, until }
    }

    /// Returns which sessions end.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Returns when the order was given.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns when the order may be forgotten: no token that it concerns is good any more.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// A store of ours that could not answer.
#[derive(Debug, thiserror::Error)]
#[error("store: {kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// No answer in time.
    TimedOut,
    /// The store cannot be reached, or answers with a failure.
    Unavailable,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer in time",
            Self::Unavailable => "not available",
        })
    }
}

impl StoreError {
    /// Makes an error of a kind.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Says that the store is not available, and why.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            source: Some(source.into()),
        }
    }

    /// Returns what kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}
