//! The revocation hook: where sessions that were ended early are remembered.
//!
//! - A look-up is synchronous. Memory, or a local copy of a remote store, answers at once and costs
//!   the request neither a box nor a wait. Only a store that truly waits returns
//!   [`Lookup::Pending`].
//! - The layer looks a session up only after it has checked the token's signature and expiry, so
//!   that unauthenticated traffic never reaches the store.
//! - Unknown is not revoked: a store that fails is a 503, and the session's cookie stays.

use std::{borrow::Cow, fmt, time::Duration};

use crate::{
    clock::{Signal, Timestamp},
    email::Email,
    event::Listener,
    session::{Session, SessionId, revocable},
    store::{StoreError, StoreFuture},
};

mod bounded;
mod closure;
mod known;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod watchers;

pub(crate) use self::bounded::{BoundedRevocations, OnOutage};
pub use self::{
    closure::{FnRevocations, IntoRevocations, IntoStanding},
    memory::MemoryRevocations,
};

#[cfg(feature = "redis")]
pub use self::redis::{LastError, Phase, RedisRevocations, Status};

/// Where sessions that were ended early are remembered.
///
/// An implementation may forget an entry once [`Revocation::until`] has passed. It must not forget
/// sooner: a forgotten entry is a session that works again. A store that several machines share
/// should keep entries a minute longer, because the machines' clocks differ. What has passed is
/// decided by the store's own clock, and never by the moment of a revocation alone: one that a
/// machine gave whose clock was hours ahead would delete all others.
///
/// An implementation that compares moments itself compares [`Revocation::at`] with
/// [`Session::revocable_from`], as [`Revocation::ends`] does.
///
/// # Clocks of several machines
///
/// The clocks may differ by [`Revocation::LEEWAY`]. A revocation then ends every session that began
/// before it, and spares every one whose sign-in came after it:
///
/// - It reaches the leeway ahead, to sessions that a machine has dated later, because its clock is
///   ahead.
/// - Before the layer makes a session, it looks the new session up. If a revocation would end it,
///   the session states that it comes after the latest such revocation. A sign-in at once after
///   "sign out everywhere" is therefore good at every machine. If the store does not know of the
///   revocation yet, because it has not arrived from another machine, the new session ends with the
///   others when it arrives, and the person signs in once more.
/// - Signing out everywhere gives a revocation that is dated after every one that the person's own
///   session comes after, so that no earlier one hides it.
///
/// The suite in `testing::suite::revocations` (feature `test-util`) checks an implementation.
///
/// ```
/// use std::{collections::HashMap, sync::RwLock};
/// use tower_magic_link::{
///     Session, revocation::{Lookup, Revocation, Revocations, Standing, Target},
///     store::StoreFuture,
/// };
///
/// /// Remembers the latest revocation for each target, and forgets it only with the process.
/// #[derive(Debug, Default)]
/// struct Ended(RwLock<HashMap<String, Revocation>>);
///
/// impl Revocations for Ended {
///     fn look_up(&self, session: &Session) -> Lookup {
///         let ended = self.0.read().unwrap();
///         let is_ended = Target::all_of(session)
///             .filter_map(|target| ended.get(&target.key()))
///             .any(|revocation| revocation.ends(session));
///         Lookup::settled(if is_ended { Standing::Revoked } else { Standing::Active })
///     }
///
///     fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
///         let mut ended = self.0.write().unwrap();
///         let known = ended.entry(revocation.target().key()).or_insert_with(|| revocation.clone());
///         if known.at() < revocation.at() {
///             *known = revocation.clone();
///         }
///         Box::pin(async { Ok(()) })
///     }
/// }
/// ```
pub trait Revocations: fmt::Debug + Send + Sync + 'static {
    /// Looks up one session. Answers [`Lookup::Settled`] when no IO is needed.
    fn look_up(&self, session: &Session) -> Lookup;

    /// Ends the sessions that the revocation's target names. Logout and the webhook call it,
    /// possibly several times at once.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()>;

    /// Returns a future that completes once this session is ended, so that live connections end
    /// with it. `None` if the store cannot notify. Default: `None`.
    ///
    /// It must also complete if the session has ended already, and must not complete for any other
    /// reason. Dropping it must leave nothing behind. It may miss an end, because the layer also
    /// looks live sessions up at an interval
    /// ([`Builder::stream_look_up_interval`](crate::Builder::stream_look_up_interval)).
    fn watch(&self, session: &Session) -> Option<Signal> {
        let _ = session;
        None
    }

    /// Receives the listener for the layer's events. [`Builder::build`](crate::Builder::build)
    /// calls it, for a store that reports events between requests. Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }
}

/// A look-up's answer, or the wait for it.
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "an answer is there or it is not")]
pub enum Lookup {
    /// The store has to wait. The request waits with it, at most for the layer's
    /// `revocation_timeout`.
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

/// Whether a session is still active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a session is active or revoked")]
pub enum Standing {
    /// It was not ended.
    Active,
    /// It was ended early.
    Revoked,
}

/// A revocation to end sessions early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    target: Target,
    at: Timestamp,
    until: Timestamp,
}

