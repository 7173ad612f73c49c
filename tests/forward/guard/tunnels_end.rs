//! A tunnel ends when one of its ends has closed.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::setting::{Guarded, ask, hear, status};
use crate::guard_program::{Limits, Proxy};

const WISH: &[u8] =
    b"GET /about HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A service that opens a WebSocket, says a word and closes. Any other answer of it is a 204.
async fn hasty() -> String {
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", service.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = service.accept().await.unwrap();
            let mut head = [0; 4_096];
            let length = stream.read(&mut head).await.unwrap_or_default();
            let asked = String::from_utf8_lossy(&head[..length]).to_lowercase();
            let answer = match asked.contains("upgrade: websocket") {
                true => {
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                         Upgrade: websocket\r\n\r\nlast words"
                }
                false => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    origin
}

/// Pins: after the service had closed, a client that said nothing kept a connection's place and one
/// with the service for ever, without a session on a public path.
#[tokio::test]
async fn a_silent_client_does_not_keep_the_places_of_a_tunnel_that_the_service_has_closed() {
    let proxy = Proxy::to(hasty().await.parse().unwrap()).at_most(1);
    let limits = Limits {
        connections: 1,
        idle: Duration::from_secs(3_600),
    };
    let guard = Guarded::with(proxy, limits).await;
    let mut silent = TcpStream::connect(guard.authority()).await.unwrap();
    silent.write_all(WISH).await.unwrap();
    let heard = hear(&mut silent).await;
    assert!(heard.starts_with("HTTP/1.1 101 "), "{heard}");
    assert!(heard.ends_with("\r\n\r\nlast words"), "{heard}");
    // It waits for the only place among the connections, and then needs the one with the service.
    let next = b"GET /about HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = ask(guard.authority(), next).await;
    assert_eq!(status(&answer), 204, "{answer}");
    drop(silent);
}
