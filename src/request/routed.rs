//! What axum leaves in a request's extensions. Without the feature there is nothing to find.

#![cfg_attr(
    not(feature = "axum"),
    expect(unused_variables, reason = "nothing is looked up")
)]

use std::net::SocketAddr;

use http::{Extensions, Uri};

/// Returns the URI as it was before a router took a prefix off.
pub(super) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = extensions.get() {
        return Some(uri);
    }
    None
}

/// Returns the address at the other end of the connection.
pub(super) fn connect_info(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = extensions.get() {
        return Some(*peer);
    }
    None
}
