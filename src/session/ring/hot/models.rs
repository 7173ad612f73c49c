//! One place for hot tokens, tried in every order that threads can take. Its slot is the double of
//! `slot.rs`.

use loom::{sync::Arc, thread};

use super::Place;

/// Says whether a place has a token. What it keeps of it must be that token's.
fn has(place: &Place<&str>, token: &[u8]) -> bool {
    let found = place.find(token);
    found.is_some_and(|found| {
        assert_eq!(found.kept().map(|kept| kept.as_bytes()), Some(token));
        true
    })
}

#[test]
fn a_place_that_two_tokens_share_never_knows_a_token_that_was_not_verified() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let other = place.clone();
        let sender = thread::spawn(move || {
            other.note(b"one", 1, || "one");
            other.note(b"one", 1, || "one");
            assert!(!has(&other, b"two."), "nobody noted it");
        });
        place.note(b"two", 2, || "two");
        assert!(!has(&place, b"on"), "nobody noted it");
        place.note(b"two", 2, || "two");
        sender.join().unwrap();
        // Each may have driven out the other, or kept it from a second sight.
        assert!(!(has(&place, b"one") && has(&place, b"two")));
        assert!(!has(&place, b"onetwo") && !has(&place, b""));
    });
}

#[test]
fn a_token_that_two_threads_verify_at_once_is_known_from_then_on() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let other = place.clone();
        let sender = thread::spawn(move || other.note(b"one", 1, || "one"));
        place.note(b"one", 1, || "one");
        sender.join().unwrap();
        assert!(has(&place, b"one"), "it was seen twice");
    });
}
