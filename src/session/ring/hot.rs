//! Hot tokens: those whose signature a key pair has verified, so that it need not do so again.
//!
//! - A signature of a key pair takes a hundred times as long to verify as one of a shared secret.
//!   A person's browser sends the same token with every request.
//! - Remembered is that this key has signed this text, and what the text states: that follows from
//!   the text alone. The key's end, the token's times and its revocation are judged at each
//!   request. A key that leaves the ring takes its hot tokens with it, because they stand with the
//!   key.
//! - A token is remembered at second sight. At first sight it leaves a mark of 8 bytes, so that
//!   many tokens that are sent once do not drive out those that are sent often.
//! - Only what the key has verified leaves a mark: a stranger without a token changes nothing here.
//! - There is room for [`PLACES`] tokens of at most [`LONGEST`] bytes, with what they state: for
//!   8 MiB. A token's place follows from the end of its signature, by a hash that is keyed by a
//!   secret of the process, so that nobody can choose whose place a token takes. It stays until
//!   another takes its place.
//! - The whole text is compared, without an early exit: how long that takes says nothing of a token
//!   that somebody else has sent.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use self::sync::{AtomicU64, Ordering};
use super::swap::{Snapshot, Swap};

mod sync;

/// How many tokens are remembered at most.
const PLACES: u16 = 4_096;

/// A longer token is verified each time.
const LONGEST: usize = 1_024;

/// How many characters of a signature choose a token's place.
const CHOOSING: usize = 16;

/// The hot tokens of one key, and what is kept of each.
pub(in crate::session) struct Hot<K> {
    secret: RandomState,
    places: Box<[Place<K>]>,
}

/// Room for one token.
struct Place<K> {
    /// The mark of the token that was verified last. Zero: none was.
    seen: AtomicU64,
    token: Swap<Option<Token<K>>>,
}

struct Token<K> {
    text: Box<[u8]>,
    kept: K,
}

/// A hot token, for as long as one request needs it.
pub(in crate::session) struct Found<K>(Snapshot<Option<Token<K>>>);

impl<K> Found<K> {
    /// Returns what was kept of the token.
    pub(in crate::session) fn kept(&self) -> Option<&K> {
        self.0.as_ref().as_ref().map(|token| &token.kept)
    }
}

impl<K> Hot<K> {
    pub(super) fn new() -> Self {
        Self {
            secret: RandomState::new(),
            places: (0..PLACES).map(|_| Place::new()).collect(),
        }
    }

    /// Returns a token that the key has signed, as far as is remembered.
    pub(in crate::session) fn find(
        &self,
        token: impl AsRef<[u8]>,
        signature: impl AsRef<[u8]>,
    ) -> Option<Found<K>> {
        let (place, _) = self.place(signature.as_ref());
        place?.find(token.as_ref())
    }

    /// Notes that the key has signed a token. `kept` has to follow from its text alone.
    pub(in crate::session) fn note(
        &self,
        token: impl AsRef<[u8]>,
        signature: impl AsRef<[u8]>,
        kept: impl FnOnce() -> K,
    ) {
        let token = token.as_ref();
        if let (Some(place), mark) = self.place(signature.as_ref())
            && token.len() <= LONGEST
        {
            place.note(token, mark, kept);
        }
    }

    /// Returns the place of a token, and its mark.
    fn place(&self, signature: &[u8]) -> (Option<&Place<K>>, u64) {
        // To hash the whole signature takes as long as half of all else that is done here.
        let end = signature.last_chunk::<CHOOSING>();
        let mark = match end {
            Some(end) => self.secret.hash_one(u128::from_le_bytes(*end)),
            None => self.secret.hash_one(signature),
        };
        let mark = mark.max(1);
        let at = u16::try_from(mark % u64::from(PLACES)).unwrap_or_default();
        (self.places.get(usize::from(at)), mark)
    }
}

impl<K> Place<K> {
    fn new() -> Self {
        Self {
            seen: AtomicU64::new(0),
            token: Swap::new(None),
        }
    }

    fn find(&self, token: &[u8]) -> Option<Found<K>> {
        let found = Found(self.token.load());
        let hot = found.0.as_ref().as_ref()?;
        is_same(&hot.text, token).then_some(found)
    }

    fn note(&self, token: &[u8], mark: u64, kept: impl FnOnce() -> K) {
        // Relaxed: the mark guards nothing. A lost one costs one more verification.
        if self.seen.swap(mark, Ordering::Relaxed) == mark {
            let text = Box::from(token);
            let kept = kept();
            self.token.replace(Arc::new(Some(Token { text, kept })));
        }
    }
}

/// Compares two tokens, to their end even if they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let pairs = one.iter().zip(other);
    let differing = pairs.fold(0, |differing, (one, other)| differing | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
