//! The layer's addresses: public URL, endpoints below the mount, ways back, path rules.

pub(crate) mod endpoint;
mod methods;
pub(crate) mod public_url;
pub(crate) mod return_to;
pub(crate) mod rules;
