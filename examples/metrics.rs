//! Metrics for Prometheus, on a port of their own, and a Grafana board of them: `board.json`
//! beside this file.
//!
//! `cargo run --example metrics` runs it with a WorkOS in the same process, or with WorkOS if
//! `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` are set: sign in by the link that is printed here.
//! `PORT` chooses the port of the application: default 3000, 0 picks a free one. `METRICS_PORT`
//! chooses the port of the page: default 9464, 0 picks a free one.
//!
//! The page asks nobody to sign in, and says how many people do and when the provider is away.
//! Serve it on an address that only Prometheus reaches, such as this loopback one.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, net::SocketAddr, time::Duration};

use axum::{Router, http::header::CONTENT_TYPE, response::Html, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, time::interval};
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey, mailer::ConsoleMailer,
    workos::WorkOs,
};

/// The upper bounds of the histogram of calls, in seconds. Without them the exporter makes
/// quantiles, which cannot be added up over replicas.
const BOUNDS: [f64; 9] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Installs the recorder. Do this before the layer is built, since its counters begin there.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let calls = Matcher::Full("tower_magic_link_call_duration_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(calls, &BOUNDS)?
        .install_recorder()
}

/// The application: one page, which says who is signed in.
pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .mailer(ConsoleMailer::new())
        .build()?;
    Ok(Router::new().route("/", get(home)).layer(layer))
}

async fn home(session: Session) -> Html<String> {
    let email = session.email().replace('&', "&amp;");
    Html(format!(
        "<!doctype html><html lang=en><title>Metrics</title><h1>Hello {email}</h1>\
         <form method=post action=/auth/logout><button>Sign out</button></form>"
    ))
}

/// The page that Prometheus scrapes. The layer is not in front of it.
pub(crate) fn page(metrics: PrometheusHandle) -> Router {
    let show = async move || {
        let format = "text/plain; version=0.0.4; charset=utf-8";
        ([(CONTENT_TYPE, format)], metrics.render())
    };
    Router::new().route("/metrics", get(show))
}

/// Sums up histograms now and then, which otherwise grow until the page is next scraped.
async fn keep(metrics: PrometheusHandle) {
    let mut often = interval(Duration::from_secs(5));
    loop {
        often.tick().await;
        metrics.run_upkeep();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = |name, default| env::var(name).map_or(Ok(default), |port| port.parse::<u16>());
    let listener = TcpListener::bind(("127.0.0.1", port("PORT", 3000)?)).await?;
    let scraped = TcpListener::bind(("127.0.0.1", port("METRICS_PORT", 9464)?)).await?;
    let metrics = install()?;
    tokio::spawn(keep(metrics.clone()));
    let public_url = format!("http://{}", listener.local_addr()?);
    let workos = WorkOs::from_env_or_emulator().await?;
    let app = app(workos, KeyRing::new(SigningKey::generate()?), &public_url)?;
    println!("listening on {public_url}");
    println!("metrics on http://{}/metrics", scraped.local_addr()?);
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::try_join!(async { axum::serve(scraped, page(metrics)).await }, async {
        axum::serve(listener, app).await
    },)?;
    Ok(())
}
