//! Nothing but the key's own signature, in its one encoding, makes a token.

use proptest::prelude::*;

use super::*;

#[test]
fn a_signature_that_is_not_the_keys_own_to_the_byte_is_refused() {
    for key in kinds() {
        let other = match key.algorithm() {
            "HS256" => SigningKey::generate(),
            algorithm => other_pair(algorithm),
        };
        let other = other.unwrap().with_id(key.id()).unwrap();
        let tokens = tokens(key.clone());
        let token = tokens.mint(&session()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let by = |key: &SigningKey| {
            let mut text = signed.to_owned();
            key.sign_onto(&mut text).unwrap();
            text.rsplit_once('.').unwrap().1.to_owned()
        };
        let mut swapped = bytes.clone();
        swapped.reverse();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let last = signature.chars().last().unwrap();
        let loose = char::from(u8::try_from(last).unwrap() + 1);
        let cases = [
            ("empty", String::new()),
            // A truncated MAC could be guessed.
            ("one byte", encode(&bytes[..1])),
            ("half", encode(&bytes[..bytes.len() / 2])),
            ("a byte short", encode(&bytes[..bytes.len() - 1])),
            ("a byte long", encode(&[&bytes[..], &[0]].concat())),
            ("a zero before", encode(&[&[0], &bytes[..]].concat())),
            ("twice", encode(&[&bytes[..], &bytes[..]].concat())),
            ("very long", "A".repeat(3_000)),
            ("zeros", encode(&vec![0; bytes.len()])),
            ("ones", encode(&vec![0xff; bytes.len()])),
            ("backwards", encode(&swapped)),
            ("by another key of the same id", by(&other)),
            (
                // Anyone can make it, without a key.
                "the text's plain hash",
                encode(&{
                    use sha2::Digest;
                    Sha256::digest(signed).to_vec()
                }),
            ),
            // What is signed with where a key was forgotten.
            ("by an empty secret", encode(&hmac_sha256(b"", signed))),
            // From here on, other spellings of the good signature: a deny list by the token's bytes
            // would miss them.
            ("padded", URL_SAFE.encode(&bytes)),
            ("half padded", format!("{signature}=")),
            (
                "unused bits set",
                format!("{}{loose}", &signature[..signature.len() - 1]),
            ),
            ("a space behind", format!("{signature} ")),
            ("a space before", format!(" {signature}")),
            ("a line break behind", format!("{signature}\n")),
            ("a nul behind", format!("{signature}\0")),
            (
                "a tab inside",
                format!("{}\t{}", &signature[..9], &signature[9..]),
            ),
            ("a dot before", format!(".{signature}")),
            ("a dot behind", format!("{signature}.")),
            ("another part behind", format!("{signature}.e30")),
            (
                "percent-encoded",
                format!("%{:02x}{}", signature.as_bytes()[0], &signature[1..]),
            ),
            ("fullwidth", signature.chars().map(fullwidth).collect()),
            (
                "hexadecimal",
                bytes.iter().map(|b| format!("{b:02x}")).collect(),
            ),
        ];
        assert!(is_taken(&tokens, &token));
        // ES256 signs with a random number: never twice the same.
        assert!(is_taken(&tokens, &format!("{signed}.{}", by(&key))));
        for (name, signature) in cases {
            let forged = format!("{signed}.{signature}");
            assert!(!is_taken(&tokens, &forged), "{} {name}", key.algorithm());
        }
    }
}

#[test]
fn what_may_be_a_token_of_ours_is_known_without_its_signature() {
    for key in kinds() {
        let tokens = tokens(key.clone());
        let token = tokens.mint(&session()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let forged: String = signature.chars().rev().map(fold).collect();
        let other = super::tokens(key.clone().with_id("another").unwrap());
        let cases = [
            ("ours", token.clone(), true, true),
            ("forged", format!("{signed}.{forged}"), true, false),
            (
                "of another key",
                other.mint(&session()).unwrap(),
                false,
                false,
            ),
            // Its first dot stands where the signature of a key pair would begin.
            (
                "as long as a signature",
                forge(&key, &header_of(&key), [b'a'; 31]),
                true,
                true,
            ),
            ("two parts", signed.to_owned(), false, false),
            (
                "four parts",
                format!("{header}.{payload}.e30.{signature}"),
                false,
                false,
            ),
            (
                "a payload in no base64url",
                format!("{header}.e30=.{signature}"),
                false,
                false,
            ),
            (
                "a signature in no base64url",
                format!("{token}="),
                false,
                false,
            ),
            (
                "too long",
                format!("{header}.{}.{signature}", "e30A".repeat(1_024)),
                false,
                false,
            ),
            ("the header alone", format!("{header}."), false, false),
            ("nothing", String::new(), false, false),
        ];
        for (name, token, may, has) in cases {
            let name = format!("{} {name}", key.algorithm());
            assert_eq!(tokens.may_have_signed(token.as_bytes()), may, "{name}");
            assert_eq!(tokens.has_signed(&token), has, "{name}");
        }
    }
}

/// Leaves no bit set behind the last byte, wherever the character comes to stand.
fn fold(c: char) -> char {
    if c.is_ascii_uppercase() { 'A' } else { 'Q' }
}

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub(super) fn other_pair(algorithm: &str) -> Result<SigningKey, crate::ConfigError> {
    match algorithm {
        "EdDSA" => SigningKey::ed25519_pem(test_keys::OTHER_ED25519),
        _ => SigningKey::es256_pem(test_keys::OTHER_P256),
    }
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
pub(super) fn other_pair(_: &str) -> Result<SigningKey, crate::ConfigError> {
    unreachable!("no backend, no key pair")
}

fn fullwidth(c: char) -> char {
    char::from_u32(u32::from(c) + 0xfee0).unwrap()
}

/// A signature in the other alphabet differs only where it has a `-` or `_`, so one is minted that
/// has.
#[test]
fn a_signature_in_the_other_alphabet_is_refused() {
    let tokens = tokens(hs256());
    let token = (0..)
        .map(|n| tokens.mint(&session_of([&n.to_string(), "a@b.example", "", "", "", ""])))
        .map(Option::unwrap)
        .find(|token| token.rsplit_once('.').unwrap().1.contains(['-', '_']))
        .unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let standard = signature.replace('-', "+").replace('_', "/");
    assert!(is_taken(&tokens, &token));
    assert!(!is_taken(&tokens, &format!("{signed}.{standard}")));
}

#[test]
fn text_that_is_not_three_parts_is_refused() {
    let tokens = tokens(hs256());
    let token = tokens.mint(&session()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts");
    };
    let cases = [
        ("nothing", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("only dots", ".".repeat(4_096)),
        ("the header", header.to_owned()),
        ("the header and a dot", format!("{header}.")),
        ("the header and two dots", format!("{header}..")),
        ("no payload", format!("{header}..{signature}")),
        ("no payload part", format!("{header}.{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("no signature part", format!("{header}.{payload}")),
        ("another order", format!("{payload}.{header}.{signature}")),
        ("without dots", parts.concat()),
        ("with commas", token.replace('.', ",")),
        (
            "five parts, as JWE",
            format!("{header}..{payload}.{payload}.{signature}"),
        ),
        (
            "JSON",
            format!(
                r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
            ),
        ),
        ("quoted", format!("\"{token}\"")),
        ("a scheme before", format!("Bearer {token}")),
        ("a space before", format!(" {token}")),
        ("a line break behind", format!("{token}\n")),
        ("twice", format!("{token}{token}")),
        ("twice with a dot", format!("{token}.{token}")),
        ("a byte order mark", format!("\u{feff}{token}")),
        ("in upper case", token.to_ascii_uppercase()),
    ];
    assert!(is_taken(&tokens, &token));
    for (name, token) in cases {
        assert!(!is_taken(&tokens, &token), "{name}");
    }
}

/// An Ed25519 signature is (R, S); S plus the group's order passes where S is not checked to be
/// below it (RFC 8032, section 5.1.7).
#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn an_ed25519_signature_has_no_second_form() {
    // 2^252 + 27742317777372353535851937790883648493, little-endian.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let tokens = tokens(SigningKey::ed25519_pem(test_keys::ED25519).unwrap());
    let token = tokens.mint(&session()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(is_taken(&tokens, &token) && !is_taken(&tokens, &forged));
}

/// Where base64 has unused bits, a lenient decoder takes up to 16 spellings of one token.
#[test]
fn no_part_of_a_token_has_a_second_spelling() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for key in kinds() {
        let tokens = tokens(key);
        // Three lengths of the payload, so that each number of unused bits occurs.
        for name in ["a", "ab", "abc"] {
            let session = session_of(["prof_ada", "ada@example.com", "", "", name, ""]);
            let token = tokens.mint(&session).unwrap();
            let ends = token.char_indices().filter(|(_, c)| *c == '.');
            let ends: Vec<_> = ends.map(|(at, _)| at).chain([token.len()]).collect();
            for end in ends {
                for c in ALPHABET.chars() {
                    let changed = format!("{}{c}{}", &token[..end - 1], &token[end..]);
                    assert_eq!(is_taken(&tokens, &changed), changed == token, "{changed}");
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Drop,
    Insert(char),
    Replace(char),
    Swap,
}

fn change() -> impl Strategy<Value = Change> {
    let c = prop_oneof![
        4 => proptest::char::range('!', '~'),
        1 => proptest::char::any(),
    ];
    prop_oneof![
        Just(Change::Drop),
        c.clone().prop_map(Change::Insert),
        c.prop_map(Change::Replace),
        Just(Change::Swap),
    ]
}

proptest! {
    #[test]
    fn a_token_with_any_one_character_changed_is_refused(
        at in any::<prop::sample::Index>(),
        change in change(),
        kind in any::<prop::sample::Index>(),
    ) {
        let tokens = tokens(kind.get(&kinds()).clone());
        let token = tokens.mint(&session()).unwrap();
        let mut characters: Vec<char> = token.chars().collect();
        let at = at.index(characters.len());
        match change {
            Change::Drop => {
                characters.remove(at);
            }
            Change::Insert(c) => characters.insert(at, c),
            Change::Replace(c) => characters[at] = c,
            Change::Swap => characters.swap(at, (at + 1) % token.len()),
        }
        let changed: String = characters.into_iter().collect();
        prop_assert_eq!(is_taken(&tokens, &changed), changed == token, "{}", changed);
    }

    #[test]
    fn no_text_at_all_makes_the_gate_fall_over(text in ".{0,200}", payload in any::<Vec<u8>>()) {
        let key = hs256();
        let tokens = tokens(key.clone());
        prop_assert!(!is_taken(&tokens, &text));
        let behind_our_header = format!("{}{text}", key.prefix());
        prop_assert!(!is_taken(&tokens, &behind_our_header));
        prop_assert!(!is_taken(&tokens, &forge(&key, &header_of(&key), payload)));
    }
}
