//! Two replicas of `examples/redis.rs`, as two processes behind one address, with a real Redis and
//! a WorkOS that speaks its protocol.

#![cfg(all(feature = "redis", feature = "emulator"))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, some of which print what they measured"
)]

mod clocks;
mod faults;
#[path = "../support/names.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod names;
#[path = "../support/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/redis.rs"]
mod redis;
mod rolling;
mod sign_in;
mod site;
mod tls;
#[path = "../support/wall.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod wall;
