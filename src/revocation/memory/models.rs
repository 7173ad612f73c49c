//! The memory store, tried in every order that threads can take.
//!
//! - A reader that looks after an end returned sees it, whatever is ended, forgotten or rebuilt at
//!   the same time: before, between and after every step.
//! - One shard stands for all: shards share nothing but the count, which is modelled with them.
//! - Three threads in every order would take hours. They are tried with two preemptions; two
//!   threads with three.

use loom::{sync::Arc, thread};

use super::{
    ids::Ids,
    names::{Before, Names},
    table::{End, Hasher, Id},
};
use crate::clock::Timestamp;

/// How many entries fill the smallest table.
const FULL: u64 = 7;

fn try_every_order(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn id(number: u64) -> Id {
    [number, !number]
}

fn ids() -> Arc<Ids> {
    // The same key in every round: loom replays them.
    Arc::new(Ids::new(
        1,
        Hasher([0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03]),
    ))
}

/// Returns a store whose one table is full, with entries that end at `end`.
fn full(end: End) -> Arc<Ids> {
    let ids = ids();
    (0..FULL).for_each(|number| ids.put(id(number), end, 0));
    ids
}

fn ended(ids: &Ids, number: u64) -> Option<End> {
    let entry = ids
        .entries()
        .into_iter()
        .find(|(known, _)| *known == id(number));
    assert_eq!(entry.is_some(), ids.contains(id(number)), "{number}");
    entry.map(|(_, end)| end)
}

#[test]
fn of_two_ends_at_once_neither_is_lost() {
    try_every_order(3, || {
        let ids = ids();
        let other = ids.clone();
        let one = thread::spawn(move || {
            other.put(id(1), 50, 0);
            assert!(other.contains(id(1)), "seen by who ended it");
        });
        ids.put(id(2), 60, 0);
        assert!(ids.contains(id(2)), "seen by who ended it");
        one.join().unwrap();
        assert_eq!([ended(&ids, 1), ended(&ids, 2)], [Some(50), Some(60)]);
        assert_eq!(ids.len(), 2);
    });
}

#[test]
fn two_ends_of_one_session_keep_the_later() {
    for ends in [[50, 60], [60, 50]] {
        try_every_order(3, move || {
            let ids = ids();
            let other = ids.clone();
            let one = thread::spawn(move || other.put(id(1), ends[0], 0));
            ids.put(id(1), ends[1], 0);
            one.join().unwrap();
            assert_eq!(ended(&ids, 1), Some(60));
            assert_eq!(ids.len(), 1);
        });
    }
}

#[test]
fn a_reader_sees_an_end_whole_and_never_unseen_again() {
    try_every_order(3, || {
        let ids = ids();
        let other = ids.clone();
        let writer = thread::spawn(move || other.put(id(1), 50, 0));
        let [first, second] = [ids.contains(id(1)), ids.contains(id(1))];
        assert!(!first || second, "it came back to life");
        assert!(!ids.contains(id(2)));
        writer.join().unwrap();
        assert!(ids.contains(id(1)));
    });
}

/// Half of one would be a revocation against a session that nobody ended.
#[test]
fn what_a_reader_lists_is_what_was_put_in() {
    try_every_order(3, || {
        let ids = ids();
        ids.put(id(1), 50, 0);
        let other = ids.clone();
        let writer = thread::spawn(move || other.put(id(2), 60, 0));
        let entries = ids.entries();
        let known = [(id(1), 50), (id(2), 60)];
        assert!(
            entries.iter().all(|entry| known.contains(entry)),
            "{entries:?}"
        );
        writer.join().unwrap();
    });
}

#[test]
fn a_session_stays_ended_while_the_table_grows() {
    try_every_order(3, || {
        let ids = full(50);
        let other = ids.clone();
        let writer = thread::spawn(move || other.put(id(FULL), 50, 0));
        assert!(ids.contains(id(0)), "while it grows");
        writer.join().unwrap();
        assert!((0..=FULL).all(|number| ended(&ids, number) == Some(50)));
        assert_eq!(ids.len(), 8);
    });
}

#[test]
fn what_has_not_expired_stays_while_the_rest_is_forgotten() {
    try_every_order(3, || {
        let ids = ids();
        (1..FULL).for_each(|number| ids.put(id(number), 50, 0));
        ids.put(id(0), 200, 0);
        let other = ids.clone();
        let writer = thread::spawn(move || other.put(id(FULL), 200, 100));
        assert!(ids.contains(id(0)), "while the rest is forgotten");
        writer.join().unwrap();
        assert_eq!([ended(&ids, 0), ended(&ids, FULL)], [Some(200); 2]);
        assert_eq!([ended(&ids, 1), ended(&ids, FULL - 1)], [None; 2]);
        assert_eq!(ids.len(), 2);
    });
}

/// All entries but the new ones have expired: the count must not pass zero while one of two writers
/// takes them off.
#[test]
fn forgetting_at_the_same_time_loses_no_end() {
    try_every_order(2, || {
        let ids = full(50);
        let writers = [FULL, FULL + 1].map(|number| {
            let ids = ids.clone();
            thread::spawn(move || {
                ids.put(id(number), 200, 100);
                assert!(ids.contains(id(number)), "{number}, by who ended it");
            })
        });
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        assert_eq!([ended(&ids, FULL), ended(&ids, FULL + 1)], [Some(200); 2]);
        assert_eq!(ids.len(), 2);
    });
}

/// The end of an expired entry is moved on by one thread while another, for which it has expired,
/// rebuilds the table.
#[test]
fn an_end_that_is_moved_on_is_kept_by_a_rebuilding_at_the_same_time() {
    try_every_order(3, || {
        let ids = full(50);
        let other = ids.clone();
        let writer = thread::spawn(move || other.put(id(FULL), 200, 100));
        ids.put(id(0), 300, 20);
        assert!(ids.contains(id(0)));
        writer.join().unwrap();
        assert_eq!(ended(&ids, 0), Some(300));
        assert_eq!(ended(&ids, FULL), Some(200));
    });
}

#[test]
fn of_two_revocations_for_names_at_once_neither_is_lost() {
    let before = |at| Before {
        at: Timestamp::from_secs(at),
        until: Timestamp::from_secs(at + 100),
    };
    for (one, other, want) in [("a", "b", [10, 20]), ("a", "a", [20, 20])] {
        try_every_order(3, move || {
            let names = Arc::new(Names::new(1));
            names.put(&[("c", before(1))], Timestamp::from_secs(0));
            let ours = names.clone();
            let writer = thread::spawn(move || {
                ours.put(&[(one, before(10))], Timestamp::from_secs(0));
                assert!(ours.ends(one, Timestamp::from_secs(10)), "by who ended it");
            });
            assert!(
                names.ends("c", Timestamp::from_secs(1)),
                "while others are put in"
            );
            names.put(&[(other, before(20))], Timestamp::from_secs(0));
            assert!(
                names.ends(other, Timestamp::from_secs(20)),
                "by who ended it"
            );
            writer.join().unwrap();
            for (name, at) in [one, other].into_iter().zip(want) {
                assert!(names.ends(name, Timestamp::from_secs(at)), "{name}");
                assert!(!names.ends(name, Timestamp::from_secs(at + 1)), "{name}");
            }
            assert_eq!(names.len(), names.entries().len());
        });
    }
}

/// A caller whose revocation was already known relies on it at once. So every reader must see it.
#[test]
fn of_the_same_revocations_at_once_one_is_new_and_who_is_told_of_none_sees_it() {
    let before = Before {
        at: Timestamp::from_secs(10),
        until: Timestamp::from_secs(100),
    };
    try_every_order(3, move || {
        let names = Arc::new(Names::new(1));
        names.put(&[("b", before)], Timestamp::from_secs(0));
        let page = move |names: &Names| {
            let changed = names.put(
                &[("c", before), ("a", before), ("a", before)],
                Timestamp::from_secs(0),
            );
            assert!(
                ["a", "b", "c"]
                    .iter()
                    .all(|name| names.ends(name, Timestamp::from_secs(10)))
            );
            usize::from(changed.contains(&"a"))
        };
        let ours = names.clone();
        let writer = thread::spawn(move || page(&ours));
        assert!(
            names.ends("b", Timestamp::from_secs(10)),
            "while others are put in"
        );
        let told = page(&names) + writer.join().unwrap();
        assert_eq!((told, names.len(), names.entries().len()), (1, 3, 3));
    });
}
