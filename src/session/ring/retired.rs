//! `RetiredKey`: a key that mints no more, with what it still verifies.

use std::time::Duration;

use super::{Entry, SigningKey};
use crate::clock::Timestamp;

/// A key that mints no more, for [`KeyRing::retire`](crate::KeyRing::retire).
///
/// Unless told otherwise it verifies whatever it signed, without an end.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetiredKey {
    key: SigningKey,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl RetiredKey {
    /// How much later than [`RetiredKey::since`] a token may have been minted: other replicas swap
    /// a moment later, and their clocks differ.
    pub const LEEWAY: Duration = Duration::from_secs(60);

    /// Begins with a key that verifies whatever it signed, without an end.
    pub const fn new(key: SigningKey) -> Self {
        Self {
            key,
            since: None,
            until: None,
        }
    }

    /// Says when the key retired: tokens that state a later minting, beyond [`RetiredKey::LEEWAY`],
    /// are refused. It may lie ahead, where a change is still on its way to all replicas.
    pub const fn since(mut self, retired_at: Timestamp) -> Self {
        self.since = Some(retired_at);
        self
    }

    /// Says from when on the key verifies and opens nothing. Sessions that it signed end then, and
    /// so do sign-ins in flight: links and states are sealed with it. So this should be no sooner
    /// than the longest session lives from when the key retires, or the [link
    /// lifetime](crate::Builder::link_lifetime) plus ten minutes, whichever is longer.
    pub const fn until(mut self, end: Timestamp) -> Self {
        self.until = Some(end);
        self
    }

    pub(super) fn entry(self) -> Entry {
        Entry::retired(self.key, self.since, self.until)
    }
}

impl From<SigningKey> for RetiredKey {
    fn from(key: SigningKey) -> Self {
        Self::new(key)
    }
}
