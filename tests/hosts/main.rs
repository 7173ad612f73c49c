//! One layer in every host: an axum router, a tonic server, a hyper service over HTTP/1.1 and
//! HTTP/2; and the contract of the service that it makes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod ahead;
mod answer;
mod audiences;
mod bearer;
mod browser;
mod caching;
mod composition;
mod contract;
mod end_sessions;
mod frames;
mod granted;
mod greeter;
mod grpc;
mod host;
mod issued_from;
mod issuer;
mod jar;
mod ledger;
#[path = "../support/names.rs"]
mod names;
mod narrowed;
mod panics;
mod passing;
mod raw;
mod readiness;
mod reauthorized;
mod renewal;
mod require_recent;
mod revocation;
mod roles;
mod routers;
mod script;
mod sessions;
mod site;
mod skews;
mod slow;
mod strangers;
mod streams;
mod types;
mod unanswered;
mod walk;
