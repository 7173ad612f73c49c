//! `KeyRing`: the current key and those that retired.
//!
//! - New tokens and sealed values are made with the current key.
//! - Retired keys still verify and open, so that a key can be changed without signing anyone out. Drop them once the
//!   longest session has ended.

use std::{env, ffi::OsString, fmt, sync::Arc};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

use super::keys::SigningKey;
use crate::error::ConfigError;

/// The keys that sign sessions: one current, any number retired.
///
/// ```
/// use tower_magic_link::{KeyRing, SigningKey};
///
/// let last_year = SigningKey::generate()?.with_id("2025")?;
/// let this_year = SigningKey::generate()?.with_id("2026")?;
/// let keys = KeyRing::new(this_year).retire(last_year)?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    /// The current key first.
    keys: Arc<[SigningKey]>,
}

impl KeyRing {
    /// Makes a ring of one current key.
    #[must_use]
    pub fn new(current: SigningKey) -> Self {
        Self {
            keys: Arc::new([current]),
        }
    }

    /// Reads the current key from `MAGIC_LINK_KEY` and, where it is set, retired keys from
    /// `MAGIC_LINK_RETIRED_KEYS`, separated by commas.
    ///
    /// A key is 32 random bytes or more in base64 (`openssl rand -base64 32`), or an Ed25519 private key in PKCS #8 PEM.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] when `MAGIC_LINK_KEY` is not set or empty; else when a key cannot work, or is there twice.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// Adds a key that verifies, but mints no more.
    ///
    /// # Errors
    ///
    /// When the ring has a key of that id.
    pub fn retire(self, key: SigningKey) -> Result<Self, ConfigError> {
        if self.keys.iter().any(|other| other.id() == key.id()) {
            return Err(ConfigError::invalid(
                "key id",
                key.id(),
                "names two keys of the ring",
            ));
        }
        Ok(Self {
            keys: self.keys.iter().cloned().chain([key]).collect(),
        })
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        const CURRENT: &str = "MAGIC_LINK_KEY";
        const RETIRED: &str = "MAGIC_LINK_RETIRED_KEYS";
        let text = |name: &'static str| {
            let value = variable(name).unwrap_or_default();
            let text = value.into_string();
            text.map_err(|_| ConfigError::secret(name, "is not UTF-8"))
        };
        let current = text(CURRENT)?;
        if current.trim().is_empty() {
            return Err(ConfigError::Missing { setting: CURRENT });
        }
        text(RETIRED)?
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .try_fold(Self::new(read_key(CURRENT, &current)?), |ring, text| {
                ring.retire(read_key(RETIRED, text)?)
            })
    }

    /// Returns the key that mints.
    #[expect(clippy::expect_used, reason = "every constructor puts a key first")]
    pub(super) fn current(&self) -> &SigningKey {
        self.keys.first().expect("a ring has a current key")
    }

    /// Returns every key, the current one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter()
    }
}

/// Prints the keys' ids and algorithms.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn read_key(variable: &'static str, text: &str) -> Result<SigningKey, ConfigError> {
    let text = text.trim();
    let named = |error: ConfigError| match error {
        ConfigError::Secret { problem, .. } => ConfigError::secret(variable, problem),
        other => other,
    };
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    if text.starts_with("-----BEGIN") {
        return SigningKey::ed25519_pem(text).map_err(named);
    }
    #[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
    if text.starts_with("-----BEGIN") {
        let problem = "is PEM: EdDSA keys need feature aws-lc-rs or rust-crypto";
        return Err(ConfigError::secret(variable, problem));
    }
    let secret = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|base64| base64.decode(text).ok())
        .ok_or_else(|| ConfigError::secret(variable, "is not base64"))?;
    SigningKey::hs256(secret).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::test_keys;

    fn secret() -> String {
        STANDARD.encode(test_keys::SECRET)
    }

    fn other_secret() -> String {
        STANDARD.encode(b"another-secret-of-32-random-byte")
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
        let three = KeyRing::new(key("a")).retire(key("b")).unwrap();
        assert_eq!(three.retire(key("b")).unwrap_err().setting(), "key id");
    }

    #[test]
    fn a_key_is_read_in_any_base64() {
        // Bytes that the alphabets write differently.
        let secret: Vec<u8> = (0..32u8).map(|n| n.wrapping_mul(151) ^ 0xfb).collect();
        assert_ne!(
            STANDARD_NO_PAD.encode(&secret),
            URL_SAFE_NO_PAD.encode(&secret)
        );
        let id = SigningKey::hs256(&secret).unwrap().id().to_owned();
        for base64 in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            let text = format!(" {}\n", base64.encode(&secret));
            let ring = ring(&[("MAGIC_LINK_KEY", &text)]).unwrap();
            assert_eq!(ring.current().id(), id);
        }
    }

    #[test]
    fn the_current_key_comes_from_one_variable_and_the_retired_ones_from_another() {
        let (one, two) = (secret(), other_secret());
        let id = |text: &str| {
            let key = SigningKey::hs256(STANDARD.decode(text).unwrap()).unwrap();
            key.id().to_owned()
        };
        let third = STANDARD.encode(b"third-secret:32-other-random-byte");
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
            assert_eq!(ring.iter().count(), keys, "{name}");
            assert_eq!(ring.current().id(), id(&one), "{name}");
            let second = ring.iter().nth(1).map(SigningKey::id);
            assert!(second.is_none_or(|second| second == id(&two)), "{name}");
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
            ("nothing", vec![], "MAGIC_LINK_KEY is not set"),
            ("empty", vec![(current, "")], "MAGIC_LINK_KEY is not set"),
            ("blank", vec![(current, " \n")], "MAGIC_LINK_KEY is not set"),
            (
                "only a retired key",
                vec![(retired, &one)],
                "MAGIC_LINK_KEY is not set",
            ),
            (
                "no base64",
                vec![(current, "marker!")],
                "MAGIC_LINK_KEY is not base64",
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
                "MAGIC_LINK_RETIRED_KEYS is not base64",
            ),
            (
                "a short retired key",
                vec![good, (retired, &list)],
                "MAGIC_LINK_RETIRED_KEYS has 5 bytes",
            ),
            (
                "the same key twice",
                vec![good, (retired, &one)],
                "names two keys of the ring",
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
    fn an_ed25519_key_is_read_from_pem_current_or_retired() {
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
        ];
        for (name, variables, want) in cases {
            let ring = ring(&variables).unwrap();
            let algorithms: Vec<_> = ring.iter().map(SigningKey::algorithm).collect();
            assert_eq!(algorithms, want, "{name}");
        }
        let error = ring(&[("MAGIC_LINK_KEY", test_keys::ED25519_PUBLIC)]).unwrap_err();
        let want = "MAGIC_LINK_KEY is no Ed25519 private key in PKCS #8 PEM";
        assert_eq!(error.to_string(), want);
    }

    #[test]
    #[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
    fn a_pem_names_the_features_that_it_needs() {
        let error = ring(&[("MAGIC_LINK_KEY", test_keys::ED25519)]).unwrap_err();
        let want = "MAGIC_LINK_KEY is PEM: EdDSA keys need feature aws-lc-rs or rust-crypto";
        assert_eq!(error.to_string(), want);
    }
}
