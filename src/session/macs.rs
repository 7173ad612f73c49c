//! `Macs`: the HMAC states of one key, each derived once.
//!
//! - A throttle's key, a match code and a browser's cookie are each the MAC of a value under a
//!   label. To derive the label's secret and to begin the MAC takes six compressions of SHA-256,
//!   and the rest of the MAC two.
//! - The labels are constants of this crate, so that the map stays small.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use hmac::Hmac;
use sha2::Sha256;

/// The HMAC states of one key, by their labels.
#[derive(Default)]
pub(super) struct Macs(RwLock<HashMap<&'static str, Hmac<Sha256>>>);

impl Macs {
    /// Returns the state of a label, derived if this is its first use.
    pub(super) fn of(
        &self,
        label: &'static str,
        derive: impl FnOnce() -> Hmac<Sha256>,
    ) -> Hmac<Sha256> {
        let macs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mac) = macs.get(label) {
            return mac.clone();
        }
        drop(macs);
        // Two threads may both derive it: they get the same.
        let mac = derive();
        let mut macs = self.0.write().unwrap_or_else(PoisonError::into_inner);
        macs.insert(label, mac.clone());
        mac
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use hmac::{KeyInit, Mac};

    use super::*;

    #[test]
    fn a_label_is_derived_once_and_each_label_by_itself() {
        let macs = Macs::default();
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
