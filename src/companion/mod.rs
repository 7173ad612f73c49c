//! What an application is handed beside the layer.

pub(crate) mod explain;
#[cfg(feature = "axum")]
pub(crate) mod extract;
pub(crate) mod forward_auth;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod require_recent;
