//! `MemoryRevocations`: the store of an application that runs in one process.
//!
//! - Readers take no lock and wait for nobody: not for a revocation, nor for the store to grow or
//!   to forget.
//! - A session that was ended by itself costs at most 48 bytes, overhead included
//!   (`benches/revocations.rs` prints it). What ends many sessions is kept by name, and costs more.
//! - Live connections hear of an end at once: `watchers` keeps one waker for each, for as long as
//!   it lives.
//! - It is bounded by forgetting what has expired: an entry leaves some time after the last token
//!   that it ends has ended, as new ones come.

use std::{borrow::Cow, fmt, ptr, slice};

use self::{
    ids::Ids,
    names::{Before, Names},
    sync::Arc,
    table::{End, FOR_EVER, Hasher, Id},
};
use super::{
    Lookup, Revocation, Revocations, Standing, Target, membership, read_membership,
    watchers::{Watch, Watched, Watchers},
};
use crate::store::StoreFuture;
use crate::{
    clock::{Signal, Timestamp},
    random,
    session::{Session, SessionId},
};

mod ids;
mod names;
mod sync;
mod table;

/// Among how many tables sessions are spread. With ten million, a table of 40,000 is the most that
/// one order has to copy.
const ID_SHARDS: usize = 256;
/// Among how many lists the names of one kind are spread. Each order copies one.
const NAME_SHARDS: usize = 64;

/// Remembers ended sessions in this process. Clones share what they remember.
///
/// Another replica does not know of them, and a restart forgets them: an application on several
/// machines needs a shared store behind the [`Revocations`] port.
///
/// ```
/// use tower_magic_link::{Session, revocation::{MemoryRevocations, Revocation}};
///
/// # fn example(session: Session, now: tower_magic_link::clock::Timestamp) {
/// let revocations = MemoryRevocations::default();
/// let for_the_layer = revocations.clone();
/// // Later, from an admin page:
/// use tower_magic_link::revocation::Target;
/// revocations.end(&Revocation::new(Target::Session(session.id()), now, session.expires_at()));
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryRevocations {
    ended: Arc<Ended>,
}

struct Ended {
    sessions: Ids,
    groups: Groups,
    /// Live connections that wait to hear of an end. No look-up asks them.
    watchers: Watchers,
}

impl Default for Ended {
    fn default() -> Self {
        let [key, other] = [random::bytes(), random::bytes()].map(u64::from_ne_bytes);
        Self {
            sessions: Ids::new(ID_SHARDS, Hasher([key, other])),
            groups: Groups::default(),
            watchers: Watchers::default(),
        }
    }
}

/// Orders that end many sessions, by what those have in common.
struct Groups {
    /// In lower case.
    addresses: Names,
    connections: Names,
    /// By [`membership`].
    memberships: Names,
    organizations: Names,
    provider_sessions: Names,
    subjects: Names,
}

/// Orders of one kind, and the target that a name of them is.
type Kind<'a> = (&'a Names, fn(String) -> Target);

impl Default for Groups {
    fn default() -> Self {
        let names = || Names::new(NAME_SHARDS);
        Self {
            addresses: names(),
            connections: names(),
            memberships: names(),
            organizations: names(),
            provider_sessions: names(),
            subjects: names(),
        }
    }
}

impl Groups {
    fn all(&self) -> [Kind<'_>; 6] {
        [
            (&self.addresses, Target::Address),
            (&self.connections, Target::Connection),
            (&self.memberships, member),
            (&self.organizations, Target::Organization),
            (&self.provider_sessions, Target::ProviderSession),
            (&self.subjects, Target::Subject),
        ]
    }

