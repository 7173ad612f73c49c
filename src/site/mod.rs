//! Our addresses: where browsers reach us, our own paths below the mount, ways back, and which
//! paths are open.

pub(crate) mod endpoint;
pub(crate) mod public_url;
pub(crate) mod return_to;
pub(crate) mod rules;