/// Which sessions a [`Revocation`] ends.
///
/// A session began by a moment if [`Session::revocable_from`] is not later. That is up to
/// [`Revocation::LEEWAY`] before the sign-in, because the machines' clocks differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Every session of this address that began by [`Revocation::at`], whatever its subject. ASCII
    /// case does not matter.
    Address(String),
    /// Every session that this connection of the provider proved by [`Revocation::at`].
    Connection(String),
    /// Every session of this subject in this organization that began by [`Revocation::at`]; none of
    /// the subject's in another.
    Membership {
        /// The provider's id of the person: [`Session::subject`].
        subject: String,
        /// The provider's id of the organization: [`Session::organization`].
        organization: String,
    },
    /// Every session of this organization that began by [`Revocation::at`].
    Organization(String),
    /// Every session that began with this session of the provider's
    /// ([`Session::provider_session`]) by [`Revocation::at`].
    ProviderSession(String),
    /// The one session of this id.
    Session(SessionId),
    /// Every session of this subject that began by [`Revocation::at`].
    Subject(String),
}

impl Target {
    /// Says whether a session is one of those that the target names, whenever it began.
    #[must_use]
    pub fn names(&self, session: &Session) -> bool {
        match self {
            // An event of WorkOS's may spell the address with capitals; a session's is in lower
            // case.
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

    /// Returns every target that [names](Self::names) a session, its id first. Only a revocation
    /// for one of these can [end](Revocation::ends) the session.
    ///
    /// For a store that finds revocations by their target: it then also finds the kinds of
    /// revocation that a later version of this crate adds.
    pub fn all_of(session: &Session) -> impl Iterator<Item = Self> + use<> {
        let subject = session.subject();
        let organization = session.organization();
        let named = |name: Option<&str>, target: fn(String) -> Self| {
            name.map(|name| target(name.to_owned()))
        };
        let targets = [
            Some(Self::Session(session.id())),
            named(Some(session.email()), Self::Address),
            named(session.connection(), Self::Connection),
            organization.map(|organization| Self::Membership {
                subject: subject.to_owned(),
                organization: organization.to_owned(),
            }),
            named(organization, Self::Organization),
            named(session.provider_session(), Self::ProviderSession),
            named(Some(subject), Self::Subject),
        ];
        targets.into_iter().flatten()
    }

    /// Returns what the sessions have in common, in a word.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Connection(_) => "connection",
            Self::Membership { .. } => "membership",
            Self::Organization(_) => "organization",
            Self::ProviderSession(_) => "provider_session",
            Self::Session(_) => "session",
            Self::Subject(_) => "subject",
        }
    }

    /// Returns the id of that, for a log: an address is masked.
    pub(crate) fn id(&self) -> Cow<'_, str> {
        match self {
            Self::Address(address) => match Email::parse(address) {
                Ok(email) => email.masked().into(),
                Err(_) => "***".into(),
            },
            Self::Connection(id)
            | Self::Organization(id)
            | Self::ProviderSession(id)
            | Self::Subject(id) => id.into(),
            Self::Membership {
                subject,
                organization,
            } => format!("{subject} {organization}").into(),
            Self::Session(id) => id.to_string().into(),
        }
    }

    /// Returns a key to store a revocation under, such as `subject:user_1`. Two targets share a key
    /// only if they name the same sessions. The key stays the same in every version. It may hold an
    /// address, so keep it out of logs.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Address(address) => format!("address:{}", address.to_ascii_lowercase()),
            Self::Connection(id) => format!("connection:{id}"),
            Self::Membership {
                subject,
                organization,
            } => format!("membership:{}", membership(subject, organization)),
            Self::Organization(id) => format!("organization:{id}"),
            Self::ProviderSession(id) => format!("provider_session:{id}"),
            Self::Session(id) => format!("session:{id}"),
            Self::Subject(subject) => format!("subject:{subject}"),
        }
    }
}

/// Names a person in an organization. The length prefix keeps two pairs apart, whatever their ids
/// contain.
fn membership(subject: &str, organization: &str) -> String {
    format!("{}:{subject}{organization}", subject.len())
}

/// Splits such a name into the subject and the organization.
fn read_membership(name: &str) -> Option<(&str, &str)> {
    let (length, both) = name.split_once(':')?;
    both.split_at_checked(length.parse().ok()?)
}

impl Revocation {
    /// How far a revocation reaches ahead of its moment, because the clocks of the machines that
    /// share a store differ: 60 seconds. A session whose sign-in is dated up to this later ends
    /// too, unless the revocation was known when the person signed in.
    pub const LEEWAY: Duration = revocable::LEEWAY;

    /// Creates a revocation to end sessions. `at` is the present moment, by the own clock and with
    /// nothing added. The store must remember the revocation until `until`, when the last token
    /// that it ends expires.
    ///
    /// An application calls
    /// [`MagicLinkLayer::end_sessions`](crate::MagicLinkLayer::end_sessions), which knows both
    /// moments.
    #[must_use]
    pub const fn new(target: Target, at: Timestamp, until: Timestamp) -> Self {
        Self { target, at, until }
    }

    /// Says whether the revocation ends a session.
    #[must_use]
    pub fn ends(&self, session: &Session) -> bool {
        let is_in_time = match self.target {
            // The id names one session. Comparing times would only let a clock that is behind spare
            // it.
            Target::Session(_) => true,
            _ => session.revocable_from() <= self.at,
        };
        is_in_time && self.target.names(session)
    }

    /// Returns which sessions end.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Returns when the revocation was given.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns when the revocation may be forgotten: every token that it ends has expired by then.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

#[cfg(test)]
mod tests;
