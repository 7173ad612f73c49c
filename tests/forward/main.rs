//! What is not Rust: identity headers for the service behind, the guard in front of one, and the
//! proxies that ask.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod asked;
mod configured;
mod echo;
mod exchange;
#[path = "../../examples/forward_auth.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod forward_auth_example;
mod front;
mod guard;
#[path = "../../examples/guard/main.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod guard_program;
mod heads;
mod identity;
#[path = "../support/names.rs"]
mod names;
mod person;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/program.rs"]
mod program;
mod proxies;
mod question;
mod refusing;
mod service;
mod site;
mod suite;
mod targets;
mod tunnels;
mod upstream;

/// The guard in front of an origin, with its defaults.
mod guard_example {
    use axum::Router;
    use http::Uri;
    use tower_magic_link::{Builder, ConfigError};

    use crate::guard_program::{self, Proxy, guarding};

    pub(crate) fn app(builder: Builder, upstream: Uri) -> Result<Router, ConfigError> {
        Ok(guard_program::app(guarding(builder)?, Proxy::to(upstream)))
    }
}
