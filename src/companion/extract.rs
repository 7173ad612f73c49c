//! `Session` as an axum extractor.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, StatusCode, request::Parts};

use crate::session::{
    Session,
    passed::{self, NoLayer},
};

/// The response if a handler asks for a [`Session`] that the request cannot have.
///
/// It is a 500, because the mistake is the application's, not the request's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub enum MissingSession {
    /// The route is not behind the layer.
    #[error(
        "no session: the route is not behind tower_magic_link::MagicLinkLayer: call .layer(…) after this .route(…)"
    )]
    NoLayer,
    /// The path is public or optional, the caller is not signed in, and the handler does not take
    /// an `Option<Session>`.
    #[error(
        "no session: its path is public or optional to tower_magic_link::MagicLinkLayer, so take an Option<Session>"
    )]
    PublicPath,
}

impl IntoResponse for MissingSession {
    fn into_response(self) -> Response {
        tracing::error!(target: "tower_magic_link", "{self}");
        // 500 and not 401: the route is wired wrongly, and no sign-in helps.
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = MissingSession;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingSession> {
        find(&parts.extensions)?.ok_or(MissingSession::PublicPath)
    }
}

/// Returns the session, if there is one, on a public or optional path.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = MissingSession;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, MissingSession> {
        find(&parts.extensions)
    }
}

fn find(extensions: &Extensions) -> Result<Option<Session>, MissingSession> {
    match passed::session(extensions) {
        Ok(session) => Ok(session.cloned()),
        Err(NoLayer) => Err(MissingSession::NoLayer),
    }
}
