//! The tables that come with the crate, and those of an application.

mod choosing;
mod tables;
