//! A WebSocket that closes when its person signs out, or when the session expires.
//!
//! `cargo run --example websocket` runs it with a WorkOS in the same process: type any address, and
//! open the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. `PORT` chooses the port: default 3000, 0 picks a free one.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{env, error::Error, net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{HeaderMap, StatusCode, header::ORIGIN},
    response::{Html, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, SessionGuard, SigningKey, emulator::Emulator,
    workos::WorkOs,
};

const PAGE: &str = "<!doctype html><html lang=en><title>Echo</title>\
    <form id=form><input id=text autofocus><button>Send</button></form><ol id=log></ol>\
    <form method=post action=/auth/logout target=_blank><button>Sign out in another tab</button></form>\
    <script>
    const log = text => document.getElementById('log').append(Object.assign(document.createElement('li'), { textContent: text }));
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/echo');
    socket.onmessage = event => log(event.data);
    socket.onclose = event => log('closed: ' + event.reason);
    form.onsubmit = event => { event.preventDefault(); socket.send(text.value); text.value = ''; };
    </script></html>";

pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .end_streams()
        .build()?;
    Ok(Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/echo", get(echo))
        .with_state(Arc::from(public_url))
        .layer(layer))
}

/// Opens the socket for the application's own pages.
///
/// A handshake is a GET, so no layer against CSRF refuses it, and no CORS holds for it. A page of a
/// sibling host has the cookie sent along, `SameSite=Lax` or not (RFC 6455, section 10.2).
async fn echo(
    upgrade: WebSocketUpgrade,
    State(public_url): State<Arc<str>>,
    headers: HeaderMap,
    Extension(guard): Extension<SessionGuard>,
) -> Result<Response, StatusCode> {
    let mut origins = headers.get_all(ORIGIN).iter();
    // Browsers always send it. A program without it has no cookie but its own.
    if origins.any(|origin| origin.as_bytes() != public_url.as_bytes()) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(upgrade.on_upgrade(|socket| serve(socket, guard)))
}

/// Echoes until the session ends, and then sends the reason.
async fn serve(mut socket: WebSocket, mut guard: SessionGuard) {
    loop {
        let message = tokio::select! {
            () = &mut guard => break,
            message = socket.recv() => message,
        };
        let Some(Ok(message)) = message else { return };
        if socket.send(message).await.is_err() {
            return;
        }
    }
    let close = CloseFrame {
        code: close_code::POLICY,
        reason: "session ended".into(),
    };
    // The other side may be gone already.
    let _ = socket.send(Message::Close(Some(close))).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let keys = KeyRing::new(SigningKey::generate()?);
    // The emulator stops when its server is dropped, so the server must outlive the application.
    let (workos, _emulator) = if env::var_os("WORKOS_API_KEY").is_some_and(|key| !key.is_empty()) {
        (WorkOs::from_env()?, None)
    } else {
        let emulator = Emulator::builder().on_mail(|mail| {
            println!(
                "sign-in link for {}: {}",
                mail.address(),
                mail.link().unwrap_or_default()
            )
        });
        let server = emulator.build().serve(0).await?;
        let workos = WorkOs::new("sk_emulator", "client_emulator")?.base_url(server.base_url())?;
        (workos, Some(server))
    };
    println!("listening on {public_url}");
    let app = app(workos, keys, &public_url)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
