//! What is not Rust: identity headers for the service behind, the guard in front of one, and the proxies that ask.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod guard;
mod identity;
mod nginx;
mod person;
#[path = "../support/program.rs"]
mod program;
mod question;
mod site;
mod upstream;
