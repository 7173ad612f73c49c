//! An account page that lists a person's devices, and signs out one of them or all others.
//!
//! `cargo run --example devices` runs it with a WorkOS in the same process: sign in from two
//! browsers, by the links that are printed here. `PORT` chooses the port: default 3000, 0 picks a
//! free one. With several replicas, `RedisSessions` and `RedisRevocations` take the place of what
//! is kept in memory here.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, net::SocketAddr};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{Html, Redirect},
    routing::{get, post},
};
use tokio::net::TcpListener;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey,
    emulator::Emulator,
    mailer::ConsoleMailer,
    revocation::Target,
    sessions::{ListedSession, MemorySessions},
    store::StoreError,
    workos::WorkOs,
};

pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .session_index(MemorySessions::default())
        .mailer(ConsoleMailer::new())
        .build()?;
    Ok(Router::new()
        .route("/", get(devices))
        .route("/sign-out", post(sign_out))
        .with_state(layer.clone())
        .layer(layer))
}

async fn devices(
    State(layer): State<MagicLinkLayer>,
    session: Session,
) -> Result<Html<String>, StatusCode> {
    let listed = layer.sessions_of(session.subject()).await.map_err(away)?;
    let rows = listed.iter().map(|device| row(device, &session));
    Ok(Html(format!(
        "<!doctype html><html lang=en><title>Your devices</title><h1>Your devices</h1>\
         <ul>{}</ul><form method=post action=/sign-out><button name=which value=others>\
         Sign out all others</button></form>",
        rows.collect::<String>()
    )))
}

fn row(device: &ListedSession, session: &Session) -> String {
    let agent = escape(device.user_agent().unwrap_or("unknown device"));
    let network = device.network().unwrap_or("unknown network");
    let id = device.id();
    let button = if id == session.id() {
        "(this device)".to_owned()
    } else {
        format!(
            "<form method=post action=/sign-out><button name=which value={id}>Sign out</button></form>"
        )
    };
    format!("<li>{agent}, {network} {button}</li>")
}

/// A user agent is whatever a client sends.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

#[derive(serde::Deserialize)]
struct Chosen {
    which: String,
}

async fn sign_out(
    State(layer): State<MagicLinkLayer>,
    session: Session,
    Form(chosen): Form<Chosen>,
) -> Result<Redirect, StatusCode> {
    // Only what is in this person's own list: the form may name anybody's session.
    let mut outcome = Ok(());
    for device in layer.sessions_of(session.subject()).await.map_err(away)? {
        let is_other = device.id() != session.id();
        let is_chosen = chosen.which == "others" || chosen.which == device.id().to_string();
        if is_other && is_chosen {
            // One that fails spares the others nothing.
            let ended = layer.end_sessions(Target::Session(device.id())).await;
            outcome = outcome.and(ended);
        }
    }
    outcome.map_err(away)?;
    Ok(Redirect::to("/"))
}

fn away(_: StoreError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let server = Emulator::builder().build().serve(0).await?;
    let workos = WorkOs::new("sk_emulator", "client_emulator")?.base_url(server.base_url())?;
    println!("listening on {public_url}");
    let app = app(workos, KeyRing::new(SigningKey::generate()?), &public_url)?;
    // Serve with connect info: the list shows each device's network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
