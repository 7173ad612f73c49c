//! Published keys, from tutorials, RFCs and tools, and what a person wrote. With one of these,
//! anyone can sign a session.

/// Secrets of 32 bytes or more from public documents.
const PUBLISHED: [&[u8]; 11] = [
    b"a-string-secret-at-least-256-bits-long",
    b"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    b"changemechangemechangemechangeme",
    b"change-me-to-a-long-random-secret",
    b"your-256-bit-secret-your-256-bit-secret",
    b"your-super-secret-jwt-token-with-at-least-32-characters-long",
    b"super-secret-jwt-token-with-at-least-32-characters-long",
    b"thisisasecretkeythatis32byteslong",
    b"this-is-a-very-long-secret-key-for-jwt",
    b"keyboard cat keyboard cat keyboard cat",
    // RFC 7515, appendix A.1.1.
    &[
        3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230,
        240, 84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239,
        150, 138, 180, 195, 119, 98, 61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245,
        103, 208, 128, 163,
    ],
];

/// The fewest distinct bytes that a key may have. 32 random bytes have 30 on average. 32 random hex
/// digits have 14, and fewer than 8 once in 30 million keys.
const FEWEST_DISTINCT: usize = 8;

/// Says whether a key is published, or too regular to be random.
pub(super) fn is_known(secret: &[u8]) -> bool {
    PUBLISHED.contains(&secret)
        || distinct(secret) < FEWEST_DISTINCT
        || is_run(secret)
        || is_repeated(secret)
}

/// Says whether a text is a published key. Some of those happen to be valid base64 as well.
pub(super) fn is_published(text: &str) -> bool {
    PUBLISHED.contains(&text.as_bytes())
}

/// Says whether a person wrote a text that happens to be valid base64: a word repeated, or letters
/// of one case alone. Base64 of 32 random bytes is neither once in 10^16 keys.
pub(super) fn is_written(text: &str) -> bool {
    let text = text.trim_end_matches('=').as_bytes();
    let is_of_one_case =
        text.iter().all(u8::is_ascii_lowercase) || text.iter().all(u8::is_ascii_uppercase);
    is_repeated(text) || is_of_one_case
}

/// Says whether a key is a text: UTF-8 without control characters, other than blanks. Tutorials and
/// people write those, and no list has them all.
///
/// 32 random bytes are a text less than once in 10^11 keys.
pub(super) fn is_text(secret: &[u8]) -> bool {
    let is_written = |c: char| !c.is_control() || c.is_ascii_whitespace();
    std::str::from_utf8(secret).is_ok_and(|text| text.chars().all(is_written))
}

fn distinct(secret: &[u8]) -> usize {
    let mut sorted = secret.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}

/// Says whether most bytes are one more than the byte before: `0123456789…`, `abcdef…`, 0, 1, 2, …
fn is_run(secret: &[u8]) -> bool {
    let follows = secret
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.wrapping_add(1) == *b))
        .count();
    // Of random bytes, one pair in 256 is a step up.
    follows.saturating_mul(2) > secret.len()
}

