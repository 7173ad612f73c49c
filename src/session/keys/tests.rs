use super::*;
use crate::session::{KeyRing, test_keys};

#[test]
fn a_key_of_fewer_than_32_bytes_is_refused_whatever_it_is() {
    for length in 0..32 {
        let secret = &crate::random::bytes::<32>()[..length];
        let error = SigningKey::hs256(secret).unwrap_err();
        let want = format!(
            "signing key has {length} bytes, fewer than the 32 that HS256 needs: `openssl rand -base64 32` prints a new one"
        );
        assert_eq!(error.to_string(), want);
    }
    for length in [32, 33, 64, 65, 4_096] {
        let mut secret = vec![0; length];
        secret.fill_with(|| u8::from_be_bytes(crate::random::bytes()));
        assert!(SigningKey::hs256(secret).is_ok(), "{length}");
    }
}

#[test]
fn a_key_that_everybody_has_is_refused_without_being_shown() {
    let cases: [(&str, &[u8], &str); 12] = [
        ("zeros", &[0; 32], "well-known"),
        ("spaces", &[b' '; 64], "well-known"),
        (
            "counting",
            b"12345678901234567890123456789012",
            "well-known",
        ),
        (
            "repeated",
            b"passwordpasswordpasswordpassword",
            "well-known",
        ),
        (
            "jwt.io",
            b"a-string-secret-at-least-256-bits-long",
            "well-known",
        ),
        (
            "a public key",
            test_keys::ED25519_PUBLIC.as_bytes(),
            "key document",
        ),
        (
            "a public key, indented",
            &padded(test_keys::ED25519_PUBLIC),
            "key document",
        ),
        (
            "a private key",
            test_keys::ED25519.as_bytes(),
            "key document",
        ),
        (
            "a public key's body",
            &body(test_keys::ED25519_PUBLIC),
            "key document",
        ),
        (
            "a longer key's body",
            &body(test_keys::P256),
            "key document",
        ),
        ("a long key's body", &body(test_keys::RSA), "key document"),
        (
            "an SSH key",
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJyV6zuL+xZGImi3jiUCfm+hM/7zGGTptnCQ/cwq+A4Q ada",
            "key document",
        ),
    ];
    for (name, secret, want) in cases {
        let error = SigningKey::hs256(secret).unwrap_err();
        assert!(matches!(error, ConfigError::Secret { .. }), "{name}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(want), "{name}: {text}");
        for part in secret.chunks_exact(12).map(String::from_utf8_lossy) {
            let is_shown = text.contains(&*part) && !part.trim().is_empty();
            assert!(!is_shown, "{name}: {text}");
        }
    }
}

fn padded(text: &str) -> Vec<u8> {
    format!("\n  {text}").into_bytes()
}

/// Returns the DER in a PEM document.
fn body(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(lines)
        .unwrap()
}

#[test]
fn a_key_id_is_plain_and_short() {
    let long = "k".repeat(65);
    let ids = [
        "",
        " ",
        "a b",
        "a\"b",
        "a\\b",
        "../x",
        "a/b",
        "k' OR 1=1",
        "a\0",
        "a\n",
        "ключ",
        &long,
    ];
    for id in ids {
        let error = SigningKey::generate().unwrap().with_id(id).unwrap_err();
        assert_eq!(error.setting(), "key id");
        assert!(error.to_string().contains(&format!("{id:?}")), "{id}");
    }
    for id in ["2026-11", "a.b_c", &long[1..]] {
        assert_eq!(
            SigningKey::generate().unwrap().with_id(id).unwrap().id(),
            id
        );
    }
}

#[test]
fn derived_secrets_differ_by_label_and_by_key() {
    let (one, two) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    assert_ne!(one.derived::<32>("a"), one.derived::<32>("b"));
    assert_ne!(one.derived::<32>("a"), two.derived::<32>("a"));
    assert_ne!(one.id(), two.id());
}

#[test]
fn debug_shows_no_secret() {
    let key = SigningKey::hs256(test_keys::SECRET).unwrap();
    for text in [format!("{key:?}"), format!("{:?}", KeyRing::new(key))] {
        let is_clean = text.contains("[redacted]") && !text.contains("marker");
        assert!(is_clean, "{text}");
    }
}

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod eddsa {
    use super::*;

    fn sign(key: &SigningKey) -> String {
        let mut text = "text".to_owned();
        key.sign_onto(&mut text).unwrap();
        text.rsplit_once('.').unwrap().1.to_owned()
    }

    #[test]
    fn a_private_key_is_the_same_key_however_it_was_written() {
        let crlf = test_keys::ED25519.replace('\n', "\r\n");
        let cases = [
            ("as openssl writes it", test_keys::ED25519),
            ("with its public half", test_keys::ED25519_WITH_PUBLIC),
            ("with carriage returns", &crlf),
            ("without a line break behind", test_keys::ED25519.trim()),
        ];
        let first = SigningKey::ed25519_pem(test_keys::ED25519).unwrap();
        assert_eq!(first.algorithm(), "EdDSA");
        for (name, pem) in cases {
            let key = SigningKey::ed25519_pem(pem).unwrap();
            assert_eq!(key.id(), first.id(), "{name}");
            assert_eq!(key.derived::<32>("x"), first.derived::<32>("x"), "{name}");
            assert!(
                first.verifies(b"text", sign(&key).as_bytes(), None),
                "{name}"
            );
            assert!(
                key.verifies(b"text", sign(&first).as_bytes(), None),
                "{name}"
            );
        }
        let other = SigningKey::ed25519_pem(test_keys::OTHER_ED25519).unwrap();
        assert_ne!(other.id(), first.id());
        assert!(!other.verifies(b"text", sign(&first).as_bytes(), None));
    }

    #[test]
    fn what_is_no_ed25519_private_key_is_refused_without_being_shown() {
        let cut = &test_keys::ED25519[..70];
        let renamed = test_keys::ED25519.replace("PRIVATE", "EC PRIVATE");
        let relabelled = test_keys::ED25519_PUBLIC.replace("PUBLIC", "PRIVATE");
        let encrypted = test_keys::ED25519.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let body = test_keys::ED25519.lines().nth(1).unwrap();
        let garbage = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            "QUJD".repeat(16)
        );
        let cases = [
            ("nothing", ""),
            ("garbage", "not a key"),
            ("garbage in PEM", &garbage),
            (
                "an empty PEM",
                "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
            ),
            ("only the body", body),
            ("cut short", cut),
            ("an RSA key", test_keys::RSA),
            ("an EC key", test_keys::P256),
            ("an X25519 key", test_keys::X25519),
            ("an Ed448 key", test_keys::ED448),
            ("the public key", test_keys::ED25519_PUBLIC),
            ("the public key, relabelled", &relabelled),
            ("another label", &renamed),
            ("said to be encrypted", &encrypted),
            (
                "another's public half behind it",
                test_keys::ED25519_WITH_FOREIGN_PUBLIC,
            ),
        ];
        for (name, pem) in cases {
            let error = SigningKey::ed25519_pem(pem).expect_err(name);
            let want = "signing key is not an Ed25519 private key in PKCS #8 PEM";
            assert_eq!(error.to_string(), want, "{name}");
            assert!(matches!(error, ConfigError::Secret { .. }), "{name}");
        }
        assert!(SigningKey::ed25519_pem([0xff; 64]).is_err());
    }

    #[test]
    fn a_drawn_key_is_a_fresh_one_that_signs() {
        let draw = || SigningKey::generate_ed25519().unwrap();
        let (one, two) = (draw(), draw());
        assert_eq!(one.algorithm(), "EdDSA");
        assert_ne!(one.id(), two.id());
        assert!(
            one.verifies(b"text", sign(&one).as_bytes(), None)
                && !two.verifies(b"text", sign(&one).as_bytes(), None)
        );
    }

    #[test]
    fn a_p256_key_is_the_same_key_with_and_without_its_public_half() {
        let key = SigningKey::es256_pem(test_keys::P256).unwrap();
        let bare = SigningKey::es256_pem(test_keys::P256_WITHOUT_PUBLIC);
        // RustCrypto's backend computes the public half, and aws-lc-rs requires it.
        if let Ok(bare) = bare {
            assert_eq!(bare.id(), key.id());
            assert!(key.verifies(b"text", sign(&bare).as_bytes(), None));
        }
        assert_eq!(key.algorithm(), "ES256");
        assert!(key.verifies(b"text", sign(&key).as_bytes(), None));
        let other = SigningKey::es256_pem(test_keys::OTHER_P256).unwrap();
        assert_ne!(other.id(), key.id());
        assert!(!other.verifies(b"text", sign(&key).as_bytes(), None));
    }

    #[test]
    fn what_is_no_p256_private_key_is_refused_without_being_shown() {
        let cases = [
            ("nothing", ""),
            ("an Ed25519 key", test_keys::ED25519),
            ("an RSA key", test_keys::RSA),
            ("a P-384 key", test_keys::P384),
            ("the public key", test_keys::P256_PUBLIC),
            ("cut short", &test_keys::P256[..90]),
            ("another's public half", test_keys::P256_WITH_FOREIGN_PUBLIC),
        ];
        for (name, pem) in cases {
            let error = SigningKey::es256_pem(pem).expect_err(name);
            let want = "signing key is not a P-256 private key in PKCS #8 PEM";
            assert_eq!(error.to_string(), want, "{name}");
        }
    }

    #[test]
    fn a_shared_secret_and_a_key_pair_never_take_each_others_signatures() {
        let pair = SigningKey::ed25519_pem(test_keys::ED25519).unwrap();
        let shared = SigningKey::hs256(test_keys::SECRET).unwrap();
        assert!(
            pair.verifies(b"text", sign(&pair).as_bytes(), None)
                && shared.verifies(b"text", sign(&shared).as_bytes(), None)
        );
        assert!(!pair.verifies(b"text", sign(&shared).as_bytes(), None));
        assert!(!shared.verifies(b"text", sign(&pair).as_bytes(), None));
    }

    #[test]
    fn debug_shows_no_private_key() {
        let text = format!("{:?}", SigningKey::ed25519_pem(test_keys::ED25519).unwrap());
        assert!(
            text.contains("[redacted]") && text.contains("EdDSA"),
            "{text}"
        );
        assert!(
            !text.contains("MC4CAQ") && !text.contains("7, 34, 137"),
            "{text}"
        );
    }
}
