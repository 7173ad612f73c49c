//! An axum application with pages for people and an API for programs, behind one layer.
//!
//! `cargo run --example axum` runs it with a WorkOS in the same process: type any address, and open
//! the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses WorkOS.
//! `PORT` chooses the port: default 3000, 0 picks a free one.
//!
//! Without a session, `/` redirects a browser to the form, and `curl -i` of `/api/me` gets a 401
//! that names the form.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, net::SocketAddr};

use axum::{Router, http::header, response::IntoResponse, routing::get};
use tokio::net::TcpListener;
use tower_magic_link::{ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey, workos::WorkOs};

/// The application. The layer is added last, so it covers every route, nested routers and the
/// fallback.
pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .public_path("/healthz")
        .build()?;
    let api = Router::new().route("/me", get(me));
    Ok(Router::new()
        .route("/", get(home))
        .route("/healthz", get(|| async { "ok" }))
        .nest("/api", api)
        .fallback(|| async { "no such page\n" })
        .layer(layer))
}

/// Only signed-in people reach this handler.
async fn home(session: Session) -> String {
    format!("hello {}\n", session.email())
}

async fn me(session: Session) -> impl IntoResponse {
    let me =
        serde_json::json!({ "email": session.email(), "until": session.expires_at().as_secs() });
    ([(header::CONTENT_TYPE, "application/json")], me.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without WorkOS's two variables it is emulated, for addresses of this machine alone.
    let workos = WorkOs::from_env_or_emulator().await?;

    println!("listening on {public_url}");
    let app = app(workos, keys, &public_url)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
