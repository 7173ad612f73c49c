//! Guides to topics that span several items.

#[doc = include_str!("failures.md")]
pub mod failures {}

#[doc = include_str!("mail_scanners.md")]
pub mod mail_scanners {}

#[doc = include_str!("promises.md")]
pub mod promises {}

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
#[doc = include_str!("running_more_than_one.md")]
pub mod running_more_than_one {}