    /// Returns where orders for a target are kept, and under which name; of a session's there are
    /// none.
    fn named<'a>(&self, target: &'a Target) -> Option<(&Names, Cow<'a, str>)> {
        Some(match target {
            Target::Address(address) => (&self.addresses, address.to_ascii_lowercase().into()),
            Target::Connection(id) => (&self.connections, id.into()),
            Target::Membership {
                subject,
                organization,
            } => (&self.memberships, membership(subject, organization).into()),
            Target::Organization(id) => (&self.organizations, id.into()),
            Target::ProviderSession(id) => (&self.provider_sessions, id.into()),
            Target::Session(_) => return None,
            Target::Subject(subject) => (&self.subjects, subject.into()),
        })
    }

    fn len(&self) -> usize {
        self.all().iter().map(|(names, _)| names.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn end(&self, session: &Session) -> bool {
        let ends = |names: &Names, name: Option<&str>| {
            names.len() > 0 && name.is_some_and(|name| names.end(name, session.auth_time()))
        };
        ends(&self.subjects, Some(session.subject()))
            || ends(&self.connections, session.connection())
            || ends(&self.organizations, session.organization())
            || ends(&self.provider_sessions, session.provider_session())
            || self.memberships.len() > 0
                && session.organization().is_some_and(|organization| {
                    let name = membership(session.subject(), organization);
                    ends(&self.memberships, Some(&name))
                })
            || self.addresses.len() > 0
                && ends(&self.addresses, Some(&session.email().to_ascii_lowercase()))
    }
}

/// Reads such a name, which is one of ours.
#[expect(
    clippy::needless_pass_by_value,
    reason = "made of a name as the other targets are"
)]
fn member(name: String) -> Target {
    let (subject, organization) = read_membership(&name).unwrap_or_default();
    Target::Membership {
        subject: subject.to_owned(),
        organization: organization.to_owned(),
    }
}

impl MemoryRevocations {
    /// Ends what the order says, and forgets what has expired by [`Revocation::at`].
    pub fn end(&self, revocation: &Revocation) {
        self.end_all(slice::from_ref(revocation), revocation.at());
    }

    /// Ends what the orders say, and forgets what has expired by `now`. Those that live on hear of
    /// what is new.
    pub(super) fn end_all(&self, orders: &[Revocation], now: Timestamp) {
        let Ended {
            sessions,
            groups,
            watchers,
        } = &*self.ended;
        let mut named = groups.all().map(|kind| (kind, Vec::new()));
        for order in orders {
            if let Target::Session(id) = order.target() {
                sessions.put(words(*id), end(order.until()), now.as_secs());
                watchers.wake(order.target());
            } else if let Some((names, name)) = groups.named(order.target()) {
                let before = Before {
                    at: order.at(),
                    until: order.until(),
                };
                let mut kinds = named.iter_mut();
                if let Some((_, orders)) = kinds.find(|((kind, _), _)| ptr::eq(*kind, names)) {
                    orders.push((name, before));
                }
            }
        }
        for ((names, target), orders) in &named {
            let orders: Vec<_> = orders
                .iter()
                .map(|(name, order)| (&**name, *order))
                .collect();
            for name in names.put(&orders, now) {
                watchers.wake(&target(name.to_owned()));
            }
        }
    }

    /// Returns what is remembered, in no order, for a store that has to be filled: orders that have
    /// expired may be among it, and those that are given meanwhile may be missing.
    ///
    /// Of orders for the same target the latest moments are left. An order for a single session has
    /// forgotten when it was given, and says 1970; its [`until`](Revocation::until) after the year
    /// 2106 has become the end of time.
    #[must_use]
    pub fn orders(&self) -> Vec<Revocation> {
        let sessions = self.ended.sessions.entries().into_iter().map(|(id, end)| {
            let until = match end {
                FOR_EVER => u64::MAX,
                end => u64::from(end),
            };
            let target = Target::Session(session_id(id));
            Revocation::new(target, Timestamp::from_secs(0), Timestamp::from_secs(until))
        });
        let groups = self.ended.groups.all().into_iter();
        let groups = groups.flat_map(|(names, target)| {
            let orders = names.entries().into_iter();
            orders.map(move |(name, Before { at, until })| {
                Revocation::new(target(String::from(&*name)), at, until)
            })
        });
        sessions.chain(groups).collect()
    }

    /// Returns how many live connections wait to hear of an end.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.ended.watchers.len()
    }

    /// Returns how many orders are remembered, those included that have expired and were not
    /// forgotten yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ended.sessions.len() + self.ended.groups.len()
    }

    /// Says whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn standing(&self, session: &Session) -> Standing {
        let Ended {
            sessions, groups, ..
        } = &*self.ended;
        if sessions.contains(words(session.id())) || !groups.is_empty() && groups.end(session) {
            Standing::Revoked
        } else {
            Standing::Active
        }
    }
}

