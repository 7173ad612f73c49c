//! `Derived`: what follows from one key for a label, each derived once: HMAC states, ciphers, and
//! pseudonyms of nothing.
//!
//! - A throttle's key, a match code and a browser's cookie are each the MAC of a value under a
//!   label. To derive the label's secret and to begin the MAC takes six compressions of SHA-256,
//!   and the rest of the MAC two. A cipher's key takes four.
//! - The labels are constants of this crate, fewer than the places here. Without a free place, what
//!   follows would be derived each time.
//! - To read takes no lock: every step of signing in asks for several labels.

use std::{
    array, ptr,
    sync::{Arc, OnceLock},
};

use aes_gcm_siv::Aes256GcmSiv;
use hmac::Hmac;
use sha2::Sha256;

/// How many labels have a place. There are about forty.
const PLACES: usize = 64;

/// What was derived from one key.
#[derive(Default)]
pub(super) struct Known {
    pub(super) macs: Derived<Hmac<Sha256>>,
    /// Shared: the round keys of a cipher take about a kilobyte.
    pub(super) ciphers: Derived<Arc<Aes256GcmSiv>>,
    /// The pseudonyms of an empty value.
    pub(super) pseudonyms: Derived<[u8; 16]>,
}

/// What follows from one key, by its labels.
pub(super) struct Derived<T> {
    /// The labels that were used, from the first place on.
    labels: [OnceLock<&'static str>; PLACES],
    /// What follows for each, in the same places.
    derived: [OnceLock<T>; PLACES],
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self {
            labels: array::from_fn(|_| OnceLock::new()),
            derived: array::from_fn(|_| OnceLock::new()),
        }
    }
}

impl<T: Clone> Derived<T> {
    /// Returns what follows for a label, derived if this is its first use.
    pub(super) fn of(&self, label: &'static str, derive: impl FnOnce() -> T) -> T {
        match self.place_of(label) {
            Some(place) => place.get_or_init(derive).clone(),
            None => derive(),
        }
    }

    /// Returns the place of a label, which takes the first free one at its first use.
    fn place_of(&self, label: &'static str) -> Option<&OnceLock<T>> {
        // A label is nearly always found by where it stands: to compare a few addresses costs less
        // than to hash a text. The compiler may keep the same text twice.
        let used = self.labels.iter().map_while(OnceLock::get);
        let known = used
            .zip(&self.derived)
            .find(|(known, _)| ptr::eq(**known, label));
        if let Some((_, place)) = known {
            return Some(place);
        }
        let mut places = self.labels.iter().zip(&self.derived);
        let place = places.find(|(known, _)| *known.get_or_init(|| label) == label);
        place.map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use hmac::{KeyInit, Mac};

    use super::*;

    #[test]
    fn a_label_is_derived_once_and_each_label_by_itself() {
        let macs = Derived::<Hmac<Sha256>>::default();
        let derived = Cell::new(0);
        let tag = |label: &'static str, value: &[u8]| {
            let mac = macs.of(label, || {
                derived.set(derived.get() + 1);
                Hmac::new_from_slice(label.as_bytes()).unwrap()
            });
            mac.chain_update(value).finalize().into_bytes().to_vec()
        };
        let first = tag("one", b"x");
        for _ in 0..1_000 {
            assert_eq!(tag("one", b"x"), first, "no value stays in the state");
        }
        assert_ne!(tag("one", b"y"), first);
        assert_ne!(tag("two", b"x"), first);
        assert_eq!(derived.get(), 2);
    }

    #[test]
    fn a_label_without_a_place_is_derived_each_time_and_the_others_stay() {
        let labels: [&'static str; PLACES + 1] = array::from_fn(|place| &*place.to_string().leak());
        let names = Derived::<&str>::default();
        for _ in 0..2 {
            for label in labels {
                assert_eq!(names.of(label, || label), label);
            }
        }
        let (last, others) = labels.split_last().unwrap();
        assert_eq!(names.of(last, || "anew"), "anew");
        for label in others {
            // Found by its text where it does not stand at the same place.
            let copy: &'static str = label.to_string().leak();
            assert_eq!(names.of(copy, || "anew"), *label);
        }
    }

    #[test]
    fn threads_that_ask_at_once_get_the_same() {
        let derived = Derived::<usize>::default();
        let count = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for label in ["a", "b", "c", "d"] {
                        let derive = || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        derived.of(label, derive);
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 4);
    }
}
