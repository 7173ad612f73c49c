//! Why Redis does not answer: it is away, or it refuses this application's user.

use std::error::Error;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::{StoreError, StoreErrorKind};

/// Says whether the server answered that it does not let this user in, or not do this.
pub(super) fn is_denied(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        _ => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
    }
}

/// Logs why Redis is away, for a store. A refused user is another line: nothing mends it but
/// another configuration.
pub(crate) fn log_away(store: &str, lost: &StoreError) {
    let reason = lost.source().map(ToString::to_string);
    let kind = lost.kind();
    if kind == StoreErrorKind::Denied {
        tracing::error!(target: "tower_magic_link", store, %kind, reason, "redis refuses this user: check the password and the permissions");
    } else {
        tracing::warn!(target: "tower_magic_link", store, %kind, reason, "redis is away");
    }
}