impl Watched for MemoryRevocations {
    fn has_ended(&self, session: &Session) -> bool {
        self.standing(session) == Standing::Revoked
    }

    fn live(&self) -> &Watchers {
        &self.ended.watchers
    }
}

fn words(id: SessionId) -> Id {
    let id = u128::from_ne_bytes(id.to_bytes());
    [id >> 64, id & u128::from(u64::MAX)].map(|word| u64::try_from(word).unwrap_or_default())
}

fn session_id([high, low]: Id) -> SessionId {
    SessionId::from_bytes((u128::from(high) << 64 | u128::from(low)).to_ne_bytes())
}

fn end(until: Timestamp) -> End {
    End::try_from(until.as_secs()).unwrap_or(FOR_EVER)
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

    fn numbered(number: u64) -> Target {
        Target::Session(SessionId::from_bytes(u128::from(number).to_be_bytes()))
    }

    #[test]
    fn it_is_bounded_by_forgetting_what_has_expired() {
        let store = MemoryRevocations::default();
        let mut most = 0;
        for second in 0..100_000u64 {
            store.end(&order(numbered(second), second, second + 5_000));
            let subject = Target::Subject(format!("prof_{second}"));
            store.end(&order(subject, second, second + 5_000));
            most = most.max(store.len());
        }
        assert!(most <= 15_000, "{most} orders for 10,000 that are needed");
        for second in 100_000..110_000 {
            store.end(&order(numbered(second), second + 50_000, 0));
        }
        let sessions = store.ended.sessions.len();
        assert!(sessions < 2_000, "{sessions} that have expired");
    }

    /// What a store on several machines needs: the clock of whoever gives an order is not
    /// everybody's.
    #[test]
    fn what_is_forgotten_goes_by_the_time_that_is_given() {
        let subject = |number: u64| Target::Subject(format!("prof_{number}"));
        let filled = |until: u64, at: u64, now: u64| {
            let store = MemoryRevocations::default();
            for number in 0..5_000 {
                let orders = [numbered(number), subject(number)];
                let orders = orders.map(|target| order(target, 20, until));
                store.end_all(&orders, Timestamp::from_secs(20));
            }
            for number in 5_000..25_000 {
                let orders = [numbered(number), subject(number)];
                let orders = orders.map(|target| order(target, at, at + 100));
                store.end_all(&orders, Timestamp::from_secs(now));
            }
            let orders = store.orders().into_iter();
            orders
                .filter(|order| order.until().as_secs() == until)
                .count()
        };
        assert_eq!(
            filled(1_000, 5_000, 20),
            10_000,
            "given by a clock that is ahead"
        );
        let left = filled(1_000, 0, 5_000);
        assert!(left < 100, "{left} given by nobody's clock");
    }

    #[test]
    fn orders_that_come_together_end_what_they_end_one_by_one() {
        let numbers = 0..600u64;
        let target = |number: u64| {
            let name = format!("{}", number % 10);
            match number % 7 {
                0 => Target::Address(format!("A{name}@example.com")),
                1 => Target::Connection(name),
                2 => Target::Membership {
                    subject: name.clone(),
                    organization: name,
                },
                3 => Target::Organization(name),
                4 => Target::ProviderSession(name),
                5 => Target::Subject(name),
                _ => numbered(number % 10),
            }
        };
        let random = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let order = |number| {
            order(
                target(number),
                random(number) % 50,
                100 + random(number) % 77,
            )
        };
        let orders: Vec<_> = numbers.map(order).collect();
        let (one_by_one, together) = (MemoryRevocations::default(), MemoryRevocations::default());
        let now = Timestamp::from_secs(0);
        for page in orders.chunks(150) {
            together.end_all(page, now);
            page.iter()
                .for_each(|order| one_by_one.end_all(slice::from_ref(order), now));
            let sorted = |store: &MemoryRevocations| {
                let mut orders = store.orders();
                orders.sort_by_key(|order| format!("{order:?}"));
                orders
            };
            assert_eq!(sorted(&together), sorted(&one_by_one));
            assert_eq!(together.len(), together.orders().len());
        }
        // Nor did both go wrong.
        for order in &orders {
            let same = |known: &&Revocation| known.target().key() == order.target().key();
            let known = together.orders();
            let known = known.iter().find(same).unwrap();
            assert!(known.until() >= order.until(), "{order:?}");
        }
        assert_eq!(together.len(), 70);
    }

    /// A store that is loaded anew tells what everybody knows: it was a wake for each live
    /// connection and a copy of a list for each order.
    #[test]
    fn an_order_that_is_known_wakes_nobody() {
        #[derive(Default)]
        struct Count(std::sync::atomic::AtomicUsize);
        impl std::task::Wake for Count {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        let store = MemoryRevocations::default();
        let count = std::sync::Arc::new(Count::default());
        let waker = std::task::Waker::from(count.clone());
        let mut watch = store.watch(&session("a", 1, 100)).unwrap();
        let poll = watch
            .as_mut()
            .poll(&mut std::task::Context::from_waker(&waker));
        assert!(poll.is_pending());
        let woken = || count.0.load(std::sync::atomic::Ordering::Relaxed);
        let subject = |at, until| order(Target::Subject("a".to_owned()), at, until);
        let cases = [
            ("new", subject(20, 5_000), 1),
            ("the same", subject(20, 5_000), 1),
            ("an earlier one", subject(19, 4_000), 1),
            (
                "of an earlier moment, until the same",
                subject(10, 5_000),
                1,
            ),
            ("later", subject(21, 4_000), 2),
            ("longer", subject(1, 6_000), 3),
            ("both", subject(21, 6_000), 3),
        ];
        for (name, order, want) in cases {
            store.end_all(&[order], Timestamp::from_secs(0));
            assert_eq!(woken(), want, "{name}");
        }
    }

    #[test]
    fn a_store_that_was_filled_from_another_ends_what_it_ended() {
        let (store, copy) = (MemoryRevocations::default(), MemoryRevocations::default());
        let named = |number: u64| [format!("a{number}@example.com"), format!("name_{number}")];
        let mut given = Vec::new();
        for number in 0..300 {
            let [address, name] = named(number);
            let until = 1_000 + number;
            given.extend([
                order(Target::Address(address), number, until),
                order(Target::Connection(name.clone()), number, until),
                order(Target::Organization(name.clone()), number, until),
                order(Target::ProviderSession(name.clone()), number, until),
                order(Target::Subject(name), number, until),
                // When a session's order was given is not remembered.
                order(numbered(number), 0, until),
            ]);
        }
        given.push(order(numbered(1_000), 0, u64::MAX));
        given.iter().for_each(|order| store.end(order));
        let sorted = |mut orders: Vec<Revocation>| {
            orders.sort_by_key(|order| format!("{order:?}"));
            orders
        };
        assert_eq!(sorted(store.orders()), sorted(given.clone()));
        store.orders().iter().for_each(|order| copy.end(order));
        assert_eq!(sorted(copy.orders()), sorted(given));
    }

    #[test]
    fn an_end_past_the_year_2106_is_never_forgotten() {
        let store = MemoryRevocations::default();
        let last = u64::from(u32::MAX);
        for (number, until) in [(0, last - 1), (1, last), (2, last + 1), (3, u64::MAX)] {
            store.end(&order(numbered(number), 0, until));
        }
        for number in 4..10_000 {
            store.end(&order(numbered(number), last + 10, last + 20));
        }
        let is_ended = |number: u64| {
            let id = SessionId::from_bytes(u128::from(number).to_be_bytes());
            store.ended.sessions.contains(words(id))
        };
        assert_eq!([0, 1, 2, 3].map(is_ended), [false, true, true, true]);
    }

    #[test]
    fn ids_that_are_not_random_fill_a_table_as_well() {
        type Pattern = fn(u64) -> u128;
        let patterns: [(&str, Pattern); 4] = [
            ("counted", u128::from),
            ("counted from the top", |number| u128::from(number) << 64),
            ("in step", |number| u128::from(number) << 56),
            ("both halves", |number| {
                u128::from(number) << 64 | u128::from(number)
            }),
        ];
        for (name, pattern) in patterns {
            for _ in 0..100 {
                let hasher = Hasher([random::bytes(), random::bytes()].map(u64::from_ne_bytes));
                let mut shards = [0; ID_SHARDS];
                for number in 0..5_000 {
                    let id = words(SessionId::from_bytes(pattern(number).to_be_bytes()));
                    shards[hasher.hash(id).shard(ID_SHARDS)] += 1;
                }
                let fullest = shards.iter().max();
                assert!(fullest < Some(&60), "{name}: {fullest:?} where 20 are even");
            }
            let store = MemoryRevocations::default();
            for number in 0..20_000 {
                let id = SessionId::from_bytes(pattern(number).to_be_bytes());
                store.end(&order(Target::Session(id), 0, 10));
            }
            assert_eq!(store.len(), 20_000, "{name}");
            let is_ended = |number: u64| {
                let id = SessionId::from_bytes(pattern(number).to_be_bytes());
                store.ended.sessions.contains(words(id))
            };
            assert!((0..20_000).all(is_ended), "{name}");
            assert!(!(20_000..40_000).any(is_ended), "{name}");
        }
    }

    #[test]
    fn threads_that_end_forget_and_look_up_at_once_lose_nothing() {
        const EACH: u64 = 20_000;
        let store = MemoryRevocations::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    for number in (0..EACH).map(|number| number * 4 + thread) {
                        // Every other one has expired when it comes.
                        let until = if number % 8 < 4 { 1_000 } else { 50 };
                        store.end(&order(numbered(number), 100, until));
                        for lasting in [thread, number - number % 8 + thread] {
                            let id = SessionId::from_bytes(u128::from(lasting).to_be_bytes());
                            assert!(store.ended.sessions.contains(words(id)), "{lasting}");
                        }
                    }
                });
            }
        });
        let lasting = |order: &&Revocation| order.until() == Timestamp::from_secs(1_000);
        let orders = store.orders();
        assert_eq!(orders.iter().filter(lasting).count(), 40_000);
        assert_eq!(orders.len(), store.len());
    }

    /// What the store must do, by the plainest means: everything that was ever ordered.
    #[derive(Default)]
    struct Plain(Vec<Revocation>);

    impl Plain {
        /// Says whether a session has to be refused, and whether it may be.
        fn standing(&self, session: &Session, now: Timestamp) -> (bool, bool) {
            let ends = |order: &&Revocation| {
                let is_one = matches!(order.target(), Target::Session(_));
                order.target().names(session) && (is_one || session.auth_time() <= order.at())
            };
            let mut ends = self.0.iter().filter(ends).peekable();
            let may = ends.peek().is_some();
            // Two orders for one name are kept as one, with the later of each moment.
            (ends.any(|order| order.until() > now), may)
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]
        #[test]
        fn it_ends_what_a_plain_list_of_orders_ends(
            steps in proptest::collection::vec((0..3u64, 0..6u8, 0..24u8, 1..40u64), 1..120),
        ) {
            let (store, mut plain) = (MemoryRevocations::default(), Plain::default());
            let small = Ended {
                // One shard, so that few orders fill it over and over.
                sessions: Ids::new(1, Hasher([1, 2])),
                ..Ended::default()
            };
            let small = MemoryRevocations { ended: Arc::new(small) };
            let mut now = 0;
            for (step, kind, who, lifetime) in steps {
                now += step;
                let name = format!("{who}");
                let target = match kind {
                    0 => Target::Subject(name),
                    1 if who == 0 => Target::Address("ADA@example.com".to_owned()),
                    _ => Target::Session(SessionId::from_bytes([who; 16])),
                };
                let revocation = order(target, now, now + lifetime);
                small.end(&revocation);
                store.end(&revocation);
                plain.0.push(revocation);
                for number in 0..24 {
                    let began = (now + 1).saturating_sub(u64::from(number) % 3);
                    let session = session(&format!("{number}"), number, began);
                    let (must, may) = plain.standing(&session, Timestamp::from_secs(now));
                    for store in [&store, &small] {
                        let is_ended = store.standing(&session) == Standing::Revoked;
                        proptest::prop_assert!(is_ended || !must, "{session:?} lives again at {now}");
                        proptest::prop_assert!(!is_ended || may, "nobody ended {session:?} at {now}");
                    }
                }
            }
            proptest::prop_assert!(small.ended.sessions.len() <= 24);
        }
    }
}
