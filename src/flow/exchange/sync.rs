//! The lock of the exchanges. `tests/models` replaces it with a double that loom can inspect.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
