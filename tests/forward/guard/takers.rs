//! Clients that take nothing of an answer, and clients that ask for much.

use std::time::Duration;

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    connections::asks,
    setting::{Guarded, SOON, Version, hear},
};
use crate::{
    guard_program::{Door, Limits, Proxy, serve},
    upstream,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The beginning of HTTP/2 by a client that takes no byte of any answer (a window of 0), and a
/// request for a page of the layer's.
const TAKES_NOTHING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\
    \x00\x00\x12\x01\x05\x00\x00\x00\x01\x82\x86\x41\x01a\x44\x0b/auth/login";

async fn takes_nothing(guard: &Guarded) -> TcpStream {
    let mut stream = TcpStream::connect(guard.authority()).await.unwrap();
    stream.write_all(TAKES_NOTHING).await.unwrap();
    // What the server says of itself, and the head of its answer.
    let mut heard = Vec::new();
    while !heard.windows(4).any(|four| four == b"\x01\x04\x00\x00") {
        let read = timeout(SOON, stream.read_buf(&mut heard)).await;
        assert!(read.unwrap().unwrap() > 0, "{heard:?}");
    }
    stream
}

/// Pins: an answer that a client does not take counted as a request under way, for ever.
#[tokio::test]
async fn who_takes_nothing_of_an_answer_holds_a_place_no_longer_than_who_says_nothing() {
    let proxy = || Proxy::to("http://127.0.0.1:9".parse().unwrap());
    let guard = Guarded::with(
        proxy(),
        Limits {
            connections: 100,
            idle: Duration::from_millis(200),
        },
    )
    .await;
    let mut stream = takes_nothing(&guard).await;
    hear(&mut stream).await;
}

/// In a crowd it makes room.
#[tokio::test]
async fn who_takes_nothing_of_an_answer_keeps_nobody_out() {
    let limits = Limits {
        connections: 2,
        idle: HOUR,
    };
    let proxy = Proxy::to(upstream::serve().await.parse().unwrap());
    let guard = Guarded::with(proxy, limits).await;
    let _crowd = [takes_nothing(&guard).await, takes_nothing(&guard).await];
    asks(&guard.origin, &guard.cookie).await;
}

/// A service with a page, and with one that never comes. It counts who asks for that.
async fn service() -> (String, watch::Receiver<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (asked, count) = watch::channel(0);
    let never = async move || {
        asked.send_modify(|asked| *asked += 1);
        std::future::pending::<String>().await
    };
    let app = Router::new()
        .route("/page", get(async || "small"))
        .route("/never", get(never));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (origin, count)
}

/// Pins: two connections of HTTP/2 with 200 requests each took all descriptors of a small guard.
#[tokio::test]
async fn requests_to_the_service_leave_descriptors_for_the_rest() {
    let (service, mut asked) = service().await;
    let proxy = Proxy::to(service.parse().unwrap()).at_most(2);
    let guard = Guarded::with(proxy, Limits::default()).await;
    let client = Version::Http2.client();
    let ask = |path: &str| {
        let request = client.get(format!("{}{path}", guard.origin));
        request.header("cookie", &guard.cookie).send()
    };
    let slow = [ask("/never"), ask("/never")].map(tokio::spawn);
    let both = timeout(SOON, asked.wait_for(|asked| *asked == 2)).await;
    drop(both.unwrap().unwrap());
    for (path, want) in [("/page", 503), ("/auth/login", 200)] {
        let told = timeout(SOON, ask(path)).await.unwrap().unwrap();
        assert_eq!(told.status(), want, "{path}");
    }
    slow.iter().for_each(tokio::task::JoinHandle::abort);
    let free = async {
        while ask("/page").await.unwrap().status() != 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, free).await.unwrap();
}

/// Pins: all answers of such a service shared a window of 5 MB, which three clients used up.
#[tokio::test(flavor = "multi_thread")]
async fn downloads_that_nobody_takes_hold_up_no_other_answer_of_a_service_of_http2() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("h2c://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/about", get(async || vec![b'a'; 20_000_000]))
        .route("/page", get(async || vec![b'a'; 1_000_000]));
    tokio::spawn(serve(listener, app, Limits::default(), Door::default()));
    let guard = Guarded::with(Proxy::to(origin.parse().unwrap()), Limits::default()).await;
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(guard.authority()).await.unwrap();
        let request = b"GET /about HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stalled.push(stream);
    }
    // Until the sockets take no more.
    sleep(Duration::from_secs(2)).await;
    let request = Version::Http1
        .client()
        .get(format!("{}/page", guard.origin));
    let page = async {
        let page = request.header("cookie", &guard.cookie).send().await;
        page.unwrap().bytes().await.unwrap().len()
    };
    assert_eq!(timeout(SOON, page).await.unwrap(), 1_000_000);
}
