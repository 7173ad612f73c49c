//! An axum application behind email sign-in.
//!
//! `cargo run --example quickstart` runs it with a WorkOS in the same process: type any address,
//! and open the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. It prints the link even then, and sends no mail. `PORT` chooses the port: default 3000,
//! 0 picks a free one.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, io, net::SocketAddr};

use axum::{Router, response::Html, routing::get};
use tokio::net::TcpListener;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey, mailer::ConsoleMailer,
    workos::WorkOs,
};

/// The application: a public page, and one that only a signed-in person sees.
pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .public_path("/about")
        .mailer(ConsoleMailer::new())
        .build()?;
    Ok(Router::new()
        .route("/", get(home))
        .route("/about", get(about))
        .layer(layer))
}

async fn home(session: Session) -> Html<String> {
    let email = session.email().replace('&', "&amp;");
    page(&format!(
        "<h1>Hello {email}</h1>\
         <form method=post action=/auth/logout><button>Sign out</button></form>"
    ))
}

async fn about(session: Option<Session>) -> Html<String> {
    let state = session.map_or("not signed in", |_| "signed in");
    page(&format!(
        "<h1>About</h1><p>You are {state}.</p><a href=/>Home</a>"
    ))
}

fn page(body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><title>Quickstart</title>{body}</html>"
    ))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What the layer says of itself goes to the standard error.
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    let workos = WorkOs::from_env_or_emulator().await?;

    println!("listening on {public_url}");
    let app = app(workos, keys, &public_url)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
