//! The keys of a layer that is in use: changed under load, followed in a file, handed out to
//! siblings.

#![expect(clippy::unwrap_used, reason = "tests")]

mod file;
mod jwks;
mod load;
mod log;
#[path = "../support/names.rs"]
mod names;
mod site;
