//! A WebSocket that closes when its person signs out, or when the session expires.
//!
//! `cargo run --example websocket` runs it with a WorkOS in the same process: type any address, and
//! open the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. `PORT` chooses the port: default 3000, 0 picks a free one.

#![expect(clippy::print_stdout, reason = "the link is read there")]

use std::{env, error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode, header::ORIGIN};
use axum::response::{Html, Response};
use axum::{Extension, Router, extract::State, routing::get};
use tokio::{net::TcpListener, time::timeout};
use tower_magic_link::workos::WorkOs;
use tower_magic_link::{Builder, KeyRing, MagicLinkLayer, SessionGuard, SigningKey};
use url::Url;

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

/// How long a client may take to read why its socket ends. One that reads nothing is cut off.
const LAST_WORD: Duration = Duration::from_secs(2);

pub(crate) fn app(builder: Builder, public_url: &str) -> Result<Router, Box<dyn Error>> {
    let layer = builder.public_url(public_url).end_streams().build()?;
    // As browsers write it: in small letters, without a default port or a slash at the end.
    let origin = Url::parse(public_url)?.origin().ascii_serialization();
    Ok(Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/echo", get(echo))
        .with_state(Arc::<str>::from(origin))
        .layer(layer))
}

/// Opens the socket for the application's own pages.
///
/// A handshake is a GET, so no layer against CSRF refuses it, and no CORS holds for it. A page of a
/// sibling host has the cookie sent along, `SameSite=Lax` or not (RFC 6455, section 10.2).
async fn echo(
    upgrade: WebSocketUpgrade,
    State(own): State<Arc<str>>,
    headers: HeaderMap,
    Extension(guard): Extension<SessionGuard>,
) -> Result<Response, StatusCode> {
    let mut origins = headers.get_all(ORIGIN).iter();
    // Browsers always send it. A program without it has no cookie but its own.
    if origins.any(|origin| origin.as_bytes() != own.as_bytes()) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(upgrade.on_upgrade(|socket| serve(socket, guard)))
}

/// Echoes until the session ends, and then sends the reason.
async fn serve(mut socket: WebSocket, mut guard: SessionGuard) {
    loop {
        // The guard first: after the end no message is answered. And beside an answer that waits:
        // a client that reads nothing would keep its socket.
        tokio::select! {
            biased;
            () = &mut guard => break,
            answered = answer(&mut socket) => if answered.is_none() { return },
        }
    }
    let (code, reason) = (close_code::POLICY, "session ended".into());
    let close = Message::Close(Some(CloseFrame { code, reason }));
    // The other side may be gone already.
    let _ = timeout(LAST_WORD, socket.send(close)).await;
}

/// Answers the next message. `None`: the other side has gone.
async fn answer(socket: &mut WebSocket) -> Option<()> {
    let message = socket.recv().await?.ok()?;
    socket.send(message).await.ok()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    // Without WorkOS's two variables it is emulated, for addresses of this machine alone.
    let workos = WorkOs::from_env_or_emulator().await?;
    let builder = MagicLinkLayer::builder(workos, KeyRing::new(SigningKey::generate()?));
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app(builder, &public_url)?.into_make_service_with_connect_info::<SocketAddr>();
    println!("listening on {public_url}");
    Ok(axum::serve(listener, app).await?)
}
