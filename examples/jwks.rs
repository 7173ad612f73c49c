//! An application that publishes its keys, so that a sibling verifies sessions without any secret.
//!
//! `cargo run --example jwks` runs it with a WorkOS in the same process: type any address, and open
//! the link that is printed here. The keys are at `/.well-known/jwks.json`. `MAGIC_LINK_KEY` takes
//! an Ed25519 or P-256 key in PEM; without it the example generates one. `PORT` chooses the port:
//! default 3000, 0 picks a free one.
//!
//! `tests/jwks.py` is a sibling in Python. Every sibling must check what it checks: see
//! `tower_magic_link::companion::Jwks`.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, net::SocketAddr};

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey, emulator::Emulator, workos::WorkOs,
};

const JWKS: &str = "/.well-known/jwks.json";

/// The application. Its keys are at a public path, because a sibling has no session.
pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .public_path(JWKS)
        .build()?;
    Ok(Router::new()
        .route("/", get(home))
        .route_service(JWKS, layer.jwks())
        .layer(layer))
}

async fn home(session: Session) -> String {
    format!("hello {}\n", session.email())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate_ed25519()?),
        keys => keys?,
    };
    let emulator = Emulator::builder()
        .on_mail(|mail| {
            let link = mail.link().unwrap_or_default();
            println!("sign-in link for {}: {link}", mail.address());
        })
        .build();
    // The emulator stops when its server is dropped, so the server must outlive the application.
    let server = emulator.serve(0).await?;
    let workos = WorkOs::new("sk_emulator", "client_emulator")?.base_url(server.base_url())?;

    println!("listening on {public_url}");
    let app = app(workos, keys, &public_url)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
