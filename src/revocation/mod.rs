//! The revocation hook: where sessions that were ended early are remembered.
//!
//! - A look-up is synchronous and may answer at once: memory, or a local copy of a remote store,
//!   costs the request neither a box nor a wait. Only a store that truly waits returns
//!   [`Lookup::Pending`].
//! - It is asked after the token's signature and end were checked, never for strangers.
//! - Unknown is not revoked: a store that fails is a 503, and the session's cookie stays.

use std::fmt;

use crate::{
    clock::{Signal, Timestamp},
    event::Listener,
    session::{Session, SessionId},
    store::{StoreError, StoreFuture},
};

mod bounded;
mod closure;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod watchers;

pub(crate) use self::bounded::BoundedRevocations;
pub use self::{
    closure::{FnRevocations, IntoRevocations, IntoStanding},
    memory::MemoryRevocations,
};

#[cfg(feature = "redis")]
pub use self::redis::RedisRevocations;

/// Where sessions that were ended early are remembered.
///
/// An implementation may forget an entry once [`Revocation::until`] has passed. It must not forget
/// sooner: a forgotten entry is a session that works again. A store that several machines share
/// should keep entries a minute longer, because machines' clocks differ.
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
/// /// Remembers the latest order for each target, and forgets it only with the process.
/// #[derive(Debug, Default)]
/// struct Ended(RwLock<HashMap<String, Revocation>>);
///
/// impl Revocations for Ended {
///     fn look_up(&self, session: &Session) -> Lookup {
///         let ended = self.0.read().unwrap();
///         let is_ended = Target::all_of(session)
///             .filter_map(|target| ended.get(&target.key()))
///             .any(|order| order.ends(session));
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

    /// Ends the sessions that the order's target names. Logout and the webhook call it, also
    /// several times at once.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()>;

    /// Returns a future that completes once this session is ended, for live connections to end with
    /// it; `None` if the store cannot tell by itself. Default: `None`.
    ///
    /// It must complete too if the session has been ended already, and must not complete for any
    /// other reason. Dropping it must leave nothing behind. It may miss an end, since the layer
    /// looks live sessions up at an interval as well
    /// ([`Builder::stream_look_up_interval`](crate::Builder::stream_look_up_interval)).
    fn watch(&self, session: &Session) -> Option<Signal> {
        let _ = session;
        None
    }

    /// Takes note of where the layer's events go. [`Builder::build`](crate::Builder::build) calls
    /// it, for a store that has something to tell between requests. Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }
}

/// A look-up's answer, or the wait for it.
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "an answer is there or it is not")]
pub enum Lookup {
    /// The store has to wait. The request waits with it, for as long as the layer's
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
    /// Every session of this address whose sign-in was at [`Revocation::at`] or before, whatever
    /// its subject. ASCII case does not matter.
    Address(String),
    /// Every session that this connection of the provider proved, at [`Revocation::at`] or before.
    Connection(String),
    /// Every session of this subject in this organization whose sign-in was at [`Revocation::at`]
    /// or before; none of the subject's in another.
    Membership {
        /// The provider's id of the person: [`Session::subject`].
        subject: String,
        /// The provider's id of the organization: [`Session::organization`].
        organization: String,
    },
    /// Every session of this organization whose sign-in was at [`Revocation::at`] or before.
    Organization(String),
    /// Every session that began with this session of the provider's
    /// ([`Session::provider_session`]), at [`Revocation::at`] or before.
    ProviderSession(String),
    /// The one session of this id.
    Session(SessionId),
    /// Every session of this subject whose sign-in ([`Session::auth_time`]) was at
    /// [`Revocation::at`] or before.
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

    /// Returns every target that [names](Self::names) a session, its id first. An order for one of
    /// them may [end](Revocation::ends) it, and no other order does.
    ///
    /// For a store that finds orders by their target. What a later version of this crate can end is
    /// then looked for too.
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

