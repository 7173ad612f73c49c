//! The layer's addresses: the public URL, the endpoints below the mount, the ways back, and the
//! path rules.

pub(crate) mod endpoint;
pub(crate) mod public_url;
pub(crate) mod return_to;
pub(crate) mod rules;
