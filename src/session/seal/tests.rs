//! What is sealed opens for its purpose, whole, and for nothing else.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce as OtherNonce, UnboundKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::{
    provider::Identity,
    session::{RetiredKey, SessionId, Times, issued::Of, token::Tokens},
};

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap())
}

/// Cookies and counts that were made before must still be ours.
#[test]
fn a_tag_is_the_one_that_hmac_makes_with_the_key_as_it_is() {
    let key = SigningKey::generate().unwrap();
    let tag = mac(&key, "label").chain_update(b"value").finalize();
    let plain: Hmac<Sha256> = Hmac::new_from_slice(&key.derived::<32>("label")).unwrap();
    assert!(tag == plain.chain_update(b"value").finalize());
}

#[test]
fn the_pseudonym_of_nothing_is_that_of_an_empty_value() {
    let (keys, other) = (ring(), ring());
    for label in ["one", "two"] {
        let nothing = keys.pseudonym_of_nothing(label);
        assert_eq!(nothing, keys.pseudonym(label, b""));
        assert_eq!(nothing, keys.pseudonym_of_nothing(label), "the second time");
        assert_ne!(nothing, other.pseudonym_of_nothing(label));
    }
    assert_ne!(
        keys.pseudonym_of_nothing("one"),
        keys.pseudonym_of_nothing("two")
    );
}

#[test]
fn a_sealed_value_opens_for_its_purpose_alone() {
    let keys = ring();
    for sealed_for in Purpose::ALL {
        let sealed = keys.seal(sealed_for, b"secret", crate::random::bytes());
        for opened_for in Purpose::ALL {
            let want = (sealed_for == opened_for).then(|| b"secret".to_vec());
            assert_eq!(
                keys.open(opened_for, &sealed, NOW),
                want,
                "{sealed_for:?} {opened_for:?}"
            );
        }
    }
}

#[test]
fn a_sealed_value_ends_on_a_letter_or_digit_and_one_that_does_not_opens_too() {
    let keys = ring();
    let aead = aead(keys.load().current(), Purpose::Open);
    let mut others = 0;
    for number in 0..2_000_u32 {
        // Three lengths: only one of them uses all bits of its last character.
        let plain = &b"abc"[..1 + usize::try_from(number % 3).unwrap()];
        let nonce = crate::random::bytes();
        let sealed = keys.seal(Purpose::Open, plain, nonce);
        assert!(sealed.ends_with(|c: char| c.is_ascii_alphanumeric()));
        // As it is without that rule.
        let bare = sealed_by(&aead, plain.len(), |room| room.extend(plain), nonce);
        others += usize::from(bare != sealed);
        for sealed in [sealed, bare] {
            let opened = keys.open(Purpose::Open, &sealed, NOW);
            assert_eq!(opened.as_deref(), Some(plain));
        }
    }
    assert!(others > 0, "none of them had to be sealed again");
}

/// What is sealed by either opens by the other.
#[test]
fn another_implementation_of_the_cipher_opens_and_seals_the_same() {
    let keys = ring();
    let secret = keys.load().current().derived::<32>(Purpose::State.label());
    let other = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &secret).unwrap());
    for length in (0..200).chain([1_000, 4_096]) {
        let nonce = crate::random::bytes::<NONCE>();
        let plain: Vec<u8> = (0..length).map(|n: u16| n.to_le_bytes()[0]).collect();
        let sealed = keys.seal(Purpose::State, &plain, nonce);
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        let (nonce, inside) = bytes.split_first_chunk_mut().unwrap();
        let nonce = OtherNonce::assume_unique_for_key(*nonce);
        let opened = other.open_in_place(nonce, Aad::empty(), inside).unwrap();
        assert_eq!(opened, plain, "{length}");

        let nonce = crate::random::bytes::<NONCE>();
        let mut inside = plain.clone();
        let theirs = OtherNonce::assume_unique_for_key(nonce);
        other
            .seal_in_place_append_tag(theirs, Aad::empty(), &mut inside)
            .unwrap();
        let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &inside].concat());
        assert_eq!(keys.open(Purpose::State, &sealed, NOW), Some(plain));
    }
}

