use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Bytes, HttpBody},
    routing::get,
};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::Instant,
};

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const BYTES: usize = 30_000;

/// A connection that holds a kilobyte on its way, and what may end it.
struct Talk {
    client: DuplexStream,
    crowd: Arc<Crowd>,
    stop: watch::Sender<bool>,
}

/// Begins to talk over the one place that there is.
async fn talk(limit: Duration) -> Talk {
    let (client, server) = tokio::io::duplex(1_024);
    let (stop, stopped) = watch::channel(false);
    let crowd = Arc::new(Crowd::of(1));
    let slot = Slot {
        _permit: Arc::new(crowd.place().await.unwrap()),
        stop: stopped.clone(),
    };
    let visit = Visit {
        peer: SocketAddr::from(([127, 0, 0, 1], 9)),
        app: Router::new().route("/", get(async || vec![b'a'; BYTES])),
        slot,
        limit,
        tls: None,
    };
    let ours = crowd.clone();
    tokio::spawn(async move { visit.converse(server, &ours, stopped).await });
    let mut talk = Talk {
        client,
        crowd,
        stop,
    };
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    talk.client.write_all(request).await.unwrap();
    talk
}

/// Takes a kilobyte each time that so much time has passed. Returns how long the body was.
async fn takes(client: &mut DuplexStream, pause: Duration) -> usize {
    let (mut heard, mut piece) = (Vec::new(), [0; 1_024]);
    loop {
        sleep(pause).await;
        let read = client.read(&mut piece).await.unwrap_or_default();
        heard.extend_from_slice(&piece[..read]);
        let head = heard.windows(4).position(|four| four == b"\r\n\r\n");
        let body = head.map_or(0, |head| heard.len() - head - 4);
        if read == 0 || body == BYTES {
            return body;
        }
    }
}

/// Pins: hyper drops a body with its last frame. What it had not written by then was lost with the
/// connection, and was up to 700 KB of a download.
#[tokio::test(start_paused = true)]
async fn an_answer_is_whole_although_its_client_is_slow_and_the_connection_is_to_end() {
    let pause = Duration::from_secs(20);
    let mut waited_for = talk(HOUR).await;
    let crowd = waited_for.crowd.clone();
    let waits = tokio::spawn(async move { crowd.place().await.is_some() });
    assert_eq!(takes(&mut waited_for.client, pause).await, BYTES);
    assert!(waits.await.unwrap());

    let mut stopped = talk(HOUR).await;
    sleep(pause).await;
    stopped.stop.send_replace(true);
    assert_eq!(takes(&mut stopped.client, pause).await, BYTES);

    let mut idle = talk(2 * STALLED).await;
    assert_eq!(takes(&mut idle.client, pause).await, BYTES);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_takes_nothing_is_left_after_ten_minutes() {
    let mut alone = talk(2 * STALLED).await;
    let begun = Instant::now();
    drop(alone.crowd.place().await);
    assert_eq!(begun.elapsed().as_secs(), 600);
    assert!(takes(&mut alone.client, Duration::ZERO).await < BYTES);
}

/// Pins: each further request began the time anew in which a client may take nothing.
#[tokio::test(start_paused = true)]
async fn a_further_request_is_no_sign_that_a_client_takes_something() {
    let activity = Activity::new();
    let (client, server) = tokio::io::duplex(1_024);
    let mut server = activity.watch(server);
    let ask = async || {
        let mut body = activity.begin().answer(Body::from("page"));
        assert!(body.frame().await.unwrap().is_ok());
    };
    for number in 1..=5 {
        ask().await;
        assert_eq!(*activity.phase().borrow(), Phase::Taking);
        sleep(Duration::from_secs(4)).await;
        assert_eq!(activity.moved().elapsed().as_secs(), 4 * number);
    }
    // It takes them after all, and is as good as new.
    server.write_all(&[b'a'; 20]).await.unwrap();
    assert_eq!(*activity.phase().borrow(), Phase::Idle);
    ask().await;
    assert_eq!(activity.moved().elapsed().as_secs(), 0);
    // An answer that is called off leaves nothing behind.
    server.write_all(&[b'a'; 4]).await.unwrap();
    let mut body = activity.begin().answer(Body::new(Pieces(2)));
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(*activity.phase().borrow(), Phase::Taking);
    drop(body);
    assert_eq!(*activity.phase().borrow(), Phase::Idle);
    drop(client);
}

/// Pins: an answer that was called off gave back what had been written long ago, so that the rest
/// of another one was forgotten; and time at work was left out twice, once the client had moved on.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_called_off_says_nothing_of_another_one() {
    let activity = Activity::new();
    let mut server = activity.watch(tokio::io::sink());
    let mut long = activity.begin().answer(Body::new(Pieces(9)));
    for _ in 0..4 {
        assert!(long.frame().await.unwrap().is_ok());
        server.write_all(&[b'a'; 5]).await.unwrap();
    }
    let mut page = activity.begin().answer(Body::from([b'a'; 15].to_vec()));
    assert!(page.frame().await.unwrap().is_ok());
    drop(long);
    assert_eq!(*activity.phase().borrow(), Phase::Taking);
    let turn = activity.begin();
    sleep(HOUR).await;
    let _long = activity.begin().answer(Body::new(Pieces(9)));
    server.write_all(&[b'a'; 5_000]).await.unwrap();
    sleep(HOUR).await;
    drop(turn);
    assert_eq!(*activity.phase().borrow(), Phase::Taking);
    sleep(STALLED).await;
    assert_eq!(activity.moved().elapsed(), STALLED);
}

/// A body in so many pieces.
struct Pieces(u8);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0 -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))))
    }

    fn is_end_stream(&self) -> bool {
        self.0 == 0
    }
}
