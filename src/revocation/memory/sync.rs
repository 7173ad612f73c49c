//! What the store is synchronised by. `tests/models` has doubles that loom can see into.

pub(super) use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// A value that is replaced as a whole. Reading it takes no lock, and it lives for as long as
/// somebody reads it.
pub(super) type Slot<T> = arc_swap::ArcSwapOption<T>;
