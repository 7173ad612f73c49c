//! A sign-in service that a proxy asks whether a request may pass: nginx, Caddy, Traefik, HAProxy
//! or Envoy, by the configurations in `examples/proxies`.
//!
//! `PUBLIC_URL=https://app.example.com WORKOS_API_KEY=… WORKOS_CLIENT_ID=… cargo run --example
//! forward_auth` listens on port 3000, where the configurations look for it. `PUBLIC_URL` is the
//! browser's address of the proxy. Without WorkOS's two variables an emulator prints the links, and
//! only an address of this machine is taken, such as `http://localhost:8080`. `TRUSTED_PROXIES` are
//! the proxy's own addresses or networks, with commas between: default 127.0.0.1. `ASK=nginx`
//! speaks to nginx. `PORT` and the rest work as in `quickstart`.

#![expect(clippy::print_stdout, reason = "the link is read in the terminal")]

use std::{env, error::Error, net::SocketAddr};

use axum::Router;
use http::StatusCode;
use tokio::net::TcpListener;
use tower_magic_link::{Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey, workos::WorkOs};

/// The proxy that asks.
#[derive(Clone, Copy)]
pub(crate) enum Proxy {
    Nginx,
    /// Any other.
    Other,
}

/// The layer's endpoints under `/auth/`, the question at `/ask`, and at `/refuse` the refusals that
/// nginx sends on. The proxy lets a client reach the endpoints alone.
pub(crate) fn app(builder: Builder, proxy: Proxy) -> Result<Router, ConfigError> {
    let layer = builder.build()?;
    let endpoints = Router::new()
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(layer.clone());
    let question = match proxy {
        Proxy::Nginx => layer.forward_auth().for_nginx(),
        Proxy::Other => layer.forward_auth(),
    };
    Ok(Router::new()
        .route_service("/ask", question)
        .route_service("/refuse", layer.forward_auth().for_nginx().refusing())
        .fallback_service(endpoints))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let own = format!("http://{}", listener.local_addr()?);
    let public_url = env::var("PUBLIC_URL").unwrap_or_else(|_| own.clone());
    let trusted = env::var("TRUSTED_PROXIES").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let proxy = match env::var("ASK").as_deref() {
        Ok("nginx") => Proxy::Nginx,
        _ => Proxy::Other,
    };
    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without WorkOS's two variables it is emulated, for addresses of this machine alone.
    let workos = WorkOs::from_env_or_emulator().await?;
    let builder = MagicLinkLayer::builder(workos, keys)
        .public_url(&public_url)
        .trusted_proxies(
            trusted
                .split(',')
                .map(str::trim)
                .filter(|it| !it.is_empty()),
        );
    let app = app(builder, proxy)?.into_make_service_with_connect_info::<SocketAddr>();
    println!("listening on {own}");
    Ok(axum::serve(listener, app).await?)
}
