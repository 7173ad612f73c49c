//! Revocation stores.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_magic_link::{
    Session,
    clock::{Clock, Signal},
    revocation::{
        IntoRevocations, Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target,
    },
    store::StoreFuture,
    testing::{
        ManualClock,
        suite::{self, World},
    },
};

use crate::{assert_fails, assert_holds};

const PAGE: &str = include_str!("../../src/testing/suite/revocations/mod.rs");

/// A store that answers without a wait, and has a watch.
#[derive(Debug)]
struct AtOnce<S>(S);

impl<S: Revocations> Revocations for AtOnce<S> {
    fn look_up(&self, session: &Session) -> Lookup {
        let answer = self.0.look_up(session);
        assert!(matches!(answer, Lookup::Settled(_)), "it is known at once");
        answer
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.revoke(revocation)
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        let watch = self.0.watch(session);
        assert!(watch.is_some(), "it has a watch");
        watch
    }
}

#[tokio::test]
async fn memory_passes_and_answers_at_once() {
    let report = suite::revocations::run(async |_| AtOnce(MemoryRevocations::default())).await;
    assert_holds(&report, PAGE);
}

/// It forgets by the time of its revocations, as one process may.
#[tokio::test]
async fn clones_of_a_memory_pass_as_replicas_but_for_the_minute_of_several_clocks() {
    let shared: Mutex<HashMap<String, MemoryRevocations>> = Mutex::default();
    let report = suite::revocations::run_shared(async |world| {
        let mut shared = shared.lock().unwrap();
        AtOnce(shared.entry(world.name().to_owned()).or_default().clone())
    });
    let report = report.await;
    let minute = "an entry is kept for a minute after its end";
    assert!(report.failed().all(|case| case == minute), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    assert!(report.held().count() >= 25, "{report}");
}

#[tokio::test]
async fn a_closure_that_knows_of_nobody_passes_by_what_was_ended_here() {
    let report = suite::revocations::run(async |_| {
        let active = |_: Session| async { Standing::Active };
        active.into_revocations()
    });
    assert_holds(&report.await, PAGE);
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It loses a revocation that comes while another is taken.
    DropsWhatComesTogether,
    /// It wakes live connections at each revocation.
    EndsEverybodyLive,
    ForgetsAMinuteEarly,
    /// Right for one machine, and too early for several.
    ForgetsAtTheEnd,
    /// It takes the clocks of all machines for the same.
    GoesByTheSignIn,
    IgnoresMemberships,
    /// It knows a person by the application's subject alone.
    IgnoresTheProvider,
    KeepsTheLatestEnd,
    None,
    ReadsAddressesByCase,
    /// It ends a subject's sessions whenever they began.
    SubjectsForGood,
}

/// Keeps every revocation that it was given. Clones are the same store.
#[derive(Clone, Debug)]
struct Listed {
    fault: Fault,
    clock: ManualClock,
    revocations: Arc<Mutex<Vec<Revocation>>>,
    taking: Arc<Mutex<u32>>,
}

impl Listed {
    fn new(fault: Fault, world: &World) -> Self {
        Self {
            fault,
            clock: world.clock(),
            revocations: Arc::default(),
            taking: Arc::default(),
        }
    }

    fn ends(&self, revocation: &Revocation, session: &Session) -> bool {
        let now = self.clock.now();
        match (self.fault, revocation.target()) {
            (Fault::ForgetsAMinuteEarly, _)
                if revocation.until() <= now + Duration::from_secs(60) =>
            {
                false
            }
            (Fault::ForgetsAtTheEnd, _) if revocation.until() <= now => false,
            (Fault::GoesByTheSignIn, target) if !matches!(target, Target::Session(_)) => {
                target.names(session) && session.auth_time() <= revocation.at()
            }
            (Fault::IgnoresMemberships, Target::Membership { .. }) => false,
            (Fault::IgnoresTheProvider, Target::Subject(id)) if id != session.subject() => false,
            (Fault::ReadsAddressesByCase, Target::Address(address)) => {
                address == session.email() && revocation.ends(session)
            }
            (Fault::SubjectsForGood, target @ Target::Subject(_)) => target.names(session),
            _ => revocation.ends(session),
        }
    }
}

impl Revocations for Listed {
    fn look_up(&self, session: &Session) -> Lookup {
        let revocations = self.revocations.lock().unwrap();
        let is_ended = revocations
            .iter()
            .any(|revocation| self.ends(revocation, session));
        Lookup::settled(if is_ended {
            Standing::Revoked
        } else {
            Standing::Active
        })
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.fault == Fault::DropsWhatComesTogether {
                *self.taking.lock().unwrap() += 1;
                tokio::task::yield_now().await;
                let mut taking = self.taking.lock().unwrap();
                *taking -= 1;
                if *taking > 0 {
                    return Ok(());
                }
            }
            let mut revocations = self.revocations.lock().unwrap();
            if self.fault == Fault::KeepsTheLatestEnd {
                revocations.retain(|known| {
                    known.target() != revocation.target() || known.at() > revocation.at()
                });
                revocations.retain(|known| known.until() > revocation.at());
            }
            revocations.push(revocation.clone());
            Ok(())
        })
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        let (store, session) = (self.clone(), session.clone());
        let begun = store.revocations.lock().unwrap().len();
        Some(Box::pin(async move {
            let is_over = || match store.fault {
                Fault::EndsEverybodyLive => store.revocations.lock().unwrap().len() > begun,
                _ => matches!(
                    store.look_up(&session),
                    Lookup::Settled(Ok(Standing::Revoked))
                ),
            };
            while !is_over() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(Fault, &[&str]); 10] = [
        (Fault::None, &[]),
        (
            Fault::DropsWhatComesTogether,
            &[
                "a thousand revocations that come together all hold",
                "one revocation that is given many times at once holds",
            ],
        ),
        (
            Fault::EndsEverybodyLive,
            &[
                "a watch of a session that has ended already completes",
                "a watch completes for no other end",
            ],
        ),
        (
            Fault::ForgetsAMinuteEarly,
            &["an entry is kept until its end"],
        ),
        (
            Fault::GoesByTheSignIn,
            &[
                "a revocation ends the sessions that began up to its second",
                "a sign-in that comes after a revocation is spared by it and by no later one",
            ],
        ),
        (
            Fault::IgnoresMemberships,
            &[
                "a revocation for a membership ends no session of another organization",
                "two ids that are one text together are not one membership",
                "a revocation ends a session by what the application granted or the provider proved",
                "a revocation for any target of a session ends it",
            ],
        ),
        (
            Fault::IgnoresTheProvider,
            &["a revocation ends a session by what the application granted or the provider proved"],
        ),
        (
            Fault::KeepsTheLatestEnd,
            &[
                "a shorter revocation for a session does not shorten a longer one",
                "a shorter revocation for a subject does not shorten a longer one",
            ],
        ),
        (
            Fault::ReadsAddressesByCase,
            &["a revocation for an address ends its sessions, whatever their case"],
        ),
        (
            Fault::SubjectsForGood,
            &[
                "a revocation ends the sessions that began up to its second",
                "a sign-in that comes after a revocation is spared by it and by no later one",
                "a revocation for a subject ends its sessions",
                "a watch completes for no other end",
            ],
        ),
    ];
    for (fault, failed) in cases {
        let report = suite::revocations::run(async |world| Listed::new(fault, &world)).await;
        assert_fails(&format!("{fault:?}"), &report, failed);
    }
}

/// Stores by the name of their world.
#[derive(Default)]
struct Shared(Mutex<HashMap<String, Listed>>);

impl Shared {
    fn open(&self, fault: Fault, world: &World) -> Listed {
        let mut stores = self.0.lock().unwrap();
        let store = stores
            .entry(world.name().to_owned())
            .or_insert_with(|| Listed::new(fault, world));
        store.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_shared_keeps_entries_a_minute_longer() {
    let minute: &[&str] = &["an entry is kept for a minute after its end"];
    for (fault, failed) in [(Fault::None, &[][..]), (Fault::ForgetsAtTheEnd, minute)] {
        let shared = Shared::default();
        let report = suite::revocations::run_shared(async |world| shared.open(fault, &world)).await;
        assert_fails(&format!("{fault:?}"), &report, failed);
        if fault == Fault::None {
            assert_holds(&report, PAGE);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_that_share_nothing_fail_wherever_a_revocation_has_to_arrive() {
    let report = suite::revocations::run_shared(async |_| MemoryRevocations::default()).await;
    assert!(report.failed().count() > 20, "{report}");
    assert_eq!(report.held().count(), 1, "{report}");
    let held = ["a watch that is dropped leaves nothing behind"];
    assert!(report.held().eq(held), "{report}");
}

/// A store whose look-ups fail, and which panics.
#[derive(Debug)]
struct Panics;

impl Revocations for Panics {
    fn look_up(&self, _: &Session) -> Lookup {
        panic!("no look-up today");
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_store_that_panics_fails_each_case_by_itself_and_the_panic_is_told() {
    let report = suite::revocations::run(async |_| Panics).await;
    assert_eq!(report.held().count(), 0, "{report}");
    assert_eq!(report.skipped().count(), 5, "{report}");
    let told = report.to_string();
    assert_eq!(
        told.matches("found \"no look-up today\"").count(),
        22,
        "{told}"
    );
}

#[tokio::test]
async fn a_store_that_has_no_watch_skips_the_cases_of_watches() {
    let store = async |_| Unwatched(MemoryRevocations::default());
    let report = suite::revocations::run(store).await;
    report.assert();
    let skipped: Vec<_> = report.skipped().collect();
    assert_eq!(skipped.len(), 5, "{report}");
    let of_watches = |name: &&str| name.starts_with("a watch ");
    assert!(skipped.iter().all(of_watches), "{skipped:?}");
}

#[derive(Debug)]
struct Unwatched(MemoryRevocations);

impl Revocations for Unwatched {
    fn look_up(&self, session: &Session) -> Lookup {
        self.0.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.revoke(revocation)
    }
}
