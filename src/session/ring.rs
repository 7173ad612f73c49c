//! `KeyRing`: the current key, and those that verify beside it.
//!
//! - New tokens and sealed values are made with the current key.
//! - The others still verify and open, so that a key can be changed without signing anyone out:
//!   until their end, and no token that was minted after they retired.
//! - A ring is replaced as a whole, through its [`KeyHandle`], while requests read it ([`swap`]).
//!   Whatever is decided is decided by one snapshot; what comes later in a request sees that ring
//!   or a newer one, never an older.

use std::{env, ffi::OsString, fmt, path::PathBuf, sync::Arc};

use self::swap::{Snapshot, Swap};
use super::keys::SigningKey;
use crate::{clock::Timestamp, error::ConfigError};

mod file;
mod handle;
mod keys;
mod retired;
mod slot;
mod swap;
mod text;

pub(in crate::session) use self::keys::{Entry, Keys};
pub use self::{file::KeyFile, handle::KeyHandle, retired::RetiredKey};

/// The keys that sign sessions: one current, any number that verify beside it.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, SigningKey, clock::Timestamp, keys::RetiredKey};
///
/// let last_year = SigningKey::generate()?.with_id("2025")?;
/// let this_year = SigningKey::generate()?.with_id("2026")?;
///
/// let new_year = Timestamp::from_secs(1_767_225_600);
/// let longest_session = Duration::from_secs(12 * 60 * 60);
/// let keys = KeyRing::new(this_year)
///     .retire(RetiredKey::new(last_year).since(new_year).until(new_year + longest_session))?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
///
/// Clones are the same ring: what [`KeyRing::handle`] replaces changes for every layer that was
/// given one. `retire` and `announce` make a ring of its own.
///
/// # Changing the key
///
/// One process: [`KeyHandle::rotate`]. Several replicas swap one after the other, and a token whose
/// key a replica does not know signs its person out there. So a change has three steps, each taken
/// everywhere before the next:
///
/// 1. The new key is added with [`KeyRing::announce`]: it verifies, and mints nothing yet.
///    [`MagicLinkLayer::jwks`] lists it; siblings have it once their copy of the list is older than
///    [`Jwks::MAX_AGE`].
/// 2. The new key becomes the current one, and the old one retires ([`KeyRing::retire`]), until the
///    longest session has ended, and the last sign-in in flight ([`RetiredKey::until`]). A replica
///    that swaps up to [`RetiredKey::LEEWAY`] later still mints good tokens with the old key.
/// 3. The old key is dropped, by itself where it retired with an end.
///
/// Throttle counts and match codes depend on the current key: they start anew, and a person who
/// began to sign in before the change may be shown another match code in their next tab.
///
/// A key that *leaked* must not retire: whoever has it can date tokens back, up to the longest
/// session. Replace the ring by one without it; everybody signs in again.
///
/// [`Jwks::MAX_AGE`]: crate::companion::Jwks::MAX_AGE
/// [`MagicLinkLayer::jwks`]: crate::MagicLinkLayer::jwks
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<Swap<Keys>>,
}

impl KeyRing {
    /// Makes a ring of one current key.
    #[must_use]
    pub fn new(current: SigningKey) -> Self {
        Self::of(Keys::new(current))
    }

    /// Reads the current key from `MAGIC_LINK_KEY` and, where it is set, keys that verify beside it
    /// from `MAGIC_LINK_RETIRED_KEYS`, separated by commas. When they retired is not known: they
    /// verify whatever they signed.
    ///
    /// A key is 32 random bytes or more in base64 (`openssl rand -base64 32`), or an Ed25519 or
    /// P-256 private key in PKCS #8 PEM.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] when `MAGIC_LINK_KEY` is not set or empty; else when a key cannot
    /// work, or is there twice.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// Reads the keys from a file, once. [`KeyFile`] says how it is written, and can follow its
    /// changes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a key in it cannot work or is there twice.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        KeyFile::open(path).map(|file| file.keys())
    }

    /// Adds a key that mints no more, and verifies what it has minted. A bare [`SigningKey`]
    /// verifies whatever it signed, without an end.
    ///
    /// # Errors
    ///
    /// When the ring has a key of that id.
    pub fn retire(self, key: impl Into<RetiredKey>) -> Result<Self, ConfigError> {
        self.load().with(key.into().entry()).map(Self::of)
    }

    /// Adds a key that verifies already, and is going to mint.
    ///
    /// # Errors
    ///
    /// When the ring has a key of that id.
    pub fn announce(self, key: SigningKey) -> Result<Self, ConfigError> {
        self.retire(key)
    }

    /// Returns what replaces this ring's keys while requests run.
    #[must_use]
    pub fn handle(&self) -> KeyHandle {
        KeyHandle::new(self.keys.clone())
    }

    fn of(keys: Keys) -> Self {
        Self {
            keys: Arc::new(Swap::new(keys)),
        }
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
        let read = |name, text: &str| {
            text::read_key(text).map_err(|problem| ConfigError::secret(name, problem))
        };
        text(RETIRED)?
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .try_fold(Self::new(read(CURRENT, &current)?), |ring, text| {
                ring.retire(read(RETIRED, text)?)
            })
    }

    /// Returns the keys of this moment. What belongs together is done with one snapshot.
    pub(in crate::session) fn load(&self) -> Snapshot<Keys> {
        self.keys.load()
    }

    /// Returns the public halves of the ring's key pairs as a JWK Set (RFC 7517, section 5), as
    /// JSON.
    ///
    /// Shared secrets (HS256) are never in it: a ring of nothing else gives an empty set. Keys
    /// whose end has come are left out.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> String {
        super::jwk::set(self.load().standing(now))
    }
}

/// Prints the keys' ids and algorithms.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}

#[cfg(test)]
mod tests;
