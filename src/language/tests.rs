//! The tables that come with the crate, and those of an application.

mod choosing;
mod marks;
pub(crate) mod pseudo;
mod refused;
mod tables;
