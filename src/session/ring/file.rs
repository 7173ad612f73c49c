//! `KeyFile`: keys in a file, which is read again when it changes.
//!
//! - The file is read at an interval, and compared by its content. So no modification time has to
//!   be trusted, and a swapped symlink, as Kubernetes uses for secrets, counts like a file that is
//!   renamed into place.
//! - A change is applied only once two reads in a row agree. A file is rarely half-written for as
//!   long as that.
//! - A file that cannot be read or is invalid changes nothing. The error is logged once.
//! - The keys know the file that they were read from. So a program may open it again and replace
//!   the keys itself while the file is followed.
//! - What was read before the program changed the keys, or while it did, is not applied. A read may
//!   take long, and the old file may have a key that has leaked.

use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    ptr,
    sync::{Arc, Weak},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{KeyRing, Keys, swap::Swap, text::read_ring};
use crate::error::ConfigError;

/// The most bytes of the file: more than any number of keys needs. A wrong path may lead to
/// anything.
const LONGEST: u64 = 64 * 1_024;
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Keys in a file, for [`MagicLinkLayer::builder`](crate::MagicLinkLayer::builder) by
/// [`KeyFile::keys`].
///
/// The first key is the current one. The others verify beside it, as in [`KeyRing`]. A key is a
/// line of base64 (32 random bytes or more: `openssl rand -base64 32`), or an Ed25519 or P-256
/// private key in PKCS #8 PEM. Lines before it may give its `id`. For every key but the first, they
/// may also give the times at which it `retired` and `until` which it verifies, in seconds since
/// 1970 (`date +%s`). Empty lines, lines that begin with `#`, and a byte order mark at the
/// beginning are ignored.
///
/// A key that has signed keeps its `id` line, or its lack of one: a token names its key by that,
/// and one of another name is refused. Give a new key a new id.
///
/// ```text
/// id: 2026-11
/// <base64 or PEM>
///
/// # changed on 23 November; the longest session lasts 12 hours
/// id: 2026-05
/// retired: 1795420800
/// until: 1795464000
/// <base64 or PEM>
/// ```
///
/// [`KeyFile::watch`] follows the file:
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("tower-magic-link-doc-{}", std::process::id()));
/// # std::fs::write(&path, "HDge+0f2qDskwpnolJZd3t2csYlILEfOKiyg0Q2Qvdk=")?;
/// use std::time::Duration;
/// use tower_magic_link::keys::KeyFile;
///
/// let file = KeyFile::open(&path)?;
/// let keys = file.keys();
/// tokio::spawn(file.watch(Duration::from_secs(10)));
/// // MagicLinkLayer::builder(provider, keys) …
/// # drop(keys);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// To apply a change at once, for instance at SIGHUP, open the file again and hand its ring to
/// [`KeyHandle::replace`]. You may add keys to it before. `watch` then goes on from there. Such a
/// file is taken as it is, so put it into place as a whole. Spell its path as you did before:
/// `watch` takes `./keys` and `keys` for two files.
///
/// Keys that come from another file, or from none, stand until `watch` finds the file changed. It
/// may find a change that was made shortly before they were set.
///
/// [`KeyHandle::replace`]: super::KeyHandle::replace
#[must_use]
pub struct KeyFile {
    path: PathBuf,
    keys: KeyRing,
    /// A hash, because the content is secret.
    taken: Hash,
}

type Hash = [u8; 32];

impl KeyFile {
    /// Reads a file of keys.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or has more than 64 KiB, or a key in it is invalid or occurs
    /// twice.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        let text = read(&path)?;
        Self::of(path, &text)
    }

    fn of(path: PathBuf, text: &str) -> Result<Self, ConfigError> {
        let taken = hash(text);
        let keys = read_ring(text)?;
        Ok(Self {
            keys: KeyRing::of(keys.load().of_file(&path, taken)),
            taken,
            path,
        })
    }

    /// Returns the ring of the file's keys, which [`KeyFile::watch`] keeps up to date.
    #[must_use]
    pub fn keys(&self) -> KeyRing {
        self.keys.clone()
    }

    /// Follows the file until its ring is dropped. It reads the file at every interval, of 100
    /// milliseconds or more, and applies a change at the second read that finds it. If the program
    /// changes the ring in between, two more reads have to find it. Put a new file into place by a
    /// rename: one that is half-written for longer than an interval is taken as it is.
    ///
    /// A file that is missing, unreadable or invalid leaves the keys as they are, and is logged as
    /// an error (`tracing`, target `tower_magic_link`).
    ///
    /// Await or spawn it on a tokio runtime with a timer.
    pub async fn watch(self, every: Duration) {
        let mut watch = Watch::new(&self);
        drop(self);
        // Read again and again: notifications of changes do not cross a network file system.
        let mut ticks = interval(every.max(SHORTEST_INTERVAL));
        // Two reads in quick succession could agree on a half-written file.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick completes at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if !watch.begin() {
                return;
            }
            let path = watch.path.clone();
            // Reading blocks, and a network file system may block for long.
            let Ok(text) = spawn_blocking(move || read(&path)).await else {
                // The runtime is shutting down.
                return;
            };
            if !watch.look_at(text) {
                return;
            }
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

