//! Every page and mail of the layer in every state, language, look, colour scheme and width.
//!
//! `cargo run --example gallery` serves them on `127.0.0.1:$PORT`: default 3300, 0 picks a free
//! port. An address has four parts, as `/de/acme/dark/login` has:
//!
//! - The language is one that comes with the crate, or `en-XA`: English, accented and longer.
//! - The look is `plain`, `named` (an application's name) or `acme` (its colour, logo and support
//!   address, too).
//! - The colour scheme is `light`, `dark`, or `auto`, which leaves it to the browser.
//! - The last part names a page, or a mail as HTML or text. `/frames` after it shows three widths.
//!
//! Forms and links of a page lead to the page that would follow. Nothing is sent, and nobody signs
//! in. One idea a file: `choice` (an address, and what is shown there), `states` (the pages),
//! `mails`, `index` (the way around).
//!
//! `/pages` shows the three of the picture in the README. A test in
//! `tests/chromium/axe.rs` takes it, as `target/pages.png`. Copy that to
//! `examples/gallery/pages.png`.

#![expect(clippy::print_stdout, reason = "the terminal says where it listens")]

mod choice;
mod index;
mod mails;
mod states;

use std::{env, error::Error, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CONTENT_LANGUAGE, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use tokio::net::TcpListener;
use tower_magic_link::ConfigError;

use self::choice::Gallery;

/// A language, a look and a colour scheme.
type Chosen = (String, String, String);

fn app() -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/", get(home))
        .route("/pages", get(picture))
        .route("/{language}/{look}/{scheme}", get(contents))
        .route("/{language}/{look}/{scheme}/{name}", any(one))
        .route("/{language}/{look}/{scheme}/{name}/frames", get(frames))
        .with_state(Arc::new(Gallery::new()?)))
}

async fn home(gallery: State<Arc<Gallery>>) -> Response {
    let chosen = ["en", "plain", "auto"].map(str::to_owned);
    contents(gallery, Path(chosen.into())).await
}

async fn picture() -> Html<String> {
    Html(index::picture())
}

async fn contents(State(gallery): State<Arc<Gallery>>, Path(chosen): Path<Chosen>) -> Response {
    match gallery.choice(&chosen) {
        Some(choice) => Html(index::contents(&gallery, choice)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn frames(
    State(gallery): State<Arc<Gallery>>,
    Path((language, look, scheme, name)): Path<(String, String, String, String)>,
) -> Response {
    let choice = gallery.choice(&(language, look, scheme));
    let framed = choice.and_then(|choice| index::frames(&gallery, choice, &name));
    framed.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |html| Html(html).into_response(),
    )
}

/// A page or mail, also as the answer to a form.
async fn one(
    State(gallery): State<Arc<Gallery>>,
    Path((language, look, scheme, name)): Path<(String, String, String, String)>,
) -> Response {
    let Some(choice) = gallery.choice(&(language, look, scheme)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some((kind, shown)) = choice.shown(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let language = choice.words.tag().to_owned();
    (
        [
            (CONTENT_TYPE, kind.to_owned()),
            (CONTENT_LANGUAGE, language),
        ],
        shown,
    )
        .into_response()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3300), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app()?).await?;
    Ok(())
}
