//! The stores in a real Redis: the suites of their ports, and what becomes of them when Redis does
//! not behave. Those in memory have the suites in `tests/ports`.

#![cfg(feature = "redis")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, some of which print what they measured"
)]

mod check;
mod cluster;
mod connections;
mod figures;
mod gauges;
mod held;
mod large;
mod listed;
mod load;
mod log;
mod looked_up;
mod mailed_links;
#[path = "../support/names.rs"]
mod names;
mod outage;
mod posture;
#[path = "../support/redis.rs"]
mod redis;
mod revocations;
#[path = "../support/misconfigured.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod row;
mod session;
mod status;
mod throttle;
mod throttle_clocks;
mod throttle_cut;
mod throttle_outage;
#[path = "../support/wall.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod wall;