/// Says whether a key is a short text that was repeated until it was long enough.
fn is_repeated(secret: &[u8]) -> bool {
    (1..=secret.len() / 2).any(|period| {
        secret
            .iter()
            .zip(secret.iter().skip(period))
            .all(|(a, b)| a == b)
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::session::SigningKey;

    /// Pins that the text counts: three of them are base64 of bytes that no list has.
    #[test]
    fn a_published_text_is_no_key_whatever_it_decodes_to() {
        for text in PUBLISHED
            .iter()
            .filter_map(|key| std::str::from_utf8(key).ok())
        {
            assert!(text.parse::<SigningKey>().is_err(), "{text}");
            assert!(
                format!("\n{text} ").parse::<SigningKey>().is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn keys_that_nobody_drew_at_random_are_known() {
        let cases: [(&str, &[u8]); 8] = [
            ("zeros", &[0; 32]),
            ("one letter", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("digits", b"01234567890123456789012345678901"),
            ("hex digits", b"0123456789abcdef0123456789abcdef"),
            ("alphabet", b"abcdefghijklmnopqrstuvwxyz012345"),
            ("a word repeated", b"secretkeysecretkeysecretkeysecretkey"),
            ("jwt.io", b"a-string-secret-at-least-256-bits-long"),
            ("change me", b"changemechangemechangemechangeme"),
        ];
        for (name, secret) in cases {
            assert!(is_known(secret), "{name}");
        }
    }

    #[test]
    fn random_keys_are_not_known() {
        for _ in 0..1_000 {
            let key = crate::random::bytes::<32>();
            assert!(!is_known(&key));
            assert!(!is_text(&key));
            assert!(!is_written(&STANDARD.encode(key)));
        }
    }

    #[test]
    fn words_that_happen_to_be_base64_are_no_key_and_the_error_says_how_to_get_one() {
        for text in [
            "supersecretsupersecretsupersecretsupersecret",
            "Secret26Secret26Secret26Secret26Secret26Secret26",
            "correcthorsebatterystaplecorrectpaperclipzoo",
            "CORRECTHORSEBATTERYSTAPLECORRECTPAPERCLIPZOO",
        ] {
            assert!(STANDARD.decode(text).is_ok(), "{text}");
            let error = text.parse::<SigningKey>().expect_err(text).to_string();
            assert!(error.contains("`openssl rand -base64 32`"), "{error}");
        }
    }

    /// Pins that a secret which no list has is refused for being a text.
    #[test]
    fn a_text_is_no_key_and_the_error_says_how_to_get_one() {
        let cases: [(&str, &[u8]); 8] = [
            ("a passphrase", b"Tr0ub4dor&3 is not a passphrase!"),
            ("a line", b"my-app-secret-2026-do-not-share!\n"),
            ("lines", b"my-app-secret-2026\r\n\tdo-not-share\r\n"),
            ("hex", b"9f86d081884c7d659a2feaa0c55ad015"),
            ("base64", b"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="),
            ("a UUID", b"0b2c1a9e-5f0e-4a53-9d0e-6a7c2f4b8d11"),
            ("umlauts", "Übermäßig geheimer Schlüssel äöü".as_bytes()),
            ("Russian", "это очень секретный ключ".as_bytes()),
        ];
        let want = "is a text and not random bytes: `openssl rand -base64 32` prints a good key";
        for (name, secret) in cases {
            let error = SigningKey::hs256(secret).expect_err(name);
            assert_eq!(error.to_string(), format!("signing key {want}"), "{name}");
            let error = STANDARD.encode(secret).parse::<SigningKey>();
            let error = error.expect_err(name);
            assert_eq!(error.to_string(), format!("signing key {want}"), "{name}");
        }
    }

    /// Lines that strangers published: the encoded text of each starts no program. A person types
    /// no control characters.
    #[test]
    #[ignore = "needs CORPORA; run by tests/run"]
    fn corpora_no_published_text_is_a_key() {
        let corpora = std::env::var("CORPORA").expect("CORPORA names the folder of test data");
        let (mut asked, mut taken) = (0, Vec::new());
        for name in [
            "crawler-user-agents.txt",
            "open-redirects.txt",
            "naughty-strings.json",
        ] {
            let text = std::fs::read_to_string(format!("{corpora}/{name}")).unwrap();
            for line in text.lines().map(str::trim).filter(|line| line.len() >= 32) {
                if line.chars().any(char::is_control) {
                    continue;
                }
                asked += 1;
                if STANDARD.encode(line).parse::<SigningKey>().is_ok() {
                    taken.push(line.to_owned());
                }
            }
        }
        assert!(asked > 500, "{asked}");
        assert!(taken.is_empty(), "{} of {asked}: {taken:?}", taken.len());
    }
}
