//! The same application behind each of the peers, and what measures it.
//!
//! - `apps`: without a layer, and behind ours.
//! - `login`: behind axum-login, with one session or a million.
//! - `hand_written`: behind what an application writes itself: `from_fn`, a cookie jar and
//!   jsonwebtoken; with a look-up in Redis, if it wants to end sessions.
//! - `jwt`: behind the crates that verify a token of another's.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a benchmark stops where it cannot go on"
)]

pub mod apps;
pub mod hand_written;
pub mod jwt;
pub mod login;
pub mod turns;

/// Returns a crate's newest version in the lock file, for the names in a table.
pub fn version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.rsplit_once(&entry).unwrap();
    rest.split_once('"').unwrap().0
}
