use axum::routing::get;
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
    let pause = Duration::from_secs(1);
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
async fn a_client_that_takes_nothing_leaves_in_time() {
    let mut alone = talk(2 * STALLED).await;
    let begun = Instant::now();
    drop(alone.crowd.place().await);
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert!(takes(&mut alone.client, Duration::ZERO).await < BYTES);

    let alone = talk(2 * STALLED).await;
    let begun = Instant::now();
    let place = Arc::clone(&alone.crowd.free).acquire_owned();
    drop(place.await);
    assert_eq!(begun.elapsed().as_secs(), 10);
}
