//! The store's synchronisation primitives. `tests/models` replaces them with loom's doubles.

pub(super) use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// A value that is replaced as a whole. Reading takes no lock; the value lives while a reader uses
/// it.
pub(super) type Slot<T> = arc_swap::ArcSwapOption<T>;
