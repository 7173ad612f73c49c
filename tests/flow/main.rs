//! Signing in and out: the layer, an application behind it, and the emulator over real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod callback;
mod clock;
mod codes;
mod configuration;
mod cookie_domain;
#[path = "../support/corpora.rs"]
mod corpora;
mod deep_links;
mod elsewhere;
mod explain;
mod fixation;
mod forms;
mod keys;
mod links;
mod lost_cookie;
mod mail;
#[path = "../support/names.rs"]
mod names;
mod outage;
mod paths;
mod redeemed;
mod remember_me;
mod return_to;
mod secrets;
mod step_up;
mod throttle;
mod walk;
