//! `ByKey`: hashes the keys of counts, which are HMACs already.
//!
//! - Nobody outside can choose or predict the layer's keys, so a table needs no SipHash against
//!   floods of colliding ones. For keys of another caller, each table has random multipliers.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The random multipliers of one table.
#[derive(Clone, Debug)]
pub(super) struct ByKey {
    seed: u64,
    factor: u64,
}

/// The hash of one key so far.
#[derive(Debug)]
pub(super) struct Mix {
    state: u64,
    factor: u64,
}

impl Default for ByKey {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            seed: random.hash_one(0),
            // Odd, so that multiplying loses no bit.
            factor: random.hash_one(1) | 1,
        }
    }
}

impl BuildHasher for ByKey {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        Mix {
            state: self.seed,
            factor: self.factor,
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the lower half is meant"
)]
const fn half(product: u128) -> u64 {
    product as u64
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_ne_bytes(*word));
        }
        for byte in rest {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // Both halves: a low bit of a product depends on few bits, and its highest only on itself.
        let product = u128::from(self.state ^ word).wrapping_mul(u128::from(self.factor));
        let [low, high] = [product, product >> 64].map(half);
        self.state = low ^ high;
    }

    /// The length of a key, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        let mixed = self.state.wrapping_mul(self.factor);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::throttle::ThrottleKey;

    #[test]
    fn keys_that_differ_in_one_octet_fall_into_places_of_their_own() {
        let by_key = ByKey::default();
        let mut places = HashSet::new();
        let mut count = 0;
        for place in 0..16 {
            for octet in 0..=255 {
                let mut bytes = [7; 16];
                bytes[place] = octet;
                count += usize::from(octet != 7 || place == 0);
                places.insert(by_key.hash_one(ThrottleKey::from_bytes(bytes)));
            }
        }
        assert_eq!(places.len(), count);
        // By their low bits and by their high ones, in which a table looks.
        let low: HashSet<_> = places.iter().map(|hash| hash % 4_096).collect();
        let high: HashSet<_> = places.iter().map(|hash| hash >> 52).collect();
        // As many as random places: 4,081 keys in 4,096 rooms fill 63 %.
        assert!(low.len() > 2_000, "{}", low.len());
        assert!(high.len() > 2_000, "{}", high.len());
    }

    #[test]
    fn two_tables_hash_a_key_differently() {
        let key = ThrottleKey::from_bytes([1; 16]);
        let (one, other) = (ByKey::default(), ByKey::default());
        assert_ne!(one.hash_one(key), other.hash_one(key));
    }

    #[test]
    fn keys_that_differ_in_their_highest_bits_fall_into_places_of_their_own() {
        let by_key = ByKey::default();
        let mut places = HashSet::new();
        for top in 0..=255_u64 {
            // What the highest bits of one word change, another word could take back.
            let first = (top << 56) | 7;
            let second = (top << 56) ^ (top << 24) | 9;
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&first.to_ne_bytes());
            bytes[8..].copy_from_slice(&second.to_ne_bytes());
            places.insert(by_key.hash_one(ThrottleKey::from_bytes(bytes)));
        }
        assert_eq!(places.len(), 256);
    }
}
