//! Every journey of a person to their session, while robots visit the same mail.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../support/names.rs"]
mod names;
#[path = "../support/page.rs"]
mod page;

mod crawlers;
mod journey;
mod matrix;
mod reader;
mod robot;
mod site;
mod threats;
mod visitor;
mod walk;
