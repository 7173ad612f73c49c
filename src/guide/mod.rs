//! Guides: what does not belong to any one item.

#[doc = include_str!("mail_scanners.md")]
pub mod mail_scanners {}
