//! `Derived`: what follows from one key for a label, each derived once: HMAC states and ciphers.
//!
//! - A throttle's key, a match code and a browser's cookie are each the MAC of a value under a
//!   label. To derive the label's secret and to begin the MAC takes six compressions of SHA-256,
//!   and the rest of the MAC two. A cipher's key takes four.
//! - The labels are constants of this crate, so that the map stays small.

use std::{
    ptr,
    sync::{PoisonError, RwLock},
};

/// What follows from one key, by its labels.
pub(super) struct Derived<T>(RwLock<Known<T>>);

/// The labels that were used, and what follows for each, in the same order.
struct Known<T> {
    labels: Vec<&'static str>,
    derived: Vec<T>,
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(RwLock::new(Known {
            labels: Vec::new(),
            derived: Vec::new(),
        }))
    }
}

impl<T: Clone> Derived<T> {
    /// Returns what follows for a label, derived if this is its first use.
    pub(super) fn of(&self, label: &'static str, derive: impl FnOnce() -> T) -> T {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(derived) = known.of(label) {
            return derived.clone();
        }
        drop(known);
        // Two threads may both derive it: they get the same.
        let derived = derive();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.labels.push(label);
        known.derived.push(derived.clone());
        derived
    }
}

impl<T> Known<T> {
    fn of(&self, label: &str) -> Option<&T> {
        // A label is nearly always found by where it stands: to compare a few addresses costs less
        // than to hash a text. The compiler may keep the same text twice.
        let place = |is_meant: &dyn Fn(&str) -> bool| {
            let mut labels = self.labels.iter();
            labels.position(|known| is_meant(known))
        };
        let place =
            place(&|known| ptr::eq(known, label)).or_else(|| place(&|known| known == label));
        self.derived.get(place?)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

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
}
