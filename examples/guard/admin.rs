//! What operators ask, at an address of its own: nobody signs in there, and no stranger should
//! reach it.
//!
//! - `/healthz` is 200 for as long as the program runs.
//! - `/readyz` is 503 until the ended sessions are loaded, while sessions cannot be vouched for,
//!   and from the moment when the program is to end.

use axum::{Router, http::StatusCode, routing::get};
use tokio::sync::watch;
use tower_magic_link::revocation::RedisRevocations;

/// Answers for the program.
pub(super) fn app(store: Option<RedisRevocations>, stop: watch::Receiver<bool>) -> Router {
    let ready = move || {
        let is_stopping = *stop.borrow();
        let status = store.as_ref().map(RedisRevocations::status);
        async move {
            match status {
                _ if is_stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
                Some(status) if !status.is_ready() => {
                    (StatusCode::SERVICE_UNAVAILABLE, format!("{status}\n"))
                }
                Some(status) => (StatusCode::OK, format!("{status}\n")),
                None => (StatusCode::OK, "ready\n".to_owned()),
            }
        }
    };
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(ready))
}
