//! `MemoryRevocations`: the store of an application that runs in one process.
//!
//! - Readers take no lock: a look-up beside a revocation does not wait for it.
//! - Live connections hear of an end at once: `watchers` keeps one waker for each, for as long as it lives.
//! - It is bounded by forgetting what has expired: an entry leaves once the last token that it ends has ended.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use papaya::HashMap;

use super::{
    Lookup, Revocation, Revocations, Standing, StoreFuture, Target,
    watchers::{Watch, Watchers},
};
use crate::{
    clock::{Signal, Timestamp},
    session::{Session, SessionId},
};

/// Below this many entries nothing is swept.
const SMALLEST_SWEEP: usize = 64;

/// Remembers ended sessions in this process. Clones share what they remember.
///
/// Another replica does not know of them, and a restart forgets them: an application on several machines needs
/// a shared store behind the [`Revocations`] port.
///
/// ```
/// use tower_magic_link::{MemoryRevocations, Revocation, Session};
///
/// # fn example(session: Session, now: tower_magic_link::Timestamp) {
/// let revocations = MemoryRevocations::default();
/// let for_the_layer = revocations.clone();
/// // Later, from an admin page:
/// use tower_magic_link::Target;
/// revocations.end(&Revocation::new(Target::Session(session.id()), now, session.expires_at()));
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryRevocations {
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended {
    /// When each ended session may be forgotten.
    sessions: HashMap<SessionId, Timestamp>,
    groups: Groups,
    /// How many entries there were after the last sweep.
    swept: AtomicUsize,
    /// Live connections that wait to hear of an end. No look-up asks them.
    watchers: Watchers,
}

/// Orders that end many sessions, by what those have in common.
#[derive(Default)]
struct Groups {
    addresses: HashMap<String, Before>,
    connections: HashMap<String, Before>,
    /// By [`membership`].
    memberships: HashMap<String, Before>,
    organizations: HashMap<String, Before>,
    provider_sessions: HashMap<String, Before>,
    subjects: HashMap<String, Before>,
}

impl Groups {
    const fn all(&self) -> [&HashMap<String, Before>; 6] {
        [
            &self.addresses,
            &self.connections,
            &self.memberships,
            &self.organizations,
            &self.provider_sessions,
            &self.subjects,
        ]
    }

    fn len(&self) -> usize {
        self.all().map(HashMap::len).into_iter().sum()
    }

    fn end(&self, session: &Session) -> bool {
        let ends = |orders: &HashMap<String, Before>, name: Option<&str>| {
            !orders.is_empty()
                && name.is_some_and(|name| {
                    let orders = orders.pin();
                    let order = orders.get(name);
                    order.is_some_and(|before| session.auth_time() <= before.at)
                })
        };
        ends(&self.subjects, Some(session.subject()))
            || ends(&self.connections, session.connection())
            || ends(&self.organizations, session.organization())
            || ends(&self.provider_sessions, session.provider_session())
            || !self.memberships.is_empty()
                && session.organization().is_some_and(|organization| {
                    let name = membership(session.subject(), organization);
                    ends(&self.memberships, Some(&name))
                })
            || !self.addresses.is_empty()
                && ends(&self.addresses, Some(&session.email().to_ascii_lowercase()))
    }
}

/// Names a person in an organization. The length keeps two pairs apart whatever their ids hold.
fn membership(subject: &str, organization: &str) -> String {
    format!("{}:{subject}{organization}", subject.len())
}

/// Sessions up to a moment are ended.
#[derive(Clone, Copy, Debug)]
struct Before {
    at: Timestamp,
    until: Timestamp,
}

impl MemoryRevocations {
    /// Ends what the order says, and forgets what has expired by [`Revocation::at`].
    pub fn end(&self, revocation: &Revocation) {
        let groups = &self.ended.groups;
        match revocation.target() {
            Target::Session(id) => {
                let until = revocation.until();
                self.ended
                    .sessions
                    .pin()
                    .update_or_insert(*id, |known| until.max(*known), until);
            }
            Target::Address(address) => {
                self.end_group(&groups.addresses, &address.to_ascii_lowercase(), revocation);
            }
            Target::Connection(id) => self.end_group(&groups.connections, id, revocation),
            Target::Membership {
                subject,
                organization,
            } => {
                let name = membership(subject, organization);
                self.end_group(&groups.memberships, &name, revocation);
            }
            Target::Organization(id) => self.end_group(&groups.organizations, id, revocation),
            Target::ProviderSession(id) => {
                self.end_group(&groups.provider_sessions, id, revocation);
            }
            Target::Subject(subject) => self.end_group(&groups.subjects, subject, revocation),
        }
        self.ended.watchers.wake(revocation.target());
        self.sweep(revocation.at());
    }

    fn end_group(&self, orders: &HashMap<String, Before>, name: &str, revocation: &Revocation) {
        let order = Before {
            at: revocation.at(),
            until: revocation.until(),
        };
        let later = |known: &Before| Before {
            at: order.at.max(known.at),
            until: order.until.max(known.until),
        };
        orders.pin().update_or_insert(name.to_owned(), later, order);
    }

    /// Returns how many live connections wait to hear of an end.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.ended.watchers.len()
    }

    /// Returns how many orders are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ended.sessions.len() + self.ended.groups.len()
    }

    /// Says whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns every order that is remembered. Of one session [`Revocation::at`] is not remembered, and is 0: it matters to no look-up.
    #[cfg(feature = "redis")]
    pub(super) fn orders(&self) -> Vec<Revocation> {
        let sessions = self.ended.sessions.pin();
        let mut orders: Vec<_> = sessions
            .iter()
            .map(|(id, until)| {
                Revocation::new(Target::Session(*id), Timestamp::from_secs(0), *until)
            })
            .collect();
        let groups = &self.ended.groups;
        let mut add = |known: &HashMap<String, Before>, target: fn(String) -> Target| {
            let known = known.pin();
            orders.extend(known.iter().map(|(name, before)| {
                Revocation::new(target(name.clone()), before.at, before.until)
            }));
        };
        add(&groups.addresses, Target::Address);
        add(&groups.connections, Target::Connection);
        add(&groups.organizations, Target::Organization);
        add(&groups.provider_sessions, Target::ProviderSession);
        add(&groups.subjects, Target::Subject);
        orders
    }

    pub(super) fn watch_list(&self) -> &Watchers {
        &self.ended.watchers
    }

    pub(super) fn standing(&self, session: &Session) -> Standing {
        let is_ended = |ended: &Ended| {
            ended.sessions.pin().contains_key(&session.id()) || ended.groups.end(session)
        };
        if !self.is_empty() && is_ended(&self.ended) {
            Standing::Revoked
        } else {
            Standing::Active
        }
    }

    /// Forgets what has expired, each time the entries have doubled: constant work per order, on average.
    fn sweep(&self, now: Timestamp) {
        let last = self.ended.swept.load(Ordering::Relaxed).max(SMALLEST_SWEEP);
        if self.len() < last.saturating_mul(2) {
            return;
        }
        self.ended.sessions.pin().retain(|_, until| *until > now);
        for orders in self.ended.groups.all() {
            orders.pin().retain(|_, before| before.until > now);
        }
        self.ended.swept.store(self.len(), Ordering::Relaxed);
    }
}

