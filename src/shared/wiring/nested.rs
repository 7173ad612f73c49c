//! A layer inside another one: both judge each request.

use super::super::Shared;
use crate::{request::head::RequestHead, session::passed};

/// Warns once if a request that is not handed on has come through another layer.
pub(super) fn look(shared: &Shared, head: &RequestHead<'_>) {
    if !shared.wiring.nested.is_said() && passed::another_layer(head.extensions()).is_some() {
        warn(shared);
    }
}

/// Warns once.
pub(super) fn warn(shared: &Shared) {
    if !shared.wiring.nested.take() {
        return;
    }
    tracing::warn!(
        target: "tower_magic_link",
        public_url = shared.gate.public_url.origin(),
        mount = shared.gate.mount,
        "a request came through one MagicLinkLayer into another: a person has to pass both, and \
         with other keys or another mount each may refuse or remove the other's session. Remove \
         one of the two .layer(…), or give each a router of its own, side by side. If the inner \
         one only narrows who may pass, with the same keys, nothing is wrong"
    );
}
