//! A reverse proxy that puts email sign-in in front of any HTTP service, whatever it is written in.
//!
//! `UPSTREAM=http://127.0.0.1:8080 cargo run --example guard` asks for a sign-in on every path, and
//! names the person to the service in `X-Auth-Email` and related headers. The service must listen
//! where only the proxy can reach it.
//!
//! | variable | |
//! | --- | --- |
//! | `UPSTREAM` | the service's origin; with `h2c:` for `http:` if it speaks HTTP/2, as gRPC does |
//! | `PORT` | the port on `127.0.0.1`: default 3000, 0 picks a free one |
//! | `PUBLIC_URL` | what people type: default `http://127.0.0.1:PORT` |
//! | `TRUSTED_PROXIES` | what stands in front, such as a proxy that ends TLS: addresses and networks, with commas |
//! | `UPSTREAM_TIMEOUT` | seconds until an answer must begin: default 60 |
//! | `WORKOS_API_KEY` and the rest | as in `quickstart` |
//!
//! One idea a file: `host` (which host a request names), `forwarded` (what a proxy says of a
//! client), `hop` (what belongs to one connection), `upload` (a client's body), `proxy` (one
//! exchange), `tunnel` (what outlives a response's head), `serve` (the connections).

#![expect(clippy::print_stdout, reason = "the link is read in the terminal")]

mod forwarded;
mod hop;
mod host;
mod proxy;
mod serve;
mod tunnel;
mod upload;

use std::{env, error::Error, time::Duration};

use axum::{Router, middleware};
use http::Uri;
use tokio::net::TcpListener;
use tower_magic_link::{Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey, workos::WorkOs};

pub(crate) use self::{
    forwarded::Trusted,
    proxy::Proxy,
    serve::{Limits, serve},
};

/// The proxy. It protects every path, and names the signed-in person to the service.
pub(crate) fn app(builder: Builder, proxy: Proxy) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .fallback(move |request| proxy.clone().pass(request))
        .layer(builder.forward_identity().end_streams().build()?)
        .layer(middleware::from_fn(host::check)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream: Uri = env::var("UPSTREAM")
        .map_err(|_| "UPSTREAM is not set")?
        .parse()?;
    let authority = upstream
        .authority()
        .map_or("@", |authority| authority.as_str());
    let is_origin = upstream.path() == "/" && upstream.query().is_none();
    let is_known = matches!(upstream.scheme_str(), Some("http" | "h2c"));
    if !is_known || !is_origin || authority.contains('@') {
        return Err("UPSTREAM must be an origin, such as http://127.0.0.1:8080".into());
    }
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let public_url = env::var("PUBLIC_URL").unwrap_or_else(|_| origin.clone());
    let patience = env::var("UPSTREAM_TIMEOUT").map_or(Ok(60), |seconds| seconds.parse())?;
    let trusted = env::var("TRUSTED_PROXIES").unwrap_or_default();
    let trusted: Vec<_> = trusted
        .split(',')
        .map(str::trim)
        .filter(|proxy| !proxy.is_empty())
        .collect();
    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without an API key, an emulator in this process prints what it mails. It stops when it is
    // dropped.
    let emulator = tower_magic_link::emulator::Emulator::builder()
        .on_mail(|mail| {
            let link = mail.link().unwrap_or_default();
            println!("sign-in link for {}: {link}", mail.address());
        })
        .build();
    let emulator = emulator.serve(0).await?;
    let workos = if env::var_os("WORKOS_API_KEY").is_some_and(|key| !key.is_empty()) {
        WorkOs::from_env()?
    } else {
        WorkOs::new("sk_emulator", "client_emulator")?.base_url(emulator.base_url())?
    };
    let builder = MagicLinkLayer::builder(workos, keys)
        .public_url(&public_url)
        .trusted_proxies(&trusted);
    let proxy = Proxy::to(upstream)
        .trusting(Trusted::parse(trusted)?)
        .patient_for(Duration::from_secs(patience));
    let app = app(builder, proxy)?;
    println!("listening on {origin}");
    match serve(listener, app, Limits::default()).await {}
}
