//! The change of keys, tried in every order that threads can take.
//!
//! - Its slot is a double of the three operations of arc-swap's that are used.
//! - So this says that *we* use the slot rightly: that no change is lost to another, that nobody
//!   sees half of one, and that a reader after a change returned sees it. It does not say that
//!   arc-swap keeps its promise; its own tests do.

use std::{convert::Infallible, ptr};

use loom::{sync::Arc, thread};

use super::Swap;

/// A ring in small: the current key first. Whole is one that has every key below its current one.
type Keys = Vec<u32>;

fn is_whole(keys: &[u32]) -> bool {
    let current = keys.first().copied().unwrap_or_default();
    keys.iter().rev().copied().eq(0..=current)
}

/// Makes the next key current, and keeps the others.
fn rotate(ring: &Swap<Keys>) {
    let changed: Result<(), Infallible> = ring.change(|keys| {
        let next = keys.first().copied().unwrap_or_default() + 1;
        Ok([next].into_iter().chain(keys.iter().copied()).collect())
    });
    assert_eq!(changed, Ok(()));
}

#[test]
fn of_two_changes_at_once_neither_is_lost() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let other = ring.clone();
        let one = thread::spawn(move || rotate(&other));
        rotate(&ring);
        one.join().unwrap();
        assert_eq!(**ring.load(), [2, 1, 0]);
    });
}

#[test]
fn a_reader_sees_whole_rings_and_never_an_older_one_again() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let other = ring.clone();
        let writer = thread::spawn(move || {
            rotate(&other);
            rotate(&other);
        });
        let first = ring.load();
        let second = ring.load();
        assert!(is_whole(&first) && is_whole(&second));
        assert!(first.len() <= second.len());
        writer.join().unwrap();
        assert!(is_whole(&first), "a snapshot stays as it is");
        assert_eq!(**ring.load(), [2, 1, 0]);
    });
}

/// A token is minted by the ring that one request saw, and read by the ring that a later one sees.
#[test]
fn what_was_made_before_a_change_is_known_after_it() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let other = ring.clone();
        let writer = thread::spawn(move || rotate(&other));
        let minted_with = ring.load().first().copied().unwrap();
        assert!(ring.load().contains(&minted_with));
        writer.join().unwrap();
    });
}

#[test]
fn who_reads_after_a_replacement_returned_sees_it_whatever_else_changes() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let other = ring.clone();
        let rotation = thread::spawn(move || rotate(&other));
        // The leaked key 0 is dropped.
        ring.replace(std::sync::Arc::new(vec![9]));
        let seen = ring.load();
        assert!(!seen.contains(&0), "{seen:?}");
        rotation.join().unwrap();
        let seen = ring.load();
        assert!(
            !seen.contains(&0),
            "a rotation at the same time brought it back: {seen:?}"
        );
    });
}

#[test]
fn a_change_that_fails_changes_nothing() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let other = ring.clone();
        let rotation = thread::spawn(move || rotate(&other));
        assert_eq!(ring.change(|_| Err("no")), Err("no"));
        rotation.join().unwrap();
        assert_eq!(**ring.load(), [1, 0]);
    });
}

/// The follower of a file applies what it read only to the keys that it knows.
#[test]
fn a_change_of_one_value_alone_never_overwrites_a_replacement() {
    loom::model(|| {
        let ring = Arc::new(Swap::new(vec![0]));
        let known = ring.load();
        let other = ring.clone();
        let follower = thread::spawn(move || {
            other.change(|now| ptr::eq(now, &*known).then(|| vec![1]).ok_or(()))
        });
        ring.replace(std::sync::Arc::new(vec![9]));
        // It was before the replacement, or did not happen.
        let _ = follower.join().unwrap();
        assert_eq!(**ring.load(), [9]);
    });
}
