//! What exchanges are synchronised by. `tests/models` has a double that loom can see into.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
