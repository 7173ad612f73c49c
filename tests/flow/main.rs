//! Signing in and out: the layer, an application behind it, and the emulator over real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod support;

mod addresses;
mod callback;
mod check;
mod clock;
mod codes;
mod configuration;
mod context;
mod cookie_domain;
#[path = "../support/corpora.rs"]
mod corpora;
mod deep_links;
mod elsewhere;
mod explain;
mod fixation;
mod forms;
mod granted;
mod keys;
mod language;
mod links;
mod look;
mod lost_answer;
mod lost_cookie;
mod mail;
mod mailed_links;
mod metrics;
mod misconfigured;
#[path = "../support/names.rs"]
mod names;
mod outage;
#[path = "../support/page.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod page;
mod paths;
mod patience;
#[path = "../support/port.rs"]
mod port;
mod queued;
mod redeemed;
mod remember_me;
mod replayed;
mod return_to;
#[path = "../support/misconfigured.rs"]
mod row;
mod same;
mod secrets;
mod sign_out;
mod spans;
mod step_up;
mod throttle;
mod two_providers;
mod walk;
mod wiring;
