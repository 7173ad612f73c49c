//! A value that is replaced as a whole while others read it.
//!
//! - Reading never waits, for a writer or another reader (`arc-swap`).
//! - A change is made from the value that it replaces, so that of two parallel changes none is
//!   lost.
//!
//! In its models, loom tries every order of these steps, with a double of `slot` that loom can
//! inspect. That the real slot behaves like the double is arc-swap's own promise.

use std::sync::Arc;

use super::slot::{self, Slot};

/// The value as it was at one moment.
pub(crate) type Snapshot<T> = slot::Guard<T>;

pub(crate) struct Swap<T>(Slot<T>);

impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(slot::new(value))
    }

    pub(crate) fn load(&self) -> Snapshot<T> {
        self.0.load()
    }

    /// Replaces the value, whatever it is.
    pub(crate) fn replace(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// Replaces the value by one that is made from it. If another change was faster, `change` runs
    /// again.
    pub(crate) fn change<E>(&self, change: impl Fn(&T) -> Result<T, E>) -> Result<(), E> {
        let mut before = self.0.load();
        loop {
            let after = Arc::new(change(&before)?);
            let found = self.0.compare_and_swap(&before, after);
            if Arc::ptr_eq(&found, &before) {
                return Ok(());
            }
            before = found;
        }
    }
}

#[cfg(all(test, loom))]
mod models;
