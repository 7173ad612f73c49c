use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Wake,
};

use super::*;
use crate::{
    clock::Timestamp,
    provider::Identity,
    revocation::{MemoryRevocations, Revocation, Revocations, Target},
    session::Times,
};

fn session(number: u64) -> Session {
    let times = Times {
        issued_at: Timestamp::from_secs(10),
        expires_at: Timestamp::from_secs(1_000),
        auth_time: Timestamp::from_secs(10),
    };
    let identity = Identity::new(format!("prof_{number}"), "ada@example.com".parse().unwrap());
    let id = SessionId::from_bytes(u128::from(number).to_be_bytes());
    Session::new(&identity, id, times)
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks at the list as soon as it is woken.
struct Looks(Arc<Watchers>, AtomicUsize);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(self.0.len(), Ordering::Relaxed);
    }
}

#[test]
fn a_walk_looks_at_each_connection_once_and_at_a_thousand_under_one_lock() {
    let list = Arc::new(Watchers::default());
    let count = Arc::new(Count::default());
    for number in 0..2_500 {
        list.begin(&session(number), Waker::from(count.clone()));
    }
    let looks = Cell::new(0);
    let is_even = |session: &Session| {
        looks.set(looks.get() + 1);
        session.id().to_bytes()[15].is_multiple_of(2)
    };
    list.wake_ended(is_even);
    assert_eq!(looks.get(), 2_500);
    assert_eq!(count.0.load(Ordering::Relaxed), 1_250);
    // Who is woken gets the lock after a thousand looks: the walk does not hold it.
    let list = Arc::new(Watchers::default());
    let woken = Arc::new(Looks(list.clone(), AtomicUsize::new(0)));
    for number in 0..2_500 {
        list.begin(&session(number), Waker::from(woken.clone()));
    }
    let most = Cell::new(0);
    let before = Cell::new(0);
    list.wake_ended(|_| {
        // The wakes of a piece come before the next is looked at.
        let woken = woken.1.load(Ordering::Relaxed);
        if woken > before.replace(woken) {
            most.set(0);
        }
        most.set(most.get() + 1);
        assert!(most.get() <= 1_000);
        true
    });
    assert_eq!(woken.1.load(Ordering::Relaxed), 2_500 * 2_500);
}

#[test]
fn many_revocations_at_once_wake_theirs_and_no_others() {
    let store = MemoryRevocations::default();
    let counts: Vec<_> = (0..3_000).map(|_| Arc::new(Count::default())).collect();
    let mut watches = Vec::new();
    for (number, count) in (0..).zip(&counts) {
        let mut watch = store.watch(&session(number)).unwrap();
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        assert!(watch.as_mut().poll(&mut context).is_pending());
        watches.push(watch);
    }
    let revocation = |number: u64| {
        let target = match number % 3 {
            0 => Target::Session(session(number).id()),
            _ => Target::Subject(format!("prof_{number}")),
        };
        let [at, until] = [20, 5_000].map(Timestamp::from_secs);
        Revocation::new(target, at, until)
    };
    let many: Vec<_> = (500..1_700).map(revocation).collect();
    store.record_all(&many, Timestamp::from_secs(20));
    for (number, count) in counts.iter().enumerate() {
        let woken = count.0.load(Ordering::Relaxed);
        assert_eq!(woken > 0, (500..1_700).contains(&number), "{number}");
    }
}