#[test]
fn a_value_that_is_sealed_alike_has_one_text_for_each_key() {
    let (keys, others) = (ring(), ring());
    let (session, of_others) = (session_by(&keys), session_by(&others));
    let alike = |purpose, plain: &[u8]| keys.seal_alike(&session, purpose, plain).unwrap();
    let sealed = alike(Purpose::Known, b"one");
    assert_eq!(sealed, alike(Purpose::Known, b"one"));
    assert_eq!(
        keys.open(Purpose::Known, &sealed, NOW).as_deref(),
        Some(&b"one"[..])
    );
    for other in [
        alike(Purpose::Known, b"two"),
        alike(Purpose::Arrived, b"one"),
        others
            .seal_alike(&of_others, Purpose::Known, b"one")
            .unwrap(),
    ] {
        assert_ne!(sealed, other);
    }
}

#[test]
fn nothing_is_sealed_alike_for_a_session_whose_key_has_left_the_ring() {
    let keys = ring();
    let session = session_by(&keys);
    let next = || SigningKey::generate().unwrap();
    let until = NOW + std::time::Duration::from_secs(60);
    keys.handle().rotate(&next(), until, NOW).unwrap();
    let is_sealed = || keys.seal_alike(&session, Purpose::Known, b"one").is_some();
    assert!(is_sealed(), "it has retired");
    keys.handle().replace(&KeyRing::new(next()));
    assert!(!is_sealed());
}

/// A session as it is handed out by the current key of a ring.
fn session_by(keys: &KeyRing) -> Session {
    let identity = Identity::new("prof_ada", "ada@example.com".parse().unwrap());
    let times = Times {
        issued_at: NOW,
        expires_at: NOW + std::time::Duration::from_secs(3_600),
        auth_time: NOW,
    };
    let session = Session::new(&identity, SessionId::from_bytes([7; 16]), times);
    let tokens = Tokens::new(keys.clone(), "https://app.example.com");
    tokens.hand_out(session, Of::Application, NOW).unwrap().1
}

#[test]
fn what_a_retired_key_seals_later_is_known_by_its_time() {
    let old = SigningKey::generate().unwrap();
    let sealed = KeyRing::new(old.clone()).seal(Purpose::Open, b"x", crate::random::bytes());
    let ring = KeyRing::new(SigningKey::generate().unwrap());
    let ring = ring.retire(RetiredKey::new(old).since(NOW)).unwrap();
    let (_, by) = ring.open_with(Purpose::Open, &sealed, NOW).unwrap();
    assert!(by.sealed_at(NOW + RetiredKey::LEEWAY));
    let later = RetiredKey::LEEWAY + std::time::Duration::from_secs(1);
    assert!(!by.sealed_at(NOW + later));
}

/// Each key of the ring tries the same bytes, one after the other.
#[test]
fn what_one_key_does_not_open_is_whole_for_the_next() {
    let keys: Vec<_> = (0..5).map(|_| SigningKey::generate().unwrap()).collect();
    let oldest = KeyRing::new(keys[4].clone());
    let mut ring = KeyRing::new(keys[0].clone());
    for key in &keys[1..] {
        ring = ring.retire(key.clone()).unwrap();
    }
    for length in [0, 1, 15, 16, 17, 100, 1_000] {
        let plain = vec![7; length];
        let sealed = oldest.seal(Purpose::Open, &plain, crate::random::bytes());
        assert_eq!(ring.open(Purpose::Open, &sealed, NOW), Some(plain));
    }
}

#[test]
fn a_sealed_value_with_any_changed_bit_does_not_open() {
    let keys = ring();
    let sealed = keys.seal(Purpose::State, b"secret", crate::random::bytes());
    let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
    assert_eq!(bytes.len(), OVERHEAD + 6);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = URL_SAFE_NO_PAD.encode(changed);
        assert_eq!(keys.open(Purpose::State, &changed, NOW), None, "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert_eq!(
            keys.open(Purpose::State, &sealed[..length], NOW),
            None,
            "{length} characters"
        );
    }
}

