use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

use super::*;
use crate::session::test_keys;

mod changes;
mod texts;

fn secret() -> String {
    STANDARD.encode(test_keys::SECRET)
}

fn other_secret() -> String {
    STANDARD.encode(b"another-secret\xe3\x91\x07\xbf\x80kwo1pqzm4vb8x")
}

/// Returns the ids of a ring's keys, the current one first.
fn ids(ring: &KeyRing) -> Vec<String> {
    let keys = ring.load();
    keys.iter().map(|entry| entry.key.id().to_owned()).collect()
}

/// Makes a key with a name.
fn named(id: &str) -> SigningKey {
    SigningKey::generate().unwrap().with_id(id).unwrap()
}

fn ring(variables: &[(&str, &str)]) -> Result<KeyRing, ConfigError> {
    KeyRing::from_variables(|name| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsString::from(value))
    })
}

#[test]
fn a_ring_takes_each_key_id_once() {
    let key = |id: &str| SigningKey::generate().unwrap().with_id(id).unwrap();
    let error = KeyRing::new(key("a")).retire(key("a")).unwrap_err();
    let want = r#"key id "a" names two keys of the ring"#;
    assert_eq!(error.to_string(), want);
    // Pinned: a thumbprint (RFC 7638) was taken for a secret, and not shown.
    let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let error = KeyRing::new(key(thumbprint)).retire(key(thumbprint));
    let want = format!("key id \"{thumbprint}\" names two keys of the ring");
    assert_eq!(error.unwrap_err().to_string(), want);
    let three = KeyRing::new(key("a")).retire(key("b")).unwrap();
    assert_eq!(three.retire(key("b")).unwrap_err().setting(), "key id");
}

