//! A reverse proxy that puts email sign-in in front of any HTTP service, whatever it is written in.
//!
//! `cargo run --example guard -- --upstream http://127.0.0.1:8080` asks for a sign-in on every
//! path, and names the person to the service in `X-Auth-Email` and related headers. The service
//! must listen where only the proxy can reach it.
//!
//! Its settings are flags, variables or a file in TOML (`--config`). `--print-config` prints all of
//! them, `--check` tests what they lead to. The guide `guard` has a file, a systemd unit and a
//! Dockerfile. Without WorkOS's API key an emulator prints the links, and without a signing key
//! sessions end with the program: both are for development.
//!
//! One idea a file: `config` (the settings), `secrets` (what stands in for one), `host` (which
//! host a request names), `forwarded` (what a proxy says of a client), `hop` (what belongs to one
//! connection), `upload` (a client's body), `proxy` (one exchange), `tunnel` (what outlives a
//! response's head), `serve` (the connections), `admin` (what operators ask), `stop` (how it
//! ends).

#![expect(
    clippy::print_stdout,
    reason = "the program's answers are read in the terminal"
)]

mod admin;
mod config;
mod forwarded;
mod hop;
mod host;
mod proxy;
mod secrets;
mod serve;
mod stop;
mod tunnel;
mod upload;

use std::{error::Error, process::ExitCode, time::Duration};

use axum::{Router, middleware};
use tokio::{net::TcpListener, time::timeout};
use tower_magic_link::{Builder, ConfigError, MagicLinkLayer};

use self::config::{Config, Order};
pub(crate) use self::{
    forwarded::Trusted,
    proxy::Proxy,
    serve::{Door, Limits, serve},
};

/// How long the self-test waits for the ended sessions.
const LOAD: Duration = Duration::from_secs(10);

/// The layer. It protects every path, and names the signed-in person to the service.
pub(crate) fn guarding(builder: Builder) -> Result<MagicLinkLayer, ConfigError> {
    builder.forward_identity().end_streams().build()
}

/// The proxy behind the layer.
pub(crate) fn app(layer: MagicLinkLayer, proxy: Proxy) -> Router {
    Router::new()
        .fallback(move |request| proxy.clone().pass(request))
        .layer(layer)
        .layer(middleware::from_fn(host::check))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let Some(config) = Config::read()? else {
        return Ok(ExitCode::SUCCESS);
    };
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    if config.order == Order::PrintConfig {
        let origin = format!("{scheme}://{}", config.listen);
        let _ = guarding(secrets::rehearsal(&config.settings, &origin)?)?;
        print!("{}", config.settings);
        return Ok(ExitCode::SUCCESS);
    }
    // The check takes no port: the guard that it may replace still has it.
    let (listener, address) = match config.order {
        Order::Serve => {
            let listener = bind("listen", &config.listen).await?;
            let address = listener.local_addr()?.to_string();
            (Some(listener), address)
        }
        _ => (None, config.listen.clone()),
    };
    let origin = format!("{scheme}://{address}");
    let layer = guarding(secrets::builder(&config.settings, &origin).await?)?;
    let store = config.settings.revocations()?;
    let Some(listener) = listener else {
        if let Some(store) = &store {
            // If it is not loaded by then, the report says so.
            let _ = timeout(LOAD, store.first_load()).await;
        }
        let report = layer.check().await;
        println!("{}", secrets::worded(&config.settings, &report));
        return Ok(if report.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    };
    let stop = stop::signal()?;
    if let Some(address) = &config.admin {
        let listener = bind("admin_listen", address).await?;
        eprintln!("operators ask at http://{}", listener.local_addr()?);
        let admin = admin::app(store, stop.clone());
        // It answers until the process ends: `/readyz` says that it is stopping.
        tokio::spawn(serve(listener, admin, admin::LIMITS, Door::default()));
    }
    let proxy = Proxy::to(config.upstream)
        .trusting(config.trusted)
        .patient_for(config.patience);
    println!("listening on {origin}");
    let door = Door {
        tls: config.tls,
        stop,
        grace: config.grace,
    };
    serve(listener, app(layer, proxy), config.limits, door).await;
    Ok(ExitCode::SUCCESS)
}

async fn bind(key: &str, address: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("{key} {address:?} cannot be listened at: {error}"))
}
