//! `KeyHandle`: replaces a ring's keys while requests run.

use std::{fmt, sync::Arc};

use super::{KeyRing, Keys, SigningKey, swap::Swap};
use crate::{clock::Timestamp, error::ConfigError};

/// Replaces the keys of a [`KeyRing`], in every layer that has it, while requests run. Clones are
/// the same handle.
///
/// A request that arrives after a change has returned uses the new keys. One in flight may still
/// use the old ones. Requests never wait for a change.
///
/// Of several layers with one ring, the one that first looks at a retired key's end after a change
/// decides how that end is judged. Where the clock was once ahead of what it shows now, by at least
/// the time until that end, the others may end the key at once. A key that one of them has found
/// ended has ended for all.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, SigningKey, clock::{Clock, SystemClock}};
///
/// let keys = KeyRing::new(SigningKey::generate()?.with_id("1")?);
/// let handle = keys.handle();
/// // MagicLinkLayer::builder(provider, keys) …
///
/// let now = SystemClock::default().now();
/// let longest_session = Duration::from_secs(12 * 60 * 60);
/// handle.rotate(&SigningKey::generate()?.with_id("2")?, now + longest_session, now)?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyHandle {
    keys: Arc<Swap<Keys>>,
}

impl KeyHandle {
    pub(super) const fn new(keys: Arc<Swap<Keys>>) -> Self {
        Self { keys }
    }

    /// Makes a key the current one, be it new or announced before.
    ///
    /// The former one retires at `now`, and verifies what it has minted until `until`. Keys whose
    /// end has come are dropped.
    ///
    /// # Errors
    ///
    /// When `until` is not after `now`, when the key is the current one, when another key of the
    /// ring has its id, or when the ring has it under another id. The ring then stays as it was.
    pub fn rotate(
        &self,
        new: &SigningKey,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), ConfigError> {
        if until <= now {
            let until = until.as_secs().to_string();
            return Err(ConfigError::invalid("until", until, "is not after now"));
        }
        self.keys.change(|keys| keys.rotated(new, until, now))
    }

    /// Replaces all keys by those that another ring has at this moment. Tokens of a key that is
    /// gone are refused from then on, so this is how to drop a leaked key, and the current one with
    /// it: renewals of forged sessions are signed by that. A response that is under way runs on, or
    /// with [`end_streams`](crate::Builder::end_streams) until the next look-up.
    ///
    /// Siblings accept tokens of the leaked key until [their
    /// copies](crate::companion::Jwks#how-old-a-siblings-copy-may-be) of the public keys are gone:
    /// that section says how to end them. Give the new key a new id.
    pub fn replace(&self, keys: &KeyRing) {
        self.keys.replace(Arc::clone(&keys.load()));
    }
}

/// Prints the keys' ids and algorithms.
impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyHandle")
            .field(&*self.keys.load())
            .finish()
    }
}
