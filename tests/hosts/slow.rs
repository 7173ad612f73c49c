//! A form that does not arrive: the layer waits for it, but not for ever.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Version};
use http_body::{Body, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};
use tower::Layer;
use tower_magic_link::testing::ManualClock;

use crate::{
    answer::Answer,
    host::{Host, Kind},
    site::{application, builder},
};

/// A form of which one byte comes each time, if it comes at all.
struct Drip {
    left: &'static [u8],
    every: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Drip {
    fn new(left: &'static [u8], every: Duration) -> Self {
        let pause = Box::pin(sleep(every));
        Self { left, every, pause }
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::ready!(self.pause.as_mut().poll(cx));
        let every = self.every;
        self.pause.as_mut().reset(Instant::now() + every);
        let Some((byte, left)) = self.left.split_first() else {
            return Poll::Ready(None);
        };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&[*byte])))))
    }
}

async fn post(body: Drip, version: Version) -> Answer {
    // So that only the form's own time is measured.
    let layer = builder(&ManualClock::new()).answer_after(Duration::ZERO);
    let layer = layer.build().unwrap();
    let request = Request::post("/auth/login")
        .version(version)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(body)
        .unwrap();
    Answer::of(layer.layer(application()), request).await
}

#[tokio::test(start_paused = true)]
async fn a_form_that_takes_longer_than_ten_seconds_is_a_408_and_closes_the_connection() {
    let form = b"email=a%40b.example";
    let (h1, h2) = (Version::HTTP_11, Version::HTTP_2);
    let cases = [
        ("in time", 400, h1, 303, "", 8),
        ("dripping", 1_000, h1, 408, "close", 10),
        ("dripping, HTTP/2", 1_000, h2, 408, "", 10),
        (
            "dripping, HTTP/1.0",
            1_000,
            Version::HTTP_10,
            408,
            "close",
            10,
        ),
        ("nothing comes", 3_600_000, h1, 408, "close", 10),
    ];
    for (name, every, version, status, connection, seconds) in cases {
        let begun = Instant::now();
        let answer = post(Drip::new(form, Duration::from_millis(every)), version).await;
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.header("connection"), connection, "{name}");
        assert_eq!(begun.elapsed().as_secs(), seconds, "{name}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        if status == 408 {
            assert_eq!(answer.code(), "too_slow", "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn over_a_socket_the_connection_ends_with_the_408() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    for host in Host::all(&layer).await {
        if !matches!(host.kind, Kind::Axum | Kind::Hyper1) {
            continue;
        }
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        let part = "POST /auth/login HTTP/1.1\r\nhost: app.example.com\r\ncontent-length: 100\r\n\
                    content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n\r\nemail=";
        stream.write_all(part.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.lines().next().unwrap();
        assert_eq!(status, "HTTP/1.1 408 Request Timeout", "{:?}", host.kind);
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}
