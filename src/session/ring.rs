//! `KeyRing`: the current key and those that retired.
//!
//! - New tokens and sealed values are made with the current key.
//! - Retired keys still verify and open, so that a key can be changed without signing anyone out. Drop them once the
//!   longest session has ended.

use std::{env, fmt, sync::Arc};

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
    /// When the variable is not set, or a key cannot work.
    pub fn from_env() -> Result<Self, ConfigError> {
        const CURRENT: &str = "MAGIC_LINK_KEY";
        const RETIRED: &str = "MAGIC_LINK_RETIRED_KEYS";
        let current = env::var(CURRENT).ok().filter(|text| !text.is_empty());
        let current = current.ok_or(ConfigError::Missing { setting: CURRENT })?;
        let retired = env::var(RETIRED).unwrap_or_default();
        retired
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .try_fold(Self::new(read_key(CURRENT, &current)?), |ring, text| {
                ring.retire(read_key(RETIRED, text)?)
            })
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
    let secret = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|base64| base64.decode(text).ok())
        .ok_or_else(|| ConfigError::secret(variable, "is not base64"))?;
    SigningKey::hs256(secret).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_takes_each_key_id_once() {
        let key = || SigningKey::generate().unwrap().with_id("a").unwrap();
        let error = KeyRing::new(key()).retire(key()).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"key id "a" names two keys of the ring"#
        );
    }

    #[test]
    fn a_key_is_read_in_any_base64_and_named_by_its_variable_when_it_cannot_work() {
        let secret: Vec<u8> = (0..32u8).map(|n| n.wrapping_mul(151) ^ 0xfb).collect();
        let id = SigningKey::hs256(&secret).unwrap().id().to_owned();
        for base64 in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            let key =
                read_key("MAGIC_LINK_KEY", &format!(" {}\n", base64.encode(&secret))).unwrap();
            assert_eq!(key.id(), id);
        }
        for text in ["", "not base64!", "c2hvcnQ="] {
            let error = read_key("MAGIC_LINK_KEY", text).unwrap_err();
            assert_eq!(error.setting(), "MAGIC_LINK_KEY", "{text}");
        }
    }
}
