//! One place for hot tokens, tried in every order that threads can take. Its slot is the double of
//! `slot.rs`.

use loom::{sync::Arc, thread};

use super::Place;

#[test]
fn a_place_that_two_tokens_share_never_knows_a_token_that_was_not_verified() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let other = place.clone();
        let sender = thread::spawn(move || {
            other.note(b"one", 1);
            other.note(b"one", 1);
            assert!(!other.has(b"two."), "nobody noted it");
        });
        place.note(b"two", 2);
        assert!(!place.has(b"on"), "nobody noted it");
        place.note(b"two", 2);
        sender.join().unwrap();
        // Each may have driven out the other, or kept it from a second sight.
        assert!(!(place.has(b"one") && place.has(b"two")));
        assert!(!place.has(b"onetwo") && !place.has(b""));
    });
}

#[test]
fn a_token_that_two_threads_verify_at_once_is_known_from_then_on() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let other = place.clone();
        let sender = thread::spawn(move || other.note(b"one", 1));
        place.note(b"one", 1);
        sender.join().unwrap();
        assert!(place.has(b"one"), "it was seen twice");
    });
}