#[test]
fn a_retired_key_still_opens_and_a_foreign_one_does_not() {
    let (old, new) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    let sealed = KeyRing::new(old.clone()).seal(Purpose::State, b"secret", crate::random::bytes());
    let ring = KeyRing::new(new.clone()).retire(old).unwrap();
    assert_eq!(
        ring.open(Purpose::State, &sealed, NOW).as_deref(),
        Some(&b"secret"[..])
    );
    assert_eq!(KeyRing::new(new).open(Purpose::State, &sealed, NOW), None);
}

#[test]
fn a_retired_key_opens_until_its_end_and_not_on_it() {
    let old = SigningKey::generate().unwrap();
    let before = KeyRing::new(old.clone());
    let sealed = before.seal(Purpose::State, b"secret", crate::random::bytes());
    let cookie = before.browser_cookie(crate::random::bytes()).value(&[]);
    // The time of retirement does not limit sealed values, because an attempt has its own end.
    let old = RetiredKey::new(old).since(Timestamp::from_secs(0));
    let second = std::time::Duration::from_secs(1);
    let cases = [
        ("without an end", old.clone(), true),
        (
            "a second before its end",
            old.clone().until(NOW + second),
            true,
        ),
        ("on its end", old.clone().until(NOW), false),
        ("after its end", old.until(NOW - second), false),
    ];
    for (name, old, want) in cases {
        let ring = KeyRing::new(SigningKey::generate().unwrap());
        let ring = ring.retire(old).unwrap();
        let is_open = ring.open(Purpose::State, &sealed, NOW).is_some();
        assert_eq!(is_open, want, "{name}");
        let is_ours = ring.browser_cookie_of(&cookie, NOW).is_some();
        assert_eq!(is_ours, want, "{name}");
    }
}

/// Row 37: with unused bits or padding in base64, a lenient decoder accepts several spellings.
#[test]
fn a_sealed_value_and_a_browser_cookie_have_one_spelling_each() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let keys = ring();
    // Three lengths, so that each number of unused bits occurs.
    for plain in ["a", "ab", "abc"] {
        let sealed = keys.seal(Purpose::State, plain.as_bytes(), crate::random::bytes());
        let is_open = |text: &str| keys.open(Purpose::State, text, NOW).is_some();
        check(&sealed, is_open);
    }
    let cookie = keys.browser_cookie(crate::random::bytes());
    check(&cookie.value(&[]), |text| {
        keys.browser_cookie_of(text, NOW).is_some()
    });

    fn check(good: &str, is_taken: impl Fn(&str) -> bool) {
        assert!(is_taken(good));
        let (start, last) = good.split_at(good.len() - 1);
        for c in ALPHABET.chars().filter(|c| !last.contains(*c)) {
            assert!(!is_taken(&format!("{start}{c}")), "{good}: {c} at the end");
        }
        let altered = [
            format!("{good}="),
            format!("{good}=="),
            format!(" {good}"),
            format!("{good} "),
            format!("{good}\n"),
            format!("{good}\0"),
            format!("{good}."),
            format!(".{good}"),
            format!("{good}.{good}"),
            format!("{good}A"),
            format!("{good}AAAA"),
            format!("{start}\n{last}"),
            format!("\"{good}\""),
            good.replace(['-', '_'], "+"),
            good.to_ascii_lowercase(),
        ];
        for altered in altered.iter().filter(|altered| *altered != good) {
            assert!(!is_taken(altered), "{altered:?}");
        }
    }
}

#[test]
fn the_length_of_a_sealed_value_is_known_before_it_is_sealed() {
    let keys = ring();
    for length in 0..70 {
        let sealed = keys.seal(Purpose::Check, &vec![7; length], crate::random::bytes());
        assert_eq!(sealed.len(), sealed_len(length), "{length}");
    }
}
