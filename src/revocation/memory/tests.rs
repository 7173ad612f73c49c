//! Which sessions end, until when, and who is woken.

mod many;

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

fn revocation(target: Target, at: u64, until: u64) -> Revocation {
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
    store.record(&revocation(Target::Session(one.id()), 20, 1_010));
    assert_eq!(store.standing(&one), Standing::Revoked);
    assert_eq!(store.standing(&other), Standing::Active);
}

#[test]
fn what_sessions_have_in_common_ends_them_and_no_other() {
    let times = Times {
        issued_at: Timestamp::from_secs(70),
        expires_at: Timestamp::from_secs(1_010),
        auth_time: Timestamp::from_secs(70),
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
            store.record(&revocation(target.clone(), at, 1_010));
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
        store.record(&revocation(numbered(second), second, second + 5_000));
        let subject = Target::Subject(format!("prof_{second}"));
        store.record(&revocation(subject, second, second + 5_000));
        most = most.max(store.len());
    }
    assert!(
        most <= 15_000,
        "{most} revocations for 10,000 that are needed"
    );
    for second in 100_000..110_000 {
        store.record(&revocation(numbered(second), second + 50_000, 0));
    }
    let sessions = store.ended.sessions.len();
    assert!(sessions < 2_000, "{sessions} that have expired");
}

/// What a store on several machines needs: the clock of the machine that gives a revocation may
/// differ from the others'.
#[test]
fn what_is_forgotten_goes_by_the_time_that_is_given() {
    let subject = |number: u64| Target::Subject(format!("prof_{number}"));
    let filled = |until: u64, at: u64, now: u64| {
        let store = MemoryRevocations::default();
        for number in 0..5_000 {
            let revocations = [numbered(number), subject(number)];
            let revocations = revocations.map(|target| revocation(target, 20, until));
            store.record_all(&revocations, Timestamp::from_secs(20));
        }
        for number in 5_000..25_000 {
            let revocations = [numbered(number), subject(number)];
            let revocations = revocations.map(|target| revocation(target, at, at + 100));
            store.record_all(&revocations, Timestamp::from_secs(now));
        }
        let revocations = store.revocations().into_iter();
        revocations
            .filter(|revocation| revocation.until().as_secs() == until)
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

/// Pins: one revocation of a machine whose clock was 13 hours ahead deleted all that were to last
/// for less than that.
#[test]
fn a_revocation_of_a_clock_that_is_ahead_deletes_nothing_that_holds() {
    let now = SystemClock.now().as_secs();
    let store = MemoryRevocations::default();
    let subject = |number: u64| Target::Subject(format!("prof_{number}"));
    for number in 0..5_000 {
        store.record(&revocation(numbered(number), now, now + 12 * 3_600));
        store.record(&revocation(subject(number), now, now + 12 * 3_600));
    }
    let ahead = now + 13 * 3_600;
    for number in 5_000..25_000 {
        store.record(&revocation(numbered(number), ahead, ahead + 12 * 3_600));
        store.record(&revocation(subject(number), ahead, ahead + 12 * 3_600));
    }
    assert_eq!(store.len(), 50_000);
}

#[test]
fn revocations_that_come_together_end_what_they_end_one_by_one() {
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
    let revocation = |number| {
        revocation(
            target(number),
            random(number) % 50,
            100 + random(number) % 77,
        )
    };
    let revocations: Vec<_> = numbers.map(revocation).collect();
    let (one_by_one, together) = (MemoryRevocations::default(), MemoryRevocations::default());
    let now = Timestamp::from_secs(0);
    for page in revocations.chunks(150) {
        together.record_all(page, now);
        page.iter()
            .for_each(|revocation| one_by_one.record_all(slice::from_ref(revocation), now));
        let sorted = |store: &MemoryRevocations| {
            let mut revocations = store.revocations();
            revocations.sort_by_key(|revocation| format!("{revocation:?}"));
            revocations
        };
        assert_eq!(sorted(&together), sorted(&one_by_one));
        assert_eq!(together.len(), together.revocations().len());
    }
    // Nor did both go wrong.
    for revocation in &revocations {
        let same = |known: &&Revocation| known.target().key() == revocation.target().key();
        let known = together.revocations();
        let known = known.iter().find(same).unwrap();
        assert!(known.until() >= revocation.until(), "{revocation:?}");
    }
    assert_eq!(together.len(), 70);
}

/// Pins: a store that is loaded again repeats known revocations. Each once woke every live
/// connection and copied a list.
#[test]
fn a_revocation_that_is_known_wakes_nobody() {
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
    let mut watch = store.watch(&session("a", 1, 10)).unwrap();
    let poll = watch
        .as_mut()
        .poll(&mut std::task::Context::from_waker(&waker));
    assert!(poll.is_pending());
    let woken = || count.0.load(std::sync::atomic::Ordering::Relaxed);
    let subject = |at, until| revocation(Target::Subject("a".to_owned()), at, until);
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
    for (name, revocation, want) in cases {
        store.record_all(&[revocation], Timestamp::from_secs(0));
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
            revocation(Target::Address(address), number, until),
            revocation(Target::Connection(name.clone()), number, until),
            revocation(Target::Organization(name.clone()), number, until),
            revocation(Target::ProviderSession(name.clone()), number, until),
            revocation(Target::Subject(name), number, until),
            // When a session's revocation was given is not remembered.
            revocation(numbered(number), 0, until),
        ]);
    }
    given.push(revocation(numbered(1_000), 0, u64::MAX));
    given.iter().for_each(|revocation| store.record(revocation));
    let sorted = |mut revocations: Vec<Revocation>| {
        revocations.sort_by_key(|revocation| format!("{revocation:?}"));
        revocations
    };
    assert_eq!(sorted(store.revocations()), sorted(given.clone()));
    store
        .revocations()
        .iter()
        .for_each(|revocation| copy.record(revocation));
    assert_eq!(sorted(copy.revocations()), sorted(given));
}

#[test]
fn an_end_past_the_year_2106_is_never_forgotten() {
    let store = MemoryRevocations::default();
    let last = u64::from(u32::MAX);
    for (number, until) in [(0, last - 1), (1, last), (2, last + 1), (3, u64::MAX)] {
        store.record(&revocation(numbered(number), 0, until));
    }
    for number in 4..10_000 {
        let revocations = [revocation(numbered(number), last + 10, last + 20)];
        store.record_all(&revocations, Timestamp::from_secs(last + 10));
    }
    let is_ended = |number: u64| {
        let id = SessionId::from_bytes(u128::from(number).to_be_bytes());
        store.ended.sessions.contains(words(id))
    };
    assert_eq!([0, 1, 2, 3].map(is_ended), [false, true, true, true]);
}
