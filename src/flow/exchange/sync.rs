//! What exchanges are synchronised by: the standard library, and under `cfg(loom)` what loom can
//! see into.

pub(super) use std::sync::PoisonError;
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, loom))]
pub(super) use loom::sync::{Mutex, MutexGuard};
