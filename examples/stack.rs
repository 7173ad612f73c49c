//! tower-http's layers beside this one, in the order that works: a log, CORS, sign-in, CSRF.
//!
//! `cargo run --example stack` runs it with a WorkOS in the same process, and logs to stderr: no
//! line of the log has the link that is printed here, or a code. `PORT` chooses the port: default
//! 3000, 0 picks a free one.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, io, net::SocketAddr};

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderValue, Method,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    routing::{get, post},
};
use tokio::net::TcpListener;
use tower_http::{cors::CorsLayer, csrf::CsrfLayer, trace::TraceLayer};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SigningKey, emulator::Emulator, workos::WorkOs,
};

/// A sibling host whose scripts may call this application with the person's session.
const SIBLING: &str = "https://www.example.com";

/// The application. Of an axum router's layers, the one that was added last gets a request first.
pub(crate) fn app(layer: MagicLinkLayer) -> Result<Router, Box<dyn Error>> {
    // Behind sign-in: refuses what another origin posts, a sibling host's form too. It logs whole
    // addresses at the level trace, and here it sees none of the layer's.
    let csrf = CsrfLayer::new().add_trusted_origin(SIBLING)?;
    // In front of sign-in: a preflight has no cookies, and a script reads only what has these
    // fields, refusals too.
    let cors = CorsLayer::new()
        .allow_origin(SIBLING.parse::<HeaderValue>()?)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE])
        .allow_credentials(true)
        .expose_headers([WWW_AUTHENTICATE]);
    // Its usual span has the whole address, and some queries of the layer hold a link or a code.
    let log = TraceLayer::new_for_http().make_span_with(|request: &Request| {
        tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
    });
    Ok(Router::new()
        .route(
            "/",
            get(async |session: Session| session.email().to_owned()),
        )
        .route("/note", post(async || "kept"))
        .layer(csrf)
        .layer(layer)
        .layer(cors)
        .layer(log))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let log = tracing_subscriber::fmt().with_ansi(false);
    let log = log.with_writer(io::stderr);
    log.with_max_level(tracing::Level::TRACE).init();
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let emulator = Emulator::builder().on_mail(|mail| {
        let link = mail.link().unwrap_or_default();
        println!("sign-in link for {}: {link}", mail.address());
    });
    // The emulator stops when its server is dropped, so the server must outlive the application.
    let emulator = emulator.build().serve(0).await?;
    let workos = WorkOs::new("sk_emulator", "client_emulator")?.base_url(emulator.base_url())?;
    let keys = KeyRing::new(SigningKey::generate()?);
    let layer = MagicLinkLayer::builder(workos, keys).public_url(&public_url);
    println!("listening on {public_url}");
    let app = app(layer.build()?)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
