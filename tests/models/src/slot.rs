//! A double of `session/ring/slot.rs`: each operation is one step.

use std::sync::Arc;

use loom::sync::Mutex;

pub(crate) type Guard<T> = Arc<T>;

pub(crate) struct Slot<T>(Mutex<Arc<T>>);

pub(crate) fn new<T>(value: T) -> Slot<T> {
    Slot(Mutex::new(Arc::new(value)))
}

impl<T> Slot<T> {
    pub(crate) fn load(&self) -> Arc<T> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        *self.0.lock().unwrap() = value;
    }

    /// Returns what was there: `current`, if the new value took its place.
    pub(crate) fn compare_and_swap(&self, current: &Arc<T>, new: Arc<T>) -> Arc<T> {
        let mut value = self.0.lock().unwrap();
        let found = value.clone();
        if Arc::ptr_eq(&found, current) {
            *value = new;
        }
        found
    }
}
