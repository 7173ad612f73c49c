//! `Throttling`: the throttle as the layer uses it.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{ErasedThrottle, Limits};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    request::client::ForwardedField,
};

/// The throttle, and the limits that the layer applies with it.
pub(crate) struct Throttling {
    pub(crate) throttle: Box<dyn ErasedThrottle>,
    /// `None` switches rates off. Tries are counted all the same.
    pub(crate) limits: Option<Limits>,
    /// The header in which trusted proxies name the client.
    pub(crate) forwarded: ForwardedField,
    /// Whether an unknown client address has been logged.
    pub(crate) is_warned: AtomicBool,
    /// What to change, if what was seen is a proxy that is not named.
    pub(crate) hint: OnceLock<String>,
}

/// How long the throttle's self-test may take: as long as a decision.
const CHECK: Duration = Duration::from_secs(2);

impl Throttling {
    /// Checks whether the throttle can count.
    pub(crate) async fn check(&self, now: Timestamp) -> Vec<Line> {
        check::bounded("throttle", CHECK, self.throttle.check(now)).await
    }

    /// Logs, once, that per-network limits are off.
    pub(crate) fn warn_of_unknown_client(&self, public_url: &str) {
        // Once: behind a Unix socket no request has an address.
        if self.is_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            target: "tower_magic_link",
            public_url,
            "client address unknown: per-network limits are off. Serve axum by \
             into_make_service_with_connect_info::<SocketAddr>(), or leave a PeerAddr in the extensions of each request"
        );
    }

    /// Logs, once, that a proxy may be taken for the client. Each limit that is reached says so
    /// again.
    pub(crate) fn warn_of_unnamed_proxy(&self, public_url: &str, hint: String) {
        self.hint.get_or_init(|| {
            tracing::warn!(target: "tower_magic_link", public_url, "{hint}");
            hint
        });
    }
}

impl fmt::Debug for Throttling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttling")
            .field("limits", &self.limits)
            .field("forwarded", &self.forwarded)
            .finish_non_exhaustive()
    }
}