impl Revocations for MemoryRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        Lookup::settled(self.standing(session))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.end(revocation);
        Box::pin(std::future::ready(Ok(())))
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        Some(Box::pin(Watch::new(self.clone(), session.clone())))
    }
}

impl fmt::Debug for MemoryRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocations")
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{provider::Identity, session::Times};

    fn session(subject: &str, number: u8, auth_time: u64) -> Session {
        let auth_time = Timestamp::from_secs(auth_time);
        let times = Times {
            issued_at: auth_time,
            expires_at: auth_time + std::time::Duration::from_secs(1_000),
            auth_time,
        };
        let identity = Identity::new(subject, "ada@example.com".parse().unwrap());
        Session::new(&identity, SessionId::from_bytes([number; 16]), times)
    }

    fn order(target: Target, at: u64, until: u64) -> Revocation {
        Revocation::new(
            target,
            Timestamp::from_secs(at),
            Timestamp::from_secs(until),
        )
    }

    #[test]
    fn an_ended_session_stays_ended_and_no_other_ends_with_it() {
        let store = MemoryRevocations::default();
        let (one, other) = (session("a", 1, 10), session("a", 2, 10));
        store.end(&order(Target::Session(one.id()), 20, 1_010));
        assert_eq!(store.standing(&one), Standing::Revoked);
        assert_eq!(store.standing(&other), Standing::Active);
    }

    #[test]
    fn a_subjects_sessions_end_up_to_the_moment_of_the_order() {
        let store = MemoryRevocations::default();
        store.end(&order(Target::Subject("a".to_owned()), 20, 1_020));
        let cases = [
            ("before", session("a", 1, 19), Standing::Revoked),
            ("in the same second", session("a", 2, 20), Standing::Revoked),
            ("after", session("a", 3, 21), Standing::Active),
            ("another subject", session("b", 4, 19), Standing::Active),
        ];
        for (name, session, want) in cases {
            assert_eq!(store.standing(&session), want, "{name}");
        }
    }

    #[test]
    fn what_sessions_have_in_common_ends_them_and_no_other() {
        let times = Times {
            issued_at: Timestamp::from_secs(10),
            expires_at: Timestamp::from_secs(1_010),
            auth_time: Timestamp::from_secs(10),
        };
        let with = |subject: &str, email: &str, of: &str| {
            let identity = Identity::new(subject, email.parse().unwrap())
                .with_organization(Some(format!("org_{of}")))
                .with_connection(Some(format!("conn_{of}")))
                .with_provider_session(Some(format!("session_{of}")));
            Session::new(&identity, SessionId::from_bytes([9; 16]), times)
        };
        let ada = with("prof_ada", "Ada@example.com", "1");
        let eve = with("prof_eve", "eve@example.com", "2");
        let named = |name: &str| name.to_owned();
        let targets = [
            Target::Address(named("aDA@example.com")),
            Target::Connection(named("conn_1")),
            Target::Organization(named("org_1")),
            Target::ProviderSession(named("session_1")),
            Target::Subject(named("prof_ada")),
        ];
        for target in targets {
            assert!(target.names(&ada) && !target.names(&eve), "{target:?}");
            for (at, want) in [(9, Standing::Active), (10, Standing::Revoked)] {
                let store = MemoryRevocations::default();
                store.end(&order(target.clone(), at, 1_010));
                assert_eq!(store.standing(&ada), want, "{target:?} at {at}");
                assert_eq!(store.standing(&eve), Standing::Active, "{target:?}");
                assert_eq!(store.len(), 1);
            }
        }
    }

    #[test]
    fn an_earlier_order_does_not_shorten_a_later_one() {
        let store = MemoryRevocations::default();
        let id = session("a", 1, 10).id();
        store.end(&order(Target::Session(id), 20, 5_000));
        store.end(&order(Target::Session(id), 20, 30));
        store.end(&order(Target::Subject("a".to_owned()), 40, 5_000));
        store.end(&order(Target::Subject("a".to_owned()), 20, 30));
        for number in 0..=250u8 {
            store.end(&order(
                Target::Session(SessionId::from_bytes([number; 16])),
                100,
                50,
            ));
        }
        assert_eq!(store.standing(&session("b", 1, 10)), Standing::Revoked);
        assert_eq!(store.standing(&session("a", 251, 40)), Standing::Revoked);
    }

    #[test]
    fn it_is_bounded_by_forgetting_what_has_expired() {
        let store = MemoryRevocations::default();
        let mut most = 0;
        for second in 0..20_000u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&second.to_be_bytes());
            let target = Target::Session(SessionId::from_bytes(id));
            store.end(&order(target, second, second + 100));
            most = most.max(store.len());
        }
        assert!(
            most <= 2 * 2 * 100,
            "{most} entries for 100 that are needed"
        );
    }
}
