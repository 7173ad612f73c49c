//! A double of `flow/exchange/sync.rs`, that loom sees into.

pub(super) use std::sync::PoisonError;

pub(super) use loom::sync::{Mutex, MutexGuard};
