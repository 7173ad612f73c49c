//! What operators ask, at an address of its own: nobody signs in there, and no stranger should
//! reach it.
//!
//! - `/healthz` is 200 for as long as the program runs.
//! - `/readyz` is 503 until the ended sessions are loaded, while sessions cannot be vouched for,
//!   and from the moment when the program is to end. Its body has a line with `ready`, `not ready`
//!   or `stopping`, and one for the store.
//! - Neither asks another server, so a probe may come each second. A change is logged once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use tokio::sync::watch;
use tower_magic_link::revocation::{RedisRevocations, Status};

use super::Limits;

/// Enough for every probe, and few enough to leave the guard its descriptors.
pub(super) const LIMITS: Limits = Limits {
    connections: 64,
    idle: Duration::from_secs(10),
};

/// What readiness depends on. The others are no parts of it: keys that are there once stay, nobody
/// who is signed in needs the provider or the mailer, and another guard would not reach the service
/// either.
struct Readiness {
    store: Option<RedisRevocations>,
    stop: watch::Receiver<bool>,
    was_ready: AtomicBool,
}

/// Answers for the program.
pub(super) fn app(store: Option<RedisRevocations>, stop: watch::Receiver<bool>) -> Router {
    let readiness = std::sync::Arc::new(Readiness {
        store,
        stop,
        was_ready: AtomicBool::new(true),
    });
    let ready = move || {
        let answer = readiness.now();
        async move { answer }
    };
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(ready))
}

impl Readiness {
    fn now(&self) -> (StatusCode, String) {
        let status = self.store.as_ref().map(RedisRevocations::status);
        let is_ready = status.as_ref().is_none_or(Status::is_ready);
        self.log(is_ready, status.as_ref());
        // The answer has the phase alone: the last error may have Redis's own words.
        let store = status.map(|status| format!("revocation store: {}\n", status.phase()));
        let store = store.unwrap_or_default();
        let (code, word) = match is_ready {
            _ if *self.stop.borrow() => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            true => (StatusCode::OK, "ready"),
        };
        (code, format!("{word}\n{store}"))
    }

    /// Logs a change, and not each probe.
    fn log(&self, is_ready: bool, store: Option<&Status>) {
        if self.was_ready.swap(is_ready, Ordering::Relaxed) == is_ready {
            return;
        }
        match store {
            Some(store) if !is_ready => {
                tracing::warn!(target: "guard", "not ready: revocation store: {store}");
            }
            _ => tracing::info!(target: "guard", "ready again"),
        }
    }
}
