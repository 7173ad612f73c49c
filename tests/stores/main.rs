//! The stores: one list of behaviours for those in memory and those in a real Redis, and what
//! becomes of the latter when Redis does not behave.

#![cfg(feature = "redis")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, some of which print what they measured"
)]

mod cluster;
mod figures;
#[path = "../support/names.rs"]
mod names;
mod outage;
mod posture;
#[path = "../support/redis.rs"]
mod redis;
mod revocations;
mod session;
mod throttle;
mod throttle_outage;
