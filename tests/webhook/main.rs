//! The webhook: signed events end the right sessions and no other.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod ends;
mod in_flight;
mod left;
mod moved;
#[path = "../support/names.rs"]
mod names;
mod sdk;
mod shape;
mod site;
mod skews;
mod trouble;
mod unread;
