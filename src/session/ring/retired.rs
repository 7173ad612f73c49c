//! `RetiredKey`: a key that mints no more, with the limits of what it verifies.

use std::time::Duration;

use super::{Entry, SigningKey};
use crate::clock::Timestamp;

/// A key that mints no more, for [`KeyRing::retire`](crate::KeyRing::retire).
///
/// By default it verifies every token that it signed, without an end.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetiredKey {
    key: SigningKey,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl RetiredKey {
    /// How long after [`RetiredKey::since`] a token may have been minted, and a sign-in begun: 60
    /// seconds.
    ///
    /// Other replicas swap a moment later, and their clocks differ.
    pub const LEEWAY: Duration = Duration::from_secs(60);

    /// Makes a retired key that verifies every token that it signed, without an end.
    pub const fn new(key: SigningKey) -> Self {
        Self {
            key,
            since: None,
            until: None,
        }
    }

    /// Sets when the key retired. Tokens with a later minting and sign-ins with a later beginning,
    /// beyond [`RetiredKey::LEEWAY`], are refused. The time may lie in the future, while a change
    /// is still on its way to all replicas.
    ///
    /// If a replica's clock was ahead and was set back, that replica takes what is dated later by
    /// as much. The other replicas refuse it.
    pub const fn since(mut self, retired_at: Timestamp) -> Self {
        self.since = Some(retired_at);
        self
    }

    /// Sets the date from which on the key verifies and opens nothing.
    ///
    /// Sessions that it signed end then. So do sign-ins in flight, because their links and states
    /// are sealed with it. From the key's retirement to this end, leave at least the longest
    /// session, the [link lifetime](crate::Builder::link_lifetime) plus ten minutes, or the
    /// [lifetime of typed codes](crate::provider::Abilities::code_lifetime), whichever is longest.
    ///
    /// A sign-in that begins before this end goes on after it. [Known
    /// browsers](crate::throttle::Limits#who-can-keep-people-out) are known until this end, unless
    /// they have signed in since the change: a later end keeps more of them known.
    ///
    /// A key that has ended stays so when the clock is set back, unless it is put into the ring
    /// anew.
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
