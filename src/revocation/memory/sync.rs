//! What the store is synchronised by: the standard library and arc-swap, and under `cfg(loom)` what
//! loom can see into.

#[cfg(not(all(test, loom)))]
mod real {
    pub(crate) use std::sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    };

    /// A value that is replaced as a whole. Reading it takes no lock, and it lives as long as a
    /// reader uses it.
    pub(crate) type Slot<T> = arc_swap::ArcSwapOption<T>;
}

#[cfg(all(test, loom))]
mod double {
    use std::sync::{Arc, PoisonError};

    pub(crate) use loom::sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    };

    /// A double of arc-swap's: each operation is one step, as it promises.
    pub(crate) struct Slot<T>(Mutex<Option<Arc<T>>>);

    impl<T> Slot<T> {
        pub(crate) fn new(value: Option<Arc<T>>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn load(&self) -> Option<Arc<T>> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        }

        pub(crate) fn store(&self, value: Option<Arc<T>>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
        }
    }
}

pub(super) use std::sync::{Arc, PoisonError};

#[cfg(all(test, loom))]
pub(super) use self::double::*;
#[cfg(not(all(test, loom)))]
pub(super) use self::real::*;
