//! Where links come from, and our own mailed link.

mod copied;
mod late;
mod mail;
mod many;
mod origin;
mod ours;
mod provider;
