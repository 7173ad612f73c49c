use proptest::prelude::*;

use super::*;

impl<K> Hot<K> {
    fn has(&self, token: &str, signature: &str) -> bool {
        self.find(token, signature).is_some()
    }
}

#[test]
fn a_token_is_known_after_its_second_verification_and_no_other_is() {
    let hot = Hot::new();
    assert!(!hot.has("a.b.c", "c"));
    hot.note("a.b.c", "c", || ());
    assert!(!hot.has("a.b.c", "c"), "seen once");
    hot.note("a.b.c", "c", || ());
    assert!(hot.has("a.b.c", "c"));
    // With the same signature they have the same place.
    for other in ["a.b.d", "a.b.", "a.b.cc", "", "A.b.c", "b.b.c"] {
        assert!(!hot.has(other, "c"), "{other:?}");
    }
    assert!(!hot.has("a.b.c", "d"));
}

#[test]
fn a_token_that_is_too_long_is_verified_each_time() {
    let hot = Hot::new();
    for (length, want) in [(LONGEST, true), (LONGEST + 1, false)] {
        let token = "x".repeat(length);
        hot.note(&token, "c", || ());
        hot.note(&token, "c", || ());
        assert_eq!(hot.has(&token, "c"), want, "{length}");
    }
}

#[test]
fn tokens_that_are_seen_once_do_not_drive_out_a_hot_one() {
    let hot = Hot::new();
    hot.note("hot", "hot", || ());
    hot.note("hot", "hot", || ());
    for number in 0..100_000 {
        let cold = number.to_string();
        hot.note(&cold, &cold, || ());
    }
    assert!(hot.has("hot", "hot"));
    assert_eq!(hot.places.len(), 4_096);
}

#[test]
fn what_is_kept_is_of_the_very_token_that_is_found() {
    let hot = Hot::new();
    // Their signatures end alike, so both have the same place and mark.
    let signatures = ["x-0123456789abcdef", "y-0123456789abcdef"];
    for _ in 0..2 {
        for (kept, signature) in signatures.into_iter().enumerate() {
            hot.note(signature, signature, || kept);
            let found = hot.find(signature, signature);
            assert!(found.is_none_or(|found| found.kept() == Some(&kept)));
        }
    }
    assert!(!hot.has(signatures[0], signatures[0]));
    let found = hot.find(signatures[1], signatures[1]).unwrap();
    assert_eq!(found.kept(), Some(&1));
}

#[test]
fn where_a_token_stands_differs_from_process_to_process() {
    for signature in ["c", "a signature of more than 16 characters"] {
        let at = |hot: &Hot<()>| hot.place(signature.as_bytes()).1;
        let marks: std::collections::HashSet<_> = (0..8).map(|_| at(&Hot::new())).collect();
        assert!(marks.len() > 1, "{marks:?}");
    }
}

proptest! {
    #[test]
    fn two_tokens_are_the_same_if_their_texts_are(one in "[ab]{0,4}", other in "[ab]{0,4}") {
        prop_assert_eq!(is_same(one.as_bytes(), other.as_bytes()), one == other);
    }
}
