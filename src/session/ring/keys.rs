//! The keys that a ring holds at one moment. They are immutable: a change makes a new set.

use std::{
    fmt, iter,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{RetiredKey, SigningKey, hot::Hot};
use crate::session::{Session, opening::Opening};
use crate::{
    clock::{Reading, Skew, Timestamp},
    error::ConfigError,
};

const NEVER: Timestamp = Timestamp::from_secs(u64::MAX);

/// The keys of one moment: at least one, and no two with the same id or the same secret.
pub(in crate::session) struct Keys {
    /// The key that mints.
    current: Entry,
    /// The keys that only verify and open.
    others: Vec<Entry>,
    /// The file whose keys these are, or were before a rotation or an addition.
    file: Option<Arc<Read>>,
}

/// A file of keys, as it was read.
pub(super) struct Read {
    pub(super) path: PathBuf,
    /// A hash, because the content is secret.
    pub(super) hash: [u8; 32],
}

/// A key, and the limits of what it verifies.
#[derive(Clone)]
pub(in crate::session) struct Entry {
    pub(in crate::session) key: SigningKey,
    /// The latest minting of a token that this key verifies.
    last_minted: Timestamp,
    /// From this date on, the key verifies and opens nothing.
    until: Option<Timestamp>,
    /// By how much a layer's time was ahead of the clock when it first saw the key's end.
    seen: OnceLock<Skew>,
    /// Set once the key has ended.
    ended: OnceLock<()>,
    /// How its tokens begin, for the first issuer that asked.
    opening: OnceLock<Option<Opening>>,
    /// The tokens that it need not verify again. They stand here and nowhere else, so that no other
    /// key can have them.
    hot: OnceLock<Arc<Hot<Option<Session>>>>,
}

impl Entry {
    /// Makes an entry without an end.
    pub(super) const fn standing(key: SigningKey) -> Self {
        Self {
            key,
            last_minted: NEVER,
            until: None,
            seen: OnceLock::new(),
            ended: OnceLock::new(),
            opening: OnceLock::new(),
            hot: OnceLock::new(),
        }
    }

    pub(super) fn retired(
        key: SigningKey,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Self {
        Self {
            key,
            last_minted: since.map_or(NEVER, |since| since + RetiredKey::LEEWAY),
            until,
            seen: OnceLock::new(),
            ended: OnceLock::new(),
            opening: OnceLock::new(),
            hot: OnceLock::new(),
        }
    }

    /// Says whether the key's end has not come, by a layer's time.
    ///
    /// The end is a date, and the layer's time stays ahead of the clock once that was set back. So
    /// the end is judged as a token is that was minted when the layer first saw it. A key that has
    /// ended by that does not come back with the clock.
    pub(in crate::session) fn stands(&self, reading: impl Into<Reading>) -> bool {
        self.until.is_none_or(|until| {
            if self.ended.get().is_some() {
                return false;
            }
            let reading = reading.into();
            let judged = reading.judging(until, self.seen(reading));
            // A clock that was far behind then, and is right now, must not put the end off.
            let stands = judged.max(reading.date()) < until;
            // The date of a token that is dated ahead ends no key.
            if !stands && reading.is_of_a_layer() {
                self.ended.get_or_init(|| ());
            }
            stands
        })
    }

    /// Says whether the key's end has not come by a date.
    pub(super) fn stands_on(&self, date: Timestamp) -> bool {
        self.until.is_none_or(|until| date < until)
    }

    /// Returns by how much the layer's time was ahead when it first saw the key's end, which may be
    /// now. Of several layers with one ring, the first one counts: the others' skew is not known.
    fn seen(&self, reading: Reading) -> Skew {
        let skew = || reading.dated(Timestamp::from_secs(0)).1;
        match self.seen.get() {
            Some(seen) => *seen,
            None if reading.is_of_a_layer() => *self.seen.get_or_init(skew),
            None => skew(),
        }
    }

    /// Returns when the key retired and when it ends, if it says both.
    pub(super) fn retirement(&self) -> Option<(Timestamp, Timestamp)> {
        let is_known = self.last_minted != NEVER;
        let retired = is_known.then(|| self.last_minted - RetiredKey::LEEWAY)?;
        Some((retired, self.until?))
    }

    /// Returns how this key's tokens of an issuer begin. Layers of several issuers may share a
    /// ring: then one of them has it, and the others read their tokens in full.
    pub(in crate::session) fn opening(&self, issuer: &str) -> Option<&Opening> {
        let opening = self.opening.get_or_init(|| self.key.opening(issuer));
        opening.as_ref().filter(|opening| opening.is_of(issuer))
    }

    /// Returns the tokens that the key need not verify again. `None` if it is a shared secret,
    /// which verifies about as fast as tokens are compared.
    pub(in crate::session) fn hot(&self) -> Option<&Hot<Option<Session>>> {
        self.key
            .is_pair()
            .then(|| &**self.hot.get_or_init(|| Arc::new(Hot::new())))
    }

    /// Returns when we minted its last token, at the latest.
    pub(in crate::session) const fn last_minted(&self) -> Timestamp {
        self.last_minted
    }

    /// Says whether a token that was minted at that time counts. A retired key that signs later is
    /// in other hands, and past the key's end nothing counts.
    pub(in crate::session) fn counts(&self, issued_at: Timestamp, reading: Reading) -> bool {
        // A key retires by the date, and this layer's clock may have been ahead when it minted the
        // token. A holder of the key can date a token at will, so the allowance lets no forger in.
        // By how much another replica's clock was ahead is not known here.
        self.stands(reading) && self.minted(issued_at - reading.most_ahead())
    }

    /// Says whether we can have minted a token of this key at that time.
    pub(in crate::session) fn minted(&self, issued_at: Timestamp) -> bool {
        issued_at <= self.last_minted
    }
}

impl Keys {
    pub(super) fn new(current: SigningKey) -> Self {
        Self {
            current: Entry::standing(current),
            others: Vec::new(),
            file: None,
        }
    }

    /// Returns the same keys as those of a file.
    pub(super) fn of_file(&self, path: &Path, hash: [u8; 32]) -> Self {
        let path = path.to_owned();
        Self {
            current: self.current.clone(),
            others: self.others.clone(),
            file: Some(Arc::new(Read { path, hash })),
        }
    }

    /// Returns the file whose keys these are, or were before a rotation or an addition.
    pub(super) fn file(&self) -> Option<&Read> {
        self.file.as_deref()
    }

    /// Returns the same keys and one more.
    pub(super) fn with(&self, entry: Entry) -> Result<Self, ConfigError> {
        let key = &entry.key;
        if self.iter().any(|other| other.key.id() == key.id()) {
            return Err(twice(key.id()));
        }
        if self.iter().any(|other| other.key.is_same_as(key)) {
            return Err(renamed(key.id()));
        }
        Ok(Self {
            current: self.current.clone(),
            others: self.others.iter().cloned().chain([entry]).collect(),
            file: self.file.clone(),
        })
    }

    /// Returns the keys after a change at `now`: the current key retires, and expired keys are
    /// gone.
    pub(super) fn rotated(
        &self,
        new: &SigningKey,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        if self.current().id() == new.id() {
            // The `kid` of every token is public, and a thumbprint looks like random bytes.
            return Err(ConfigError::shown(
                "key id",
                new.id(),
                "is the current key's",
            ));
        }
        // An announced key may become the current one, but another key under its id may not,
        // because the id tells keys apart. Nor may a key of the ring under another id: it would
        // retire, and sign on.
        for Entry { key, .. } in self.iter() {
            match (key.id() == new.id(), key.is_same_as(new)) {
                (true, false) => return Err(twice(new.id())),
                (false, true) => return Err(renamed(new.id())),
                _ => {}
            }
        }
        let old = Entry::retired(self.current().clone(), Some(now), Some(until));
        let others = [old].into_iter().chain(self.others.iter().cloned());
        // An announced entry of the new key gives way to the current one.
        let kept = others.filter(|entry| entry.stands_on(now) && entry.key.id() != new.id());
        Ok(Self {
            current: Entry::standing(new.clone()),
            others: kept.collect(),
            file: self.file.clone(),
        })
    }

    /// Returns the key that mints.
    pub(in crate::session) const fn current(&self) -> &SigningKey {
        &self.current.key
    }

    /// Returns every key, the current one first.
    pub(in crate::session) fn iter(&self) -> impl Iterator<Item = &Entry> {
        iter::once(&self.current).chain(&self.others)
    }

    /// Returns every key whose end has not come, the current one first.
    pub(in crate::session) fn standing(
        &self,
        reading: Reading,
    ) -> impl Iterator<Item = &SigningKey> {
        let standing = self.iter().filter(move |entry| entry.stands(reading));
        standing.map(|entry| &entry.key)
    }

    /// Has a layer see the end of each key. A key that no request has used before its end must not
    /// be taken for a new one once the clock is set back.
    pub(in crate::session) fn see(&self, reading: Reading) {
        // The current key has no end.
        for entry in &self.others {
            entry.stands(reading);
        }
    }
}

/// Prints the keys' ids and algorithms.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|entry| &entry.key))
            .finish()
    }
}

fn twice(id: &str) -> ConfigError {
    ConfigError::shown("key id", id, "names two keys of the ring")
}

fn renamed(id: &str) -> ConfigError {
    let problem = "names a key that the ring has under another id";
    ConfigError::shown("key id", id, problem)
}
