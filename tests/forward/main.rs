//! What is not Rust: identity headers for the service behind, the guard in front of one, and the
//! proxies that ask.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod configured;
mod exchange;
#[path = "../../examples/forward_auth.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod forward_auth_example;
mod front;
mod guard;
#[path = "../../examples/guard.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod guard_example;
mod heads;
mod identity;
#[path = "../support/names.rs"]
mod names;
mod person;
#[path = "../support/program.rs"]
mod program;
mod proxies;
mod question;
mod refusing;
mod service;
mod site;
mod suite;
mod targets;
mod tunnels;
mod upstream;
