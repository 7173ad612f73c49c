//! `SmtpMailer`: a real conversation with a real mail server, and whatever a bad one can do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, some of which print what they counted"
)]

mod anew;
mod check;
#[path = "../support/corpora.rs"]
mod corpora;
mod delivery;
mod failure;
mod faults;
mod kept;
mod links;
mod log;
mod mailboxes;
#[path = "../support/names.rs"]
mod names;
#[path = "../support/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;
mod postbox;
mod postfix;
#[path = "../support/program.rs"]
mod program;
mod raw;
#[path = "../support/redis.rs"]
#[expect(dead_code, reason = "its ports and its patience are used here")]
mod redis;
#[path = "../support/misconfigured.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod row;
#[path = "../support/scripted.rs"]
mod scripted;
mod shapes;
mod suite;
#[path = "../support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "other tests use more of it")]
mod support;
#[path = "../support/taken.rs"]
mod taken;
mod tls;
