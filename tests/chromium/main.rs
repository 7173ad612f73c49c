//! The layer in a real browser: a headless Chromium, over TLS, at sites with names of their own.
//!
//! - `site`: what the browser meets on one loopback port: the application, WorkOS, and another site
//!   with links to both.
//! - `stage`: an application behind the layer, and a chromedriver; `chromium`: one profile of
//!   Chromium.
//! - Every test that drives a browser is ignored unless it is asked for, since it needs programs
//!   that are not Rust.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod again;
mod arrival;
mod axe;
mod back;
mod choice;
mod chromium;
mod codes;
mod cookies;
mod deep_links;
mod drawn;
mod driver;
mod elsewhere;
mod fragment;
mod frame;
mod gallery;
mod journeys;
mod lines;
mod look;
#[path = "../support/names.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod names;
mod own_mail;
mod preview;
#[path = "../support/program.rs"]
mod program;
mod robots;
mod screens;
mod single_page;
mod site;
mod stage;
mod stylesheet;
mod unaided;
mod wait;
mod workers;
