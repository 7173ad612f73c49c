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
//! One idea a file: `config` (the settings), `host` (which host a request names), `forwarded` (what
//! a proxy says of a client), `hop` (what belongs to one connection), `upload` (a client's body),
//! `proxy` (one exchange), `tunnel` (what outlives a response's head), `serve` (the connections),
//! `admin` (what operators ask), `stop` (how it ends).

#![expect(clippy::print_stdout, reason = "the link is read in the terminal")]

mod admin;
mod config;
mod forwarded;
mod hop;
mod host;
mod proxy;
mod serve;
mod stop;
mod tunnel;
mod upload;

use std::{error::Error, process::ExitCode, time::Duration};

use axum::{Router, middleware};
use tokio::{net::TcpListener, time::timeout};
use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey,
    emulator::{Emulator, EmulatorServer},
    provider::MailedLinks,
    settings::Settings,
    workos::WorkOs,
};

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
    if config.order == Order::PrintConfig {
        print!("{}", config.settings);
        return Ok(ExitCode::SUCCESS);
    }
    let listener = TcpListener::bind(&config.listen).await?;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let origin = format!("{scheme}://{}", listener.local_addr()?);
    let (builder, _emulator) = builder(&config.settings, &origin).await?;
    let layer = guarding(builder)?;
    let store = config.settings.revocations()?;
    if config.order == Order::Check {
        if let Some(store) = &store {
            // If it is not loaded by then, the report says so.
            let _ = timeout(LOAD, store.first_load()).await;
        }
        let report = layer.check().await;
        println!("{report}");
        return Ok(if report.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let stop = stop::signal()?;
    if let Some(address) = &config.admin {
        let listener = TcpListener::bind(address).await?;
        eprintln!("operators ask at http://{}", listener.local_addr()?);
        let admin = admin::app(store, stop.clone());
        tokio::spawn(async move { axum::serve(listener, admin).await });
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

/// Makes the layer's builder. What production needs and is not set is made up for development.
async fn builder(
    settings: &Settings,
    origin: &str,
) -> Result<(Builder, Option<EmulatorServer>), Box<dyn Error>> {
    let keys = match settings.keys() {
        Err(error) if error.key() == Some("MAGIC_LINK_KEY") => {
            KeyRing::new(SigningKey::generate()?)
        }
        keys => keys?,
    };
    let begun = |builder: Builder| builder.public_url(origin);
    if settings.text("provider") == Some("mailed-links") {
        let builder = begun(MagicLinkLayer::builder(MailedLinks::new(), keys));
        return Ok((settings.apply(builder)?, None));
    }
    let (workos, emulator) = match settings.workos() {
        Err(error) if error.key() == Some("workos_api_key") => {
            let (workos, emulator) = emulated().await?;
            (workos, Some(emulator))
        }
        workos => (workos?, None),
    };
    let builder = begun(MagicLinkLayer::builder(workos, keys));
    Ok((settings.apply(builder)?, emulator))
}

/// Starts an emulator in this process, which prints what it mails. It stops when it is dropped.
async fn emulated() -> Result<(WorkOs, EmulatorServer), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .on_mail(|mail| {
            let link = mail.link().unwrap_or_default();
            println!("sign-in link for {}: {link}", mail.address());
        })
        .build();
    let server = emulator.serve(0).await?;
    let workos = WorkOs::new("sk_emulator", "client_emulator")?.base_url(server.base_url())?;
    Ok((workos, server))
}
