//! `KeyRing`: the current key, and the keys that verify beside it.
//!
//! - New tokens and sealed values are made with the current key.
//! - The other keys still verify and open, so that a change of the key signs nobody out. They do so
//!   until their end, and refuse tokens that were minted after they retired.
//! - A [`KeyHandle`] replaces the ring as a whole while requests read it ([`swap`]). Each decision
//!   uses one snapshot. A later decision of the same request sees the same ring or a newer one,
//!   never an older.

use std::{env, ffi::OsString, fmt, path::PathBuf, sync::Arc};

use self::swap::{Snapshot, Swap};
use super::keys::SigningKey;
use crate::{
    clock::{Reading, Timestamp},
    error::ConfigError,
};

mod check;
mod file;
mod handle;
mod hot;
mod keys;
mod retired;
mod slot;
mod swap;
mod text;

pub use self::{file::KeyFile, handle::KeyHandle, retired::RetiredKey};
pub(in crate::session) use self::{
    hot::{Found, Hot},
    keys::{Entry, Keys},
};

/// The keys of the sessions: one that signs, and any number that verify beside it.
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
/// Clones share one ring: a change through [`KeyRing::handle`] reaches every layer that has a
/// clone. `retire` and `announce` make a separate ring.
///
/// # Changing the key
///
/// In one process, and without siblings that read the public keys, call [`KeyHandle::rotate`].
/// Several replicas swap one after the other, and a replica refuses tokens of a key that it does
/// not know. So a change has three steps; finish each on every replica before the next:
///
/// 1. Add the new key with [`KeyRing::announce`]. It verifies, and mints nothing yet.
///    [`MagicLinkLayer::jwks`] lists it. Sibling services know it once [their copies of the
///    list](crate::companion::Jwks#how-old-a-siblings-copy-may-be) have expired.
/// 2. Make the new key the current one, and retire the old one ([`KeyRing::retire`]) until the
///    longest session and the last sign-in in flight have ended ([`RetiredKey::until`]). A replica
///    that swaps up to [`RetiredKey::LEEWAY`] later still mints valid tokens with the old key.
/// 3. Drop the old key. If it retired with an end, it verifies nothing from then on.
///
/// Throttle counts and match codes depend on the current key. A change resets the counts, and a
/// person who began to sign in before it may see another match code in their next tab.
///
/// Never retire a key that *leaked*: an attacker can backdate tokens, up to the longest session.
/// Replace the ring by one without it. Everyone then has to sign in again. If it was not the
/// current key, because it had retired or was announced, make the current key a new one, too: what
/// came of forged sessions was signed by the current one. Siblings accept forged tokens until
/// [their copies of the public keys](crate::companion::Jwks#how-old-a-siblings-copy-may-be) are
/// gone.
///
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

    /// Reads the current key from `MAGIC_LINK_KEY`, and retired ones from
    /// `MAGIC_LINK_RETIRED_KEYS`.
    ///
    /// The second variable is optional, and separates its keys by commas. Since it does not say
    /// when they retired, they verify every token that they signed.
    ///
    /// A key is 32 random bytes or more in base64 (`openssl rand -base64 32`), or an Ed25519 or
    /// P-256 private key in PKCS #8 PEM.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] when `MAGIC_LINK_KEY` is not set or empty, and other errors when a
    /// key is invalid or occurs twice.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// Reads the keys from a file, once. [`KeyFile`] describes the format, and can follow changes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a key in it is invalid or occurs twice.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        KeyFile::open(path).map(|file| file.keys())
    }

    /// Adds a key that mints no more, but verifies what it has minted. A bare [`SigningKey`]
    /// verifies every token that it signed, without an end.
    ///
    /// # Errors
    ///
    /// When the ring has a key of that id, or that key under another id.
    pub fn retire(self, key: impl Into<RetiredKey>) -> Result<Self, ConfigError> {
        self.load().with(key.into().entry()).map(Self::of)
    }

    /// Adds a key that verifies already and will mint later.
    ///
    /// # Errors
    ///
    /// When the ring has a key of that id, or that key under another id.
    pub fn announce(self, key: SigningKey) -> Result<Self, ConfigError> {
        self.retire(key)
    }

    /// Returns a handle that replaces this ring's keys while requests run.
    #[must_use]
    pub fn handle(&self) -> KeyHandle {
        KeyHandle::new(self.keys.clone())
    }

    /// Tells the ring and its clones from others, while it lives.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.keys).addr()
    }

    fn of(keys: Keys) -> Self {
        Self {
            keys: Arc::new(Swap::new(keys)),
        }
    }

    /// Says which key signs, and which others verify, by their ids.
    pub(crate) fn in_words(&self) -> String {
        let keys = self.load();
        let ids: Vec<&str> = keys.iter().skip(1).map(|entry| entry.key.id()).collect();
        let signs = format!("signed by the key {}", keys.current().id());
        match ids.as_slice() {
            [] => signs,
            ids => format!("{signs}, and verified by {} too", ids.join(", ")),
        }
    }

    pub(crate) fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
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
            // An empty variable splits into one empty text, and so does a comma at the end.
            .filter(|text| !text.trim().is_empty())
            .try_fold(Self::new(read(CURRENT, &current)?), |ring, text| {
                let unfit = |error| ConfigError::secret(RETIRED, format!("repeats a key: {error}"));
                ring.retire(read(RETIRED, text)?).map_err(unfit)
            })
    }

    /// Returns a snapshot of the keys. Steps that belong together must share one snapshot.
    pub(in crate::session) fn load(&self) -> Snapshot<Keys> {
        self.keys.load()
    }

    /// Returns the public halves of the ring's key pairs as a JWK Set (RFC 7517, section 5), as
    /// JSON.
    ///
    /// It never contains shared secrets (HS256), so a ring of these alone gives an empty set. It
    /// leaves out keys whose end has come.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> String {
        let keys = self.load();
        let standing = keys.iter().filter(|entry| entry.stands_on(now));
        super::jwk::set(standing.map(|entry| &entry.key))
    }

    /// Does the same for the keys whose end has not come by a layer's time.
    pub(crate) fn jwks_by(&self, reading: Reading) -> String {
        super::jwk::set(self.load().standing(reading))
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
