//! Hot tokens: those whose signature a key pair has verified, so that it need not do so again.
//!
//! - A signature of a key pair takes a hundred times as long to verify as one of a shared secret.
//!   A person's browser sends the same token with every request.
//! - Remembered is one fact alone: that this key has signed this text. The key's end, the token's
//!   times, its claims and its revocation are judged at each request. A key that leaves the ring
//!   takes its hot tokens with it, because they stand with the key.
//! - A token is remembered at second sight. At first sight it leaves a mark of 8 bytes, so that
//!   many tokens that are sent once do not drive out those that are sent often.
//! - Only what the key has verified leaves a mark: a stranger without a token changes nothing here.
//! - There is room for [`PLACES`] tokens of at most [`LONGEST`] bytes, so for 4 MiB. A token's
//!   place follows from its signature, by a hash that is keyed by a secret of the process, so that
//!   nobody can choose whose place a token takes. It stays until another takes its place.
//! - The whole text is compared, without an early exit: how long that takes says nothing of a token
//!   that somebody else has sent.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use self::sync::{AtomicU64, Ordering};
use super::swap::Swap;

mod sync;

/// How many tokens are remembered at most.
const PLACES: u16 = 4_096;

/// A longer token is verified each time.
const LONGEST: usize = 1_024;

/// The hot tokens of one key.
pub(in crate::session) struct Hot {
    secret: RandomState,
    places: Box<[Place]>,
}

/// Room for one token.
struct Place {
    /// The mark of the token that was verified last. Zero: none was.
    seen: AtomicU64,
    token: Swap<Option<Box<[u8]>>>,
}

impl Hot {
    pub(super) fn new() -> Self {
        Self {
            secret: RandomState::new(),
            places: (0..PLACES).map(|_| Place::new()).collect(),
        }
    }

    /// Says whether the key has signed a token, as far as is remembered.
    pub(in crate::session) fn has(
        &self,
        token: impl AsRef<[u8]>,
        signature: impl AsRef<[u8]>,
    ) -> bool {
        let (place, _) = self.place(signature.as_ref());
        place.is_some_and(|place| place.has(token.as_ref()))
    }

    /// Notes that the key has signed a token.
    pub(in crate::session) fn note(&self, token: impl AsRef<[u8]>, signature: impl AsRef<[u8]>) {
        let token = token.as_ref();
        if let (Some(place), mark) = self.place(signature.as_ref())
            && token.len() <= LONGEST
        {
            place.note(token, mark);
        }
    }

    /// Returns the place of a token, and its mark.
    fn place(&self, signature: &[u8]) -> (Option<&Place>, u64) {
        let mark = self.secret.hash_one(signature).max(1);
        let at = u16::try_from(mark % u64::from(PLACES)).unwrap_or_default();
        (self.places.get(usize::from(at)), mark)
    }
}

impl Place {
    fn new() -> Self {
        Self {
            seen: AtomicU64::new(0),
            token: Swap::new(None),
        }
    }

    fn has(&self, token: &[u8]) -> bool {
        let hot = self.token.load();
        hot.as_deref().is_some_and(|hot| is_same(hot, token))
    }

    fn note(&self, token: &[u8], mark: u64) {
        // Relaxed: the mark guards nothing. A lost one costs one more verification.
        if self.seen.swap(mark, Ordering::Relaxed) == mark {
            self.token.replace(Arc::new(Some(Box::from(token))));
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
