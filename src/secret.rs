//! Secrets whose `Debug` shows nothing, so that no log can print one by accident, and texts that
//! may be one.

/// Gives a type a `Debug` that prints `[redacted]`.
macro_rules! redacted {
    ($secret:ty) => {
        impl ::std::fmt::Debug for $secret {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

/// Gives a public newtype of a text its two methods: one wraps the text, one shows it.
macro_rules! secret_text {
    ($secret:ident, $what:literal) => {
        impl $secret {
            #[doc = concat!("Wraps a ", $what, ".")]
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            #[doc = concat!("Returns the ", $what, " itself. It must not reach a log.")]
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        $crate::secret::redacted!($secret);
    };
}

/// Has two secrets of a text compared without telling, by the time, where they differ.
macro_rules! compared_in_constant_time {
    ($secret:ident) => {
        impl PartialEq for $secret {
            fn eq(&self, other: &Self) -> bool {
                $crate::secret::is_same(&self.0, &other.0)
            }
        }

        impl Eq for $secret {}
    };
}

/// Says whether two texts are the same. Of two that have the same length it takes the same time.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let difference = pairs.fold(0, |difference, (one, other)| difference | (one ^ other));
    // Without the barrier the compiler may leave the loop at the first difference.
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

/// Says whether a text looks like a secret that ended up in the wrong place: a key or a webhook's
/// secret of WorkOS, a private key, 32 random bytes in base64, or a URL with a password.
pub(crate) fn may_be_secret(text: &str) -> bool {
    let text = text.trim();
    let is_named = text.starts_with("sk_") || text.starts_with("whsec_");
    let is_pem = text.contains("-----BEGIN") && text.contains("PRIVATE");
    let authority = text.split_once("://").map(|(_, rest)| rest);
    let has_login = authority.is_some_and(|rest| rest.contains('@'));
    is_named || is_pem || has_login || is_random(text)
}

/// Says whether a text has the form of 32 bytes in base64. Without the padding at its end it may be
/// a path, which begins with a slash, or words, which have no capitals and digits in them.
fn is_random(text: &str) -> bool {
    let (digits, is_padded) = match text.strip_suffix('=') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_');
    let has = |is: fn(&u8) -> bool| digits.as_bytes().iter().any(is);
    let is_mixed = has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && !digits.starts_with('/');
    digits.len() == 43 && digits.bytes().all(is_digit) && (is_padded || is_mixed)
}

pub(crate) use {compared_in_constant_time, redacted, secret_text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_known_by_its_form() {
        let cases = [
            ("an API key", "sk_test_a2V5", true),
            ("a webhook's secret", " whsec_a2V5", true),
            ("a private key", "-----BEGIN PRIVATE KEY-----\nMC4=", true),
            ("a login", "rediss://app:hunter2@10.0.0.1", true),
            (
                "32 bytes",
                "pX3vS0m1q7n2w8r4t6y9u5i3o1a7s2d4f6g8h0jKLzM=",
                true,
            ),
            (
                "without padding",
                "pX3vS0m1q7n2w8r4t6y9u5i3o1a7s2d4f6g8h0jKLzM",
                true,
            ),
            ("a client id", "client_01EXAMPLE", false),
            ("a URL", "https://app.example.com/x", false),
            ("a certificate", "-----BEGIN CERTIFICATE-----", false),
            ("an address", "ada@example.com", false),
            (
                "a path",
                "/Srv/a1/of/forty/four/characters/or/so/key.s",
                false,
            ),
            (
                "a sentence",
                "must be one of the words that are known 2 Us",
                false,
            ),
            (
                "a host",
                "a-host-with-a-name-of-43-characters.example",
                false,
            ),
        ];
        for (name, text, want) in cases {
            assert_eq!(may_be_secret(text), want, "{name}");
        }
    }

    #[test]
    fn texts_are_the_same_only_byte_for_byte() {
        let cases = [
            ("424242", "424242", true),
            ("424242", "424243", false),
            ("424242", "42424", false),
            ("424242", "4242420", false),
            ("", "", true),
            ("", "4", false),
        ];
        for (one, other, want) in cases {
            assert_eq!(is_same(one, other), want, "{one} {other}");
        }
    }
}
