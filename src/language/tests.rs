//! The tables that come with the crate, and those of an application.

mod choosing;
pub(crate) mod pseudo;
mod refused;
mod tables;
