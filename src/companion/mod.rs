//! What an application uses beside the layer, such as the issuer, JWKS and forward auth.

mod check;
mod end_sessions;
mod explain;
#[cfg(feature = "axum")]
mod extract;
mod forward_auth;
mod issuer;
mod jwks;
mod require_recent;
mod sessions;

#[cfg(feature = "axum")]
pub use self::extract::MissingSession;
pub use self::{
    explain::{Explanation, Ground, Outcome},
    forward_auth::{ForwardAuth, ForwardAuthFuture},
    issuer::SessionIssuer,
    jwks::Jwks,
    require_recent::{RecentFuture, RecentOnly, RequireRecent},
};
pub use crate::session::{IssueError, Issued, SessionToken};