#[test]
fn a_key_is_parsed_from_text() {
    let key: SigningKey = secret().parse().unwrap();
    let want = SigningKey::hs256(test_keys::SECRET).unwrap();
    assert_eq!(key.id(), want.id());
    let cases = [
        (
            "",
            "signing key has 0 bytes, fewer than the 32 that HS256 needs: `openssl rand -base64 32` prints a new one",
        ),
        (
            "Hunter2!",
            "signing key is not base64: `openssl rand -base64 32` prints a new one",
        ),
    ];
    for (text, want) in cases {
        let error = text.parse::<SigningKey>().unwrap_err();
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn a_key_is_read_in_any_base64() {
    // The two alphabets write these bytes differently.
    let secret: Vec<u8> = (0..32u8).map(|n| n.wrapping_mul(151) ^ 0xfb).collect();
    assert_ne!(
        STANDARD_NO_PAD.encode(&secret),
        URL_SAFE_NO_PAD.encode(&secret)
    );
    let id = SigningKey::hs256(&secret).unwrap().id().to_owned();
    for base64 in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        let text = format!(" {}\n", base64.encode(&secret));
        let ring = ring(&[("MAGIC_LINK_KEY", &text)]).unwrap();
        assert_eq!(ring.load().current().id(), id);
    }
}

#[test]
fn the_current_key_comes_from_one_variable_and_the_retired_ones_from_another() {
    let (one, two) = (secret(), other_secret());
    let id = |text: &str| {
        let key = SigningKey::hs256(STANDARD.decode(text).unwrap()).unwrap();
        key.id().to_owned()
    };
    let third = STANDARD.encode(b"third-secret:\xf4\x88\x1e\xd2\xffkwo1pqzm4vb8xn6");
    let listed = format!(" {two} ,, {third} ,\n");
    let cases = [
        ("one key", vec![("MAGIC_LINK_KEY", one.as_str())], 1),
        (
            "no retired key",
            vec![("MAGIC_LINK_KEY", &one), ("MAGIC_LINK_RETIRED_KEYS", "")],
            1,
        ),
        (
            "one retired key",
            vec![("MAGIC_LINK_KEY", &one), ("MAGIC_LINK_RETIRED_KEYS", &two)],
            2,
        ),
        (
            "two retired keys and stray commas",
            vec![
                ("MAGIC_LINK_KEY", &one),
                ("MAGIC_LINK_RETIRED_KEYS", &listed),
            ],
            3,
        ),
    ];
    for (name, variables, keys) in cases {
        let ring = ring(&variables).unwrap();
        assert_eq!(ring.load().iter().count(), keys, "{name}");
        assert_eq!(ring.load().current().id(), id(&one), "{name}");
        let ids = ids(&ring);
        assert!(
            ids.get(1).is_none_or(|second| *second == id(&two)),
            "{name}"
        );
    }
}

#[test]
fn a_variable_that_cannot_work_is_named_and_its_content_is_not_shown() {
    let one = secret();
    let (current, retired) = ("MAGIC_LINK_KEY", "MAGIC_LINK_RETIRED_KEYS");
    let good = (current, one.as_str());
    let public = test_keys::ED25519_PUBLIC.lines().nth(1).unwrap();
    let weak = STANDARD.encode("passwordpasswordpasswordpassword");
    let list = format!("{},c2hvcnQ=", other_secret());
    let cases = [
        (
            "nothing",
            vec![],
            "MAGIC_LINK_KEY is not set: `openssl rand -base64 32` prints a new one",
        ),
        (
            "empty",
            vec![(current, "")],
            "MAGIC_LINK_KEY is not set: `openssl rand -base64 32` prints a new one",
        ),
        (
            "blank",
            vec![(current, " \n")],
            "MAGIC_LINK_KEY is not set: `openssl rand -base64 32` prints a new one",
        ),
        (
            "only a retired key",
            vec![(retired, &one)],
            "MAGIC_LINK_KEY is not set: `openssl rand -base64 32` prints a new one",
        ),
        (
            "no base64",
            vec![(current, "marker!")],
            "MAGIC_LINK_KEY is not base64: `openssl rand -base64 32` prints a new one",
        ),
        (
            "short",
            vec![(current, "c2hvcnQ=")],
            "MAGIC_LINK_KEY has 5 bytes, fewer than",
        ),
        (
            "weak",
            vec![(current, &weak)],
            "MAGIC_LINK_KEY is a well-known example",
        ),
        (
            "a public key's body",
            vec![(current, public)],
            "MAGIC_LINK_KEY is a key document",
        ),
        (
            "a bad retired key",
            vec![good, (retired, "marker!")],
            "MAGIC_LINK_RETIRED_KEYS is not base64: `openssl rand -base64 32` prints a new one",
        ),
        (
            "a short retired key",
            vec![good, (retired, &list)],
            "MAGIC_LINK_RETIRED_KEYS has 5 bytes",
        ),
        (
            "the same key twice",
            vec![good, (retired, &one)],
            "MAGIC_LINK_RETIRED_KEYS repeats a key: key id",
        ),
    ];
    for (name, variables, want) in cases {
        let error = ring(&variables).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(
            text.starts_with(want) || text.contains(want),
            "{name}: {text}"
        );
        let shown = variables
            .iter()
            .any(|(_, value)| value.len() > 4 && text.contains(value));
        assert!(!shown, "{name}: {text}");
    }
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_no_text_is_an_error_and_not_an_absence() {
    use std::os::unix::ffi::OsStringExt;

    for broken in ["MAGIC_LINK_KEY", "MAGIC_LINK_RETIRED_KEYS"] {
        let error = KeyRing::from_variables(|name| {
            if name == broken {
                Some(OsString::from_vec(vec![0xff; 44]))
            } else {
                Some(OsString::from(secret()))
            }
        });
        let want = format!("{broken} is not UTF-8");
        assert_eq!(error.unwrap_err().to_string(), want);
    }
}

#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn a_key_pair_is_read_from_pem_current_or_retired() {
    let (one, pem) = (secret(), test_keys::ED25519);
    let listed = format!("{},\n{pem}", test_keys::OTHER_ED25519);
    let cases = [
        ("current", vec![("MAGIC_LINK_KEY", pem)], vec!["EdDSA"]),
        (
            "retired",
            vec![
                ("MAGIC_LINK_KEY", one.as_str()),
                ("MAGIC_LINK_RETIRED_KEYS", &listed),
            ],
            vec!["HS256", "EdDSA", "EdDSA"],
        ),
        (
            "P-256",
            vec![("MAGIC_LINK_KEY", test_keys::P256)],
            vec!["ES256"],
        ),
    ];
    for (name, variables, want) in cases {
        let ring = ring(&variables).unwrap();
        let keys = ring.load();
        let algorithms: Vec<_> = keys.iter().map(|entry| entry.key.algorithm()).collect();
        assert_eq!(algorithms, want, "{name}");
    }
    let error = ring(&[("MAGIC_LINK_KEY", test_keys::ED25519_PUBLIC)]).unwrap_err();
    let want = "MAGIC_LINK_KEY is not an Ed25519 or P-256 private key in PKCS #8 PEM: \
                `openssl genpkey -algorithm ed25519` prints one";
    assert_eq!(error.to_string(), want);
}

#[test]
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn a_pem_names_the_features_that_it_needs() {
    let error = ring(&[("MAGIC_LINK_KEY", test_keys::ED25519)]).unwrap_err();
    let want = "MAGIC_LINK_KEY is PEM: key pairs need feature aws-lc-rs or rust-crypto";
    assert_eq!(error.to_string(), want);
}
