//! Endpoints that no request reaches: everybody is redirected to the form, and none arrives.
//!
//! - Only browsers count. They follow redirects, and crawlers may not.
//! - A browser that opens many tabs at once is not yet at the form. So redirects within two seconds
//!   of the first count as one.
//! - With a domain for the session cookie, another host's layer may have the form.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::StatusCode;

use super::{
    super::Shared,
    said::{Once, cleaned},
};
use crate::{clock::Timestamp, request::head::RequestHead, site::endpoint::Endpoint};

/// After how many redirects the form should have been reached.
const REDIRECTS: u32 = 5;

/// How long redirects count as the first.
const PATIENCE: Duration = Duration::from_secs(2);

/// The redirects to the form, until any endpoint is reached.
#[derive(Debug, Default)]
pub(super) struct Unreached {
    is_settled: Once,
    redirects: AtomicU32,
    first: OnceLock<Timestamp>,
}

impl Unreached {
    /// Notes that an endpoint was reached.
    pub(super) fn settle(&self) {
        if !self.is_settled.is_said() {
            self.is_settled.take();
        }
    }

    /// Says whether a redirect counts as the first.
    fn is_of_first(&self, now: Timestamp) -> bool {
        let first = self.first.get();
        first.is_some_and(|first| now < *first + PATIENCE)
    }

    /// Counts a redirect, and returns whether it is the one to warn at.
    fn count(&self, now: Timestamp) -> bool {
        self.first.get_or_init(|| now);
        let before = self.redirects.fetch_add(1, Ordering::Relaxed);
        before.saturating_add(1) >= REDIRECTS && self.is_settled.take()
    }
}

/// Warns once if browsers are redirected to the form and none arrives.
pub(super) fn look(shared: &Shared, head: &RequestHead<'_>, status: StatusCode, now: Timestamp) {
    let (gate, unreached) = (&shared.gate, &shared.wiring.unreached);
    if unreached.is_settled.is_said() || status != StatusCode::SEE_OTHER {
        return;
    }
    let is_counted = !unreached.is_of_first(now) && head.said().is_of_browser();
    if !is_counted || gate.cookies.has_domain() || !unreached.count(now) {
        return;
    }
    let login = gate.path(Endpoint::Login);
    let mount = nested_mount(head, &gate.mount);
    let mount = mount.as_deref().unwrap_or("…");
    tracing::warn!(
        target: "tower_magic_link",
        public_url = gate.public_url.origin(),
        "browsers were redirected to {login} {REDIRECTS} times, and neither that path nor another \
         endpoint has reached the layer: nobody can sign in, unless another process answers there. \
         On an axum router, call .layer(…) instead of .route_layer(…), after every route, .merge(…) \
         and the fallback. Give a nested router a .fallback(…), or nest it by .nest_service(…). If a \
         prefix is taken off the path before the layer, set .mount(\"{mount}\") as browsers see it"
    );
}

/// Returns the mount below the prefix that a router has taken off the path, if it is not there.
fn nested_mount(head: &RequestHead<'_>, mount: &str) -> Option<String> {
    let prefix = head.original_uri().path().strip_suffix(head.path())?;
    let below = mount.strip_prefix(prefix);
    let is_there = below.is_some_and(|below| below.starts_with('/'));
    (!is_there).then(|| cleaned(prefix) + mount)
}
