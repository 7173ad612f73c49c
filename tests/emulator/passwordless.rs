//! Sessions, their mail and their link.

mod links;
mod sessions;
