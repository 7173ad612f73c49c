//! A reverse proxy that puts email sign-in in front of any HTTP service, whatever it is written in.
//!
//! `cargo run --example guard -- --upstream http://127.0.0.1:8080` asks for a sign-in on every
//! path, and names the person to the service in `X-Auth-Email` and related headers. The service
//! must listen where only the proxy can reach it.
//!
//! Its settings are flags, variables or a file in TOML (`--config`). `--print-config` prints all of
//! them, `--check` tests what they lead to. The guide `guard` has a file, a systemd unit and a
//! Dockerfile. Without WorkOS's API key an emulator prints the links and codes, and without a
//! signing key sessions end with the program: both are for development.
//!
//! One idea a file: `config` (the settings), `bounds` (the ranges of its numbers), `secrets` (what
//! stands in for one), `certificate` (the guard's own), `host` (which host a request names),
//! `forwarded` (what a proxy says of a client), `elements` (how it says so in `Forwarded`), `hop`
//! (what belongs to one connection), `upload` (a client's body), `proxy` (one exchange), `tunnel`
//! (what outlives a response's head), `relay` (a tunnel's bytes), `serve` (the connections),
//! `self_test` (what would fail), `log` (what is written), `admin` (what operators ask), `reload`
//! (what is read again), `stop` (how it ends), `supervisor` (what systemd learns).

#![expect(
    clippy::print_stdout,
    reason = "the program's answers are read in the terminal"
)]

mod activity;
mod admin;
mod bounds;
mod certificate;
mod config;
mod elements;
mod forwarded;
mod hop;
mod host;
mod log;
mod proxy;
mod relay;
mod reload;
mod secrets;
mod self_test;
mod serve;
mod stop;
mod supervisor;
mod tunnel;
mod upload;

use std::{error::Error, process::ExitCode, time::Duration};

use axum::{Router, middleware};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    time::{sleep, timeout},
};
use tower_magic_link::{Builder, ConfigError, MagicLinkLayer, revocation::RedisRevocations};

use self::{
    certificate::Certificate,
    config::{Config, Order},
    self_test::SelfTest,
};
pub(crate) use self::{
    forwarded::Trusted,
    proxy::Proxy,
    serve::{Door, Limits, serve},
};

/// How long the end waits for revocations that Redis does not have yet: one more attempt.
const LAST_TRY: Duration = Duration::from_secs(3);

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

fn main() -> ExitCode {
    let ended = Runtime::new().map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run());
        // A resolver or a file system that hangs does not hold up the end.
        runtime.shutdown_background();
        ended
    });
    match ended {
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
    let scheme = match config.certificate {
        Some(_) => "https",
        None => "http",
    };
    match config.order {
        Order::PrintConfig => {
            let origin = format!("{scheme}://{}", config.listen);
            let built = guarding(secrets::rehearsal(&config.settings, &origin)?);
            let _ = built.map_err(|error| config.settings.locate(&error))?;
            print!("{}", config.settings);
            Ok(ExitCode::SUCCESS)
        }
        Order::Check => check(config, scheme).await,
        Order::Serve => start(config, scheme).await,
    }
}

/// Prints the self-test. It takes no port: the guard that this one may replace still has it.
async fn check(config: Config, scheme: &str) -> Result<ExitCode, Box<dyn Error>> {
    let keys = secrets::keys(&config.settings)?;
    let origin = format!("{scheme}://{}", config.listen);
    let layer = guarding(secrets::builder(&config.settings, keys, &origin).await?);
    let layer = layer.map_err(|error| config.settings.locate(&error))?;
    let found = SelfTest {
        layer,
        store: config.settings.revocations()?,
        settings: config.settings,
        upstream: Some(config.upstream),
    };
    let found = found.run().await;
    println!("{}", found.print());
    Ok(match found.is_ok() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn start(config: Config, scheme: &str) -> Result<ExitCode, Box<dyn Error>> {
    log::begin(config.log);
    // From here on no signal ends the program by itself.
    let asked = reload::Asked::listen()?;
    let stop = stop::signal()?;
    let listener = bind("listen", &config.listen).await?;
    let address = listener.local_addr()?;
    // The port alone is found out here. All else is as the checks have it.
    let host = config.listen.rsplit_once(':').map(|(host, _)| host);
    let host = host.unwrap_or(&config.listen);
    let origin = format!("{scheme}://{host}:{}", address.port());
    let keys = secrets::keys(&config.settings)?;
    let builder = secrets::builder(&config.settings, keys.clone(), &origin).await?;
    let layer = guarding(builder).map_err(|error| config.settings.locate(&error))?;
    let store = config.settings.revocations()?;
    if let Some(address) = &config.admin {
        let listener = bind("admin_listen", address).await?;
        let address = listener.local_addr()?;
        tracing::info!(target: "guard", "operators ask at http://{address}");
        let admin = admin::app(store.clone(), stop.clone());
        // It answers until the process ends: `/readyz` says that it is stopping.
        tokio::spawn(serve(listener, admin, admin::LIMITS, Door::default()));
    }
    let tls = config.certificate.as_ref().map(Certificate::current);
    let files = reload::Files::of(&config.settings, &keys, config.certificate);
    tokio::spawn(asked.answer(files));
    let proxy = Proxy::to(config.upstream)
        .trusting(config.trusted)
        .known_as(config.public)
        .patient_for(config.patience)
        .at_most(config.limits.requests());
    let test = SelfTest {
        layer: layer.clone(),
        settings: config.settings,
        store: store.clone(),
        upstream: None,
    };
    // Beside the requests: those of signed-in people need not wait for a provider that is away.
    tokio::spawn(async { test.run().await.log() });
    println!("listening on {scheme}://{address}");
    supervisor::ready();
    let door = Door {
        tls,
        stop,
        grace: config.grace,
    };
    serve(listener, app(layer, proxy), config.limits, door).await;
    if let Some(store) = store {
        sent(&store).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until Redis has all revocations, and logs how many it does not get. The runtime ends
/// without waiting for them.
async fn sent(store: &RedisRevocations) {
    let all = async {
        while store.status().unsent() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(LAST_TRY, all).await.is_err() {
        let unsent = store.status().unsent();
        tracing::error!(
            target: "guard",
            "{unsent} revocations were not stored in redis: end those sessions again"
        );
    }
}

async fn bind(key: &str, address: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| {
        let address = config::shown(address);
        format!("{key} {address} cannot be listened at: {error}")
    })
}
