//! What operators ask, at an address of its own: nobody signs in there, and no stranger should
//! reach it.
//!
//! - `/healthz` is 200 for as long as the program runs.
//! - `/readyz` is 503 until the ended sessions are loaded, while sessions cannot be vouched for,
//!   and from the moment when the program is to end.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use tokio::sync::watch;
use tower_magic_link::revocation::RedisRevocations;

use super::Limits;

/// Enough for every probe, and few enough to leave the guard its descriptors.
pub(super) const LIMITS: Limits = Limits {
    connections: 64,
    idle: Duration::from_secs(10),
};

/// Answers for the program.
pub(super) fn app(store: Option<RedisRevocations>, stop: watch::Receiver<bool>) -> Router {
    let ready = move || {
        let is_stopping = *stop.borrow();
        let status = store.as_ref().map(RedisRevocations::status);
        async move {
            match status {
                _ if is_stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
                // The answer has the phase alone: the last error may have Redis's own words.
                Some(status) if !status.is_ready() => {
                    eprintln!("not ready: {status}");
                    let phase = format!("{}\n", status.phase());
                    (StatusCode::SERVICE_UNAVAILABLE, phase)
                }
                Some(status) => (StatusCode::OK, format!("{}\n", status.phase())),
                None => (StatusCode::OK, "ready\n".to_owned()),
            }
        }
    };
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(ready))
}
