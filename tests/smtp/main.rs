//! `SmtpMailer`: a real conversation with a real mail server, and whatever a bad one can do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod delivery;
mod failure;
mod log;
#[path = "../support/names.rs"]
mod names;
#[path = "../support/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;
mod postbox;
#[path = "../support/program.rs"]
mod program;
mod scripted;
mod suite;
#[path = "../support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "other tests use more of it")]
mod support;