    /// Returns a text for the target, to keep an order by: `subject:user_1`. Two targets have the
    /// same one only if they name the same sessions, and it is the same in every version. It may
    /// hold an address, so it is not for logs.
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

/// Names a person in an organization. The length keeps two pairs apart whatever their ids hold.
fn membership(subject: &str, organization: &str) -> String {
    format!("{}:{subject}{organization}", subject.len())
}

/// Reads such a name: the subject, and the organization.
fn read_membership(name: &str) -> Option<(&str, &str)> {
    let (length, both) = name.split_once(':')?;
    both.split_at_checked(length.parse().ok()?)
}

impl Revocation {
    /// Makes an order to end sessions. `at` is the present moment. The store must remember the
    /// order until `until`, when the last token that it concerns expires.
    #[must_use]
    pub const fn new(target: Target, at: Timestamp, until: Timestamp) -> Self {
        Self { target, at, until }
    }

    /// Says whether the order ends a session.
    #[must_use]
    pub fn ends(&self, session: &Session) -> bool {
        let is_in_time = match self.target {
            // However the clocks of two machines differ.
            Target::Session(_) => true,
            _ => session.auth_time() <= self.at,
        };
        is_in_time && self.target.names(session)
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

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;
    use crate::{provider::Identity, session::Times};

    const NOON: Timestamp = Timestamp::from_secs(43_200);

    fn session(subject: &str, organization: Option<&str>) -> Session {
        let times = Times {
            issued_at: NOON,
            expires_at: NOON + Duration::from_secs(60),
            auth_time: NOON,
        };
        let name = |name: &str| Some(name.to_owned());
        let identity = Identity::new(subject, "Ada@Example.com".parse().unwrap())
            .with_organization(organization.map(str::to_owned))
            .with_connection(name("conn_1"))
            .with_provider_session(name("session_1"));
        Session::new(&identity, SessionId::from_bytes([7; 16]), times)
    }

    #[test]
    fn all_targets_of_a_session_name_it_and_an_order_for_each_ends_it() {
        let session = session("user_1", Some("org_1"));
        let all: Vec<_> = Target::all_of(&session).collect();
        let keys: Vec<_> = all.iter().map(Target::key).collect();
        assert_eq!(
            keys,
            [
                "session:BwcHBwcHBwcHBwcHBwcHBw",
                "address:ada@example.com",
                "connection:conn_1",
                "membership:6:user_1org_1",
                "organization:org_1",
                "provider_session:session_1",
                "subject:user_1",
            ]
        );
        let store = MemoryRevocations::default();
        assert_eq!(store.standing(&session), Standing::Active);
        for target in all {
            assert!(target.names(&session), "{target:?}");
            let order = |at| Revocation::new(target.clone(), at, NOON + Duration::from_secs(60));
            let store = MemoryRevocations::default();
            store.end(&order(NOON));
            assert_eq!(store.standing(&session), Standing::Revoked, "{target:?}");
            assert!(order(NOON).ends(&session), "{target:?}");
            let is_by_id = matches!(target, Target::Session(_));
            let earlier = order(Timestamp::from_secs(43_199));
            assert_eq!(earlier.ends(&session), is_by_id, "{target:?}");
        }
    }

    #[test]
    fn what_a_session_has_not_is_no_target_of_it() {
        let all = Target::all_of(&session("user_1", None));
        let is_of_one =
            |target: &Target| matches!(target, Target::Membership { .. } | Target::Organization(_));
        assert_eq!(all.filter(is_of_one).count(), 0);
    }

    #[test]
    fn two_targets_share_a_key_only_where_they_name_the_same_sessions() {
        let names = ["", "1", "11", "1:1", "user_1", "org_1", ":"];
        let pairs = names
            .iter()
            .flat_map(|one| names.map(|other| (*one, other)));
        let membership = |(subject, organization): (&str, &str)| Target::Membership {
            subject: subject.to_owned(),
            organization: organization.to_owned(),
        };
        let single = names.iter().flat_map(|name| {
            [
                Target::Address,
                Target::Connection,
                Target::Organization,
                Target::ProviderSession,
                Target::Subject,
            ]
            .map(|target| target((*name).to_owned()))
        });
        let targets: Vec<_> = single.chain(pairs.map(membership)).collect();
        let keys: HashSet<_> = targets.iter().map(Target::key).collect();
        assert_eq!(keys.len(), targets.len());
        let address = |address: &str| Target::Address(address.to_owned()).key();
        assert_eq!(address("ADA@example.com"), address("ada@Example.COM"));
    }
}
