//! An idle connection to the guarded service ends on the proxy's side first.
//!
//! gunicorn closes a connection that has been idle for 2 seconds; Node's server, uvicorn and
//! Hypercorn wait for 5. A request that a proxy sends on it at that moment is lost, and the client
//! gets a 502 or 503. Pinned: Envoy kept its connections for an hour, Caddy for two minutes,
//! Traefik for 90 seconds.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::{exchange::exchange, front::Front};

/// The shortest time for which a usual server keeps an idle connection.
const KEPT: Duration = Duration::from_secs(2);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers one request, and returns what the connection brings next.
async fn answered_once(mut stream: TcpStream) -> std::io::Result<usize> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await?, 0, "a request");
    }
    stream.write_all(ANSWER).await?;
    stream.read_buf(&mut head).await
}

/// Answers one request, and returns how long the proxy keeps the connection after that.
async fn idle(stream: TcpStream) -> Option<Duration> {
    let asked = Instant::now();
    let left = timeout(5 * KEPT, answered_once(stream)).await.ok()?;
    // One that ends with a reset has ended too.
    assert_eq!(left.unwrap_or(0), 0, "no second request");
    Some(asked.elapsed())
}

async fn leaves_first(front: Front) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let (left, mut has_left) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            left.send(idle(stream).await).unwrap();
        }
    });
    let running = front.before(&service).await;
    let mut idle: Vec<Option<Duration>> = Vec::new();
    // A busy machine may be late once, and not each time.
    while idle.len() < 3 && !idle.iter().flatten().any(|idle| *idle < KEPT) {
        let answer = exchange(running.authority(), "GET /about HTTP/1.1", "", "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        idle.push(has_left.recv().await.unwrap());
    }
    assert!(
        idle.iter().flatten().any(|idle| *idle < KEPT),
        "{front:?}: {idle:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::Guard).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn nginx_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn debians_caddy_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn the_newest_caddy_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn traefik_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::Traefik).await;
}

/// HAProxy keeps the connection, and sends nothing on it but what the same client asks next. If
/// that is lost, it closes the client's connection too: a browser then asks again by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn haproxy_says_nothing_of_an_idle_connection_that_the_service_closes() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    // Closes a connection when its second request comes.
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answered_once(stream));
        }
    });
    let running = Front::Haproxy.before(&service).await;
    let mut browser = TcpStream::connect(running.authority()).await.unwrap();
    let head = b"GET /about HTTP/1.1\r\nHost: app.example.com\r\n\r\n";
    let mut answer = Vec::new();
    browser.write_all(head).await.unwrap();
    while !answer.ends_with(b"ok") {
        assert_ne!(browser.read_buf(&mut answer).await.unwrap(), 0, "an answer");
    }
    answer.clear();
    browser.write_all(head).await.unwrap();
    // By a reset, or without.
    let _ = browser.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8_lossy(&answer), "");
    for _ in 0..2 {
        let answer = exchange(running.authority(), "GET /about HTTP/1.1", "", "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn envoy_leaves_an_idle_connection_before_the_service_does() {
    leaves_first(Front::Envoy).await;
}
