//! Keys in a file.

use super::super::text::read_ring;
use super::*;

fn key(number: u8) -> String {
    let secret: Vec<u8> = (0..32u8)
        .map(|n| n.wrapping_mul(151) ^ number.wrapping_mul(29))
        .collect();
    STANDARD.encode(secret)
}

#[test]
fn a_file_has_the_current_key_first_and_what_each_verifies() {
    let text = format!(
        "# ours\n\nid: now\n{}\n\n  id:next  \n{}\n# before\r\nid: old\r\nretired: 100\r\nuntil: 2000\r\n{}\r\nuntil: 300\n{}",
        key(1),
        key(2),
        key(3),
        key(4)
    );
    let ring = read_ring(&text).unwrap();
    let derived = SigningKey::hs256(STANDARD.decode(key(4)).unwrap()).unwrap();
    assert_eq!(ids(&ring), ["now", "next", "old", derived.id()]);
    let keys = ring.load();
    let mut entries = keys.iter();
    let mut facts = || {
        let entry = entries.next().unwrap();
        let at = Timestamp::from_secs;
        [
            entry.minted(at(160)),
            entry.minted(at(161)),
            entry.stands(at(299)),
            entry.stands(at(300)),
            entry.stands(at(1_999)),
            entry.stands(at(2_000)),
        ]
    };
    assert_eq!(facts(), [true; 6], "the current key");
    assert_eq!(facts(), [true; 6], "one beside it");
    assert_eq!(facts(), [true, false, true, true, true, false], "retired");
    assert_eq!(
        facts(),
        [true, true, true, false, false, false],
        "with an end"
    );
}

#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn a_file_may_mix_shared_secrets_and_key_pairs() {
    let indented = test_keys::P256.replace('\n', "\r\n  ");
    let text = format!("id: a\n{}{}\nid: c\n{indented}", test_keys::ED25519, key(1));
    let ring = read_ring(&text).unwrap();
    let keys = ring.load();
    let algorithms: Vec<_> = keys.iter().map(|entry| entry.key.algorithm()).collect();
    assert_eq!(algorithms, ["EdDSA", "HS256", "ES256"]);
}

#[test]
fn a_file_that_cannot_work_is_refused_by_its_line_and_not_shown() {
    let (one, two) = (key(1), key(2));
    let open_pem = "-----BEGIN PRIVATE KEY-----\nMARKERMARKER";
    let cases = [
        ("nothing", String::new(), "key file has no key"),
        ("comments", "# a\n\n".to_owned(), "key file has no key"),
        (
            "no base64",
            format!("{one}\nmarker!\n"),
            "key file is wrong on line 2, which is not base64: `openssl rand -base64 32` prints a new one",
        ),
        (
            "short",
            "\n\nbWFya2Vy".to_owned(),
            "key file is wrong on line 3, which has 6 bytes, fewer than the 32 that HS256 needs: `openssl rand -base64 32` prints a new one",
        ),
        (
            "two keys in a line",
            format!("{one},{two}"),
            "key file is wrong on line 1, which is not base64: `openssl rand -base64 32` prints a new one",
        ),
        (
            "an unknown setting",
            format!("{one}\nkid: marker\n{two}"),
            "key file is wrong on line 2, which is neither a key nor id, retired or until",
        ),
        (
            "a time that is none",
            format!("{one}\nuntil: tomorrow-marker\n{two}"),
            "key file is wrong on line 2, which is not a time in seconds since 1970",
        ),
        (
            "a setting twice",
            format!("id: a\nid: marker\n{one}"),
            "key file is wrong on line 2, which sets something twice",
        ),
        (
            "an end of the current key",
            format!("until: 1\n{one}"),
            "key file is wrong on line 2, which is the current key, and has an end",
        ),
        (
            "a retired current key",
            format!("retired: 1\n{one}"),
            "key file is wrong on line 2, which is the current key, and has an end",
        ),
        (
            "settings of no key",
            format!("{one}\nid: marker\n"),
            "key file ends with settings that no key follows",
        ),
        (
            "one key twice",
            format!("{one}\n{one}"),
            "key file is wrong on line 2, which cannot join the ring: key id",
        ),
        (
            "one id twice",
            format!("id: a\n{one}\nid: a\n{two}"),
            r#"line 4, which cannot join the ring: key id "a" names two keys of the ring"#,
        ),
        (
            "one key by two ids",
            format!("id: a\n{one}\nid: b\n{one}"),
            r#"line 4, which cannot join the ring: key id "b" names a key that the ring has under"#,
        ),
        (
            "an id that is none",
            format!("id: a b\n{one}"),
            r#"key file is wrong on line 2, which cannot join the ring: key id "a b" must be"#,
        ),
        (
            "an unfinished PEM",
            open_pem.to_owned(),
            "key file is wrong on line 1, which is",
        ),
        (
            "a public key",
            test_keys::ED25519_PUBLIC.to_owned(),
            "key file is wrong on line 1, which is",
        ),
    ];
    for (name, text, want) in cases {
        let error = read_ring(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(want), "{name}: {shown}");
        let secrets = [&one, &two, "marker", "MARKER", "MCowBQ"];
        let is_shown = secrets.iter().any(|secret| shown.contains(*secret));
        assert!(!is_shown, "{name}: {shown}");
    }
}

/// Pinned: an editor's mark was read as a part of the key. The error advised a new key, which signs
/// everybody out.
#[test]
fn a_byte_order_mark_is_no_part_of_a_file_of_keys() {
    let texts = [
        key(1),
        format!("id: one\n{}", key(1)),
        format!("# keys\n{}", key(1)),
        #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
        test_keys::ED25519.to_owned(),
    ];
    for text in texts {
        let plain = ids(&read_ring(&text).unwrap());
        assert_eq!(ids(&read_ring(&format!("\u{feff}{text}")).unwrap()), plain);
        // One is an editor's. Two are a mistake.
        assert!(read_ring(&format!("\u{feff}\u{feff}{text}")).is_err());
    }
}
