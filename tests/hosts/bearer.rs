//! Session tokens as bearer tokens: for callers that keep no cookies, over every protocol, and only
//! where they are switched on.

use std::time::Duration;

use http::{Request, header};
use http_body_util::Full;
use tower::Layer;
use tower_magic_link::{Builder, MagicLinkLayer, Session};

use crate::{
    answer::Answer,
    site::{SESSION, application, cookie_of},
};

mod admission;
mod reach;
mod refusals;
mod shell;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A layer that takes bearer tokens. Its sessions end after an idle hour.
fn on(builder: Builder) -> MagicLinkLayer {
    let builder = builder.idle_timeout(HOUR).public_path("/about");
    builder.bearer_tokens().build().unwrap()
}

/// Returns the token of a session that begins now.
fn token_of(layer: &MagicLinkLayer) -> (String, Session) {
    let (cookie, session) = cookie_of(layer);
    let token = cookie.split_once('=').unwrap().1.to_owned();
    (token, session)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn cookie(token: &str) -> String {
    format!("{SESSION}={token}")
}

/// Gives a request an `Authorization` field.
fn with_field<B>(mut request: Request<B>, field: &str) -> Request<B> {
    let field = field.parse().unwrap();
    request.headers_mut().append(header::AUTHORIZATION, field);
    request
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<bytes::Bytes>>) -> Answer {
    Answer::of(layer.layer(application()), request).await
}
