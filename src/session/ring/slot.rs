//! What a swapped value stands in: arc-swap's slot, and under `cfg(loom)` a double of it.

#[cfg(not(all(test, loom)))]
mod real {
    use std::sync::Arc;

    use arc_swap::ArcSwap;

    pub(crate) type Slot<T> = ArcSwap<T>;
    pub(crate) type Guard<T> = arc_swap::Guard<Arc<T>>;

    pub(crate) fn new<T>(value: T) -> Slot<T> {
        ArcSwap::from_pointee(value)
    }
}

/// loom cannot see into arc-swap. Each operation of the double is one step, as arc-swap promises.
#[cfg(all(test, loom))]
mod double {
    use std::sync::{Arc, PoisonError};

    use loom::sync::{Mutex, MutexGuard};

    pub(crate) type Guard<T> = Arc<T>;

    pub(crate) struct Slot<T>(Mutex<Arc<T>>);

    pub(crate) fn new<T>(value: T) -> Slot<T> {
        Slot(Mutex::new(Arc::new(value)))
    }

    impl<T> Slot<T> {
        pub(crate) fn load(&self) -> Arc<T> {
            self.lock().clone()
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            *self.lock() = value;
        }

        /// Returns what was there: `current`, if the new value took its place.
        pub(crate) fn compare_and_swap(&self, current: &Arc<T>, new: Arc<T>) -> Arc<T> {
            let mut value = self.lock();
            let found = value.clone();
            if Arc::ptr_eq(&found, current) {
                *value = new;
            }
            found
        }

        fn lock(&self) -> MutexGuard<'_, Arc<T>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(all(test, loom))]
pub(crate) use self::double::{Guard, Slot, new};
#[cfg(not(all(test, loom)))]
pub(crate) use self::real::{Guard, Slot, new};
