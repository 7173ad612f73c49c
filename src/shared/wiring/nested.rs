//! A layer inside another one: both judge each request.
//!
//! - Every request of such a layer comes through the other one. So the first few that are refused,
//!   or lead to an endpoint, show it; a later one pays nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{super::Shared, said::Once};
use crate::{request::head::RequestHead, session::passed};

/// How many requests are looked at.
const LOOKS: u32 = 16;

/// What has been looked at, and whether it was said.
#[derive(Debug, Default)]
pub(super) struct Nested {
    is_said: Once,
    looks: AtomicU32,
}

/// Warns once if a request that is not handed on has come through another layer.
pub(super) fn look(shared: &Shared, head: &RequestHead<'_>) {
    let looks = &shared.wiring.nested.looks;
    if looks.load(Ordering::Relaxed) >= LOOKS {
        return;
    }
    looks.fetch_add(1, Ordering::Relaxed);
    if passed::another_layer(head.extensions()).is_some() {
        warn(shared);
    }
}

/// Warns once.
pub(super) fn warn(shared: &Shared) {
    if !shared.wiring.nested.is_said.take() {
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