struct Watch {
    path: PathBuf,
    /// Weak, so that watching does not keep the ring alive.
    ring: Weak<Swap<Keys>>,
    /// The ring's keys when they were last looked at. Weak, so that a key that is dropped is gone.
    known: Weak<Keys>,
    /// What the last look saw.
    seen: Result<Hash, ConfigError>,
    /// What the ring was last made of, by us or by another who has opened the file.
    taken: Hash,
    /// What was invalid, and is logged.
    refused: Option<Hash>,
}

impl Watch {
    fn new(file: &KeyFile) -> Self {
        Self {
            path: file.path.clone(),
            ring: Arc::downgrade(&file.keys.keys),
            known: Weak::new(),
            seen: Ok(file.taken),
            taken: file.taken,
            refused: None,
        }
    }

    /// Prepares for a read, and says whether the ring is still in use.
    fn begin(&mut self) -> bool {
        let Some(ring) = self.ring.upgrade() else {
            return false;
        };
        self.learn(&ring.load());
        true
    }

    /// Applies what was read since `begin`, if it is new, and says whether the ring is still in
    /// use.
    fn look_at(&mut self, text: Result<String, ConfigError>) -> bool {
        let Some(ring) = self.ring.upgrade() else {
            return false;
        };
        // The read may be older than the change, and bring back a key that the change dropped.
        if self.learn(&ring.load()) {
            return true;
        }
        // By content: when a mounted secret is swapped, the time of change may stay or go back.
        let seen = text.as_deref().map(hash).map_err(ConfigError::clone);
        let is_first_look = seen != self.seen;
        self.seen.clone_from(&seen);
        match (text, seen) {
            (Ok(_), Ok(hash)) if hash == self.taken => self.refused = None,
            (Ok(text), Ok(hash)) if self.refused != Some(hash) && !is_first_look => {
                match read_ring(&text) {
                    Ok(read) => self.apply(&ring, &read, hash),
                    Err(error) => {
                        self.refused = Some(hash);
                        self.tell(&error);
                    }
                }
            }
            (Err(error), _) if is_first_look => self.tell(&error),
            _ => {}
        }
        true
    }

    /// Takes note of keys that are not those we know, and says whether they are not. What was read
    /// before counts no more.
    fn learn(&mut self, keys: &Arc<Keys>) -> bool {
        if self.knows(keys) {
            return false;
        }
        self.known = Arc::downgrade(keys);
        // Another file's keys, or those of no file, stand until ours changes.
        if let Some(read) = keys.file().filter(|read| read.path == self.path) {
            self.taken = read.hash;
        }
        // An error stays, so that it is not logged again.
        if self.seen.is_ok() {
            self.seen = Ok(self.taken);
        }
        true
    }

    fn knows(&self, keys: &Keys) -> bool {
        ptr::eq(self.known.as_ptr(), keys)
    }

    /// Gives the ring the file's keys, if it still has those that we know.
    fn apply(&mut self, ring: &Swap<Keys>, read: &KeyRing, hash: Hash) {
        let applied = ring.change(|now| {
            let is_known = self.knows(now);
            is_known
                .then(|| read.load().of_file(&self.path, hash))
                .ok_or(())
        });
        if applied.is_ok() {
            self.taken = hash;
            tracing::info!(target: "tower_magic_link", path = %self.path.display(), keys = ?read, "keys changed");
        }
    }

    fn tell(&self, error: &ConfigError) {
        tracing::error!(target: "tower_magic_link", path = %self.path.display(), %error, "keys not changed");
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let wrong = |problem: String| ConfigError::invalid("key file", path.to_string_lossy(), problem);
    let file =
        File::open(path).map_err(|error| wrong(format!("cannot be read: {}", error.kind())))?;
    let mut text = String::new();
    // One byte more tells a file that is too long from one that just fits.
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| wrong(format!("cannot be read: {}", error.kind())))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
        return Err(wrong(format!("has more than {LONGEST} bytes")));
    }
    Ok(text)
}

fn hash(text: impl AsRef<[u8]>) -> Hash {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests;
