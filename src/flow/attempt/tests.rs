//! An attempt comes back as it was sealed, and only for as long as it may.

use super::*;
use crate::{
    clock::Steady,
    session::{RetiredKey, SigningKey},
    testing::ManualClock,
};

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap())
}

fn attempt(email: &str) -> Attempt {
    let email = Email::parse(email).unwrap();
    let code = MatchCode::of(&keys(), seal::fingerprint("cookie"), &email);
    Attempt::new([7; 16], seal::fingerprint("cookie"), email, code, NOW)
}

fn unsealed(opened: Attempt) -> Attempt {
    Attempt {
        sealed_by: None,
        ..opened
    }
}

#[test]
fn an_attempt_comes_back_as_it_was_sealed() {
    let keys = keys();
    let attempt = attempt("Ada@example.com").with_tail("/reports?x=é");
    let sealed = attempt
        .seal(&keys, Purpose::State, crate::random::bytes())
        .unwrap();
    let open = |purpose| Attempt::open(&keys, purpose, &sealed, NOW);
    assert_eq!(open(Purpose::State).map(unsealed), Some(attempt));
    assert_eq!(open(Purpose::Check), None);
}

/// A replica whose clock was set back by an hour, and another one.
#[test]
fn an_attempt_comes_back_with_the_date_and_the_skew_of_its_replica() {
    let (clock, hour) = (ManualClock::at(NOW), Duration::from_secs(3_600));
    let steady = Steady::new(Box::new(clock.clone()));
    clock.advance(hour);
    steady.now();
    clock.set(NOW + 2 * LEEWAY);
    let begun_at = steady.at(steady.now());
    assert!(begun_at.most_ahead() > Duration::ZERO);
    let (keys, email) = (keys(), Email::parse("ada@example.com").unwrap());
    let code = MatchCode::of(&keys, [1; 16], &email);
    let attempt = Attempt::new([7; 16], [1; 16], email, code, begun_at);
    let sealed = attempt.seal(&keys, Purpose::State, crate::random::bytes());
    let sealed = sealed.unwrap();
    assert_eq!(sealed.len(), attempt.sealed_len_with(0));
    let open = |reading: Reading| Attempt::open(&keys, Purpose::State, &sealed, reading);
    // Where it began, it is as old as it was.
    assert_eq!(open(begun_at).map(unsealed), Some(attempt.clone()));
    let elsewhere = open(Reading::level(NOW + 3 * LEEWAY)).unwrap();
    assert_eq!(elsewhere.created, NOW + 2 * LEEWAY);
    assert_eq!(elsewhere.name(), attempt.name());
}

#[test]
fn an_attempt_of_a_key_that_has_left_the_ring_is_not_sealed_by_the_next_key() {
    let keys = keys();
    let [one, two, three] = [(); 3].map(|()| crate::random::bytes());
    let sealed = attempt("ada@example.com").seal(&keys, Purpose::Open, one);
    let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW).unwrap();
    let next = || SigningKey::generate().unwrap();
    let until = NOW + Duration::from_secs(3_600);
    keys.handle().rotate(&next(), until, NOW).unwrap();
    let anew = opened.with_tail("/").seal(&keys, Purpose::State, two);
    assert!(anew.is_some(), "it has retired");
    keys.handle().replace(&KeyRing::new(next()));
    let anew = opened.with_link("x").seal(&keys, Purpose::State, three);
    assert_eq!(anew, None);
    assert!(
        attempt("ada@example.com")
            .seal(&keys, Purpose::State, three)
            .is_some()
    );
}

/// A thief who still holds the key begins no sign-in with it.
#[test]
fn an_attempt_that_began_after_its_key_retired_does_not_open() {
    let old = SigningKey::generate().unwrap();
    let sealed = attempt("ada@example.com").seal(
        &KeyRing::new(old.clone()),
        Purpose::State,
        crate::random::bytes(),
    );
    let sealed = sealed.unwrap();
    let later = RetiredKey::LEEWAY + Duration::from_secs(1);
    for (since, want) in [
        (NOW, true),
        (NOW - RetiredKey::LEEWAY, true),
        (NOW - later, false),
    ] {
        let ring = KeyRing::new(SigningKey::generate().unwrap());
        let old = RetiredKey::new(old.clone()).since(since);
        let ring = ring.retire(old).unwrap();
        let opened = Attempt::open(&ring, Purpose::State, &sealed, NOW);
        assert_eq!(opened.is_some(), want, "{since:?}");
    }
}

#[test]
fn a_link_and_a_way_back_are_told_apart() {
    let keys = keys();
    for (link, tail) in [
        ("", ""),
        ("", "/reports"),
        ("https://provider.example/x", ""),
        ("https://provider.example/x", "/reports"),
        ("https://provider.example/x/reports", "\0\u{8}/x"),
    ] {
        let attempt = attempt("ada@example.com").with_link(link).with_tail(tail);
        let sealed = attempt.seal(&keys, Purpose::Open, crate::random::bytes());
        let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW);
        assert_eq!(opened.map(unsealed), Some(attempt), "{link} {tail}");
    }
}

#[test]
fn a_code_of_the_providers_is_told_from_a_link() {
    let keys = keys();
    for attempt in [
        attempt("ada@example.com").with_code("c0de").with_tail("/x"),
        attempt("ada@example.com").with_link("c0de").with_tail("/x"),
    ] {
        let sealed = attempt.seal(&keys, Purpose::Open, crate::random::bytes());
        let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW);
        assert_eq!(opened.map(unsealed), Some(attempt));
    }
}

#[test]
fn what_was_mailed_whether_a_fragment_was_kept_and_the_term_come_back() {
    let keys = keys();
    for sent in [Sent::Code, Sent::Link, Sent::LinkAndCode] {
        for (keeps_fragment, term) in [
            (false, Term::Usual),
            (true, Term::Usual),
            (false, Term::Remembered),
            (true, Term::Remembered),
        ] {
            let attempt = Attempt {
                sent,
                keeps_fragment,
                term,
                ..attempt("ada@example.com")
            };
            let sealed = attempt.seal(&keys, Purpose::Check, crate::random::bytes());
            let opened = Attempt::open(&keys, Purpose::Check, &sealed.unwrap(), NOW);
            assert_eq!(opened.map(unsealed), Some(attempt));
        }
    }
}

#[test]
fn the_longest_address_leaves_room_for_a_long_way_back_and_a_longer_one_is_not_sealed() {
    let label = "b".repeat(60);
    let email = format!("{}@{label}.{label}.{label}.com", "a".repeat(64));
    let longest = attempt(&format!("{email:0<1}"));
    let nonce = crate::random::bytes();
    let fits = longest
        .with_tail(&"x".repeat(300))
        .seal(&keys(), Purpose::State, nonce);
    assert!(fits.is_some_and(|sealed| sealed.len() < 1_000));
    let long = longest
        .with_tail(&"x".repeat(600))
        .seal(&keys(), Purpose::State, nonce);
    assert_eq!(long, None);
}

#[test]
fn an_attempt_ends_on_the_second_and_one_from_the_future_never_began() {
    let hour = Duration::from_secs(3_600);
    let cases = [
        ("at once", 1_000, false),
        ("a second early", 4_599, false),
        ("on the second", 4_600, true),
        ("a clock behind by a minute", 940, false),
        ("a clock behind by more", 939, true),
    ];
    for (name, now, want) in cases {
        let now = Timestamp::from_secs(now);
        assert_eq!(
            attempt("ada@example.com")
                .over(hour, RejectionKind::AttemptExpired, now)
                .is_some(),
            want,
            "{name}"
        );
    }
}
