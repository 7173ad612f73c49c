use tokio::{
    io::{DuplexStream, duplex},
    task::JoinHandle,
    time::Instant,
};

use super::*;

/// A tunnel that has begun, and its ends.
struct Tunnel {
    client: DuplexStream,
    service: DuplexStream,
    over: JoinHandle<io::Result<()>>,
    begun: Instant,
}

impl Tunnel {
    /// Begins one whose ends hold a kilobyte each.
    fn begin() -> Self {
        let (client, ours) = duplex(1_024);
        let (service, theirs) = duplex(1_024);
        Self {
            client,
            service,
            over: tokio::spawn(relay(ours, theirs)),
            begun: Instant::now(),
        }
    }
}

/// Returns all that comes before the end.
async fn rest(end: &mut DuplexStream) -> String {
    let mut heard = String::new();
    end.read_to_string(&mut heard).await.unwrap();
    heard
}

/// Pins: a tunnel went on until both ends had closed, so that a silent one kept it for ever.
#[tokio::test(start_paused = true)]
async fn a_tunnel_is_over_soon_after_one_end_has_closed_and_the_other_is_silent() {
    for closes_first in ["client", "service"] {
        let Tunnel {
            client,
            service,
            over,
            begun,
        } = Tunnel::begin();
        let (mut closed, mut silent) = match closes_first {
            "client" => (client, service),
            _ => (service, client),
        };
        closed.write_all(b"last words").await.unwrap();
        drop(closed);
        assert_eq!(rest(&mut silent).await, "last words", "{closes_first}");
        let ended = over.await.unwrap();
        assert!(ended.is_err(), "{closes_first}");
        let took = begun.elapsed();
        assert!((CLOSING..2 * CLOSING).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_goes_on_sending_is_not_cut_off_by_the_others_close() {
    let mut tunnel = Tunnel::begin();
    tunnel.service.shutdown().await.unwrap();
    for _ in 0..6 {
        sleep(CLOSING / 2).await;
        tunnel.client.write_all(b"more").await.unwrap();
        let mut heard = [0; 4];
        tunnel.service.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, *b"more");
    }
    tunnel.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut tunnel.service).await, "");
    assert!(tunnel.over.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn two_silent_ends_keep_their_tunnel() {
    let mut tunnel = Tunnel::begin();
    sleep(2 * BLOCKED).await;
    tunnel.client.write_all(b"still here").await.unwrap();
    drop(tunnel.client);
    assert_eq!(rest(&mut tunnel.service).await, "still here");
}

/// Behind bytes that a client does not take, the service's close is not read.
#[tokio::test(start_paused = true)]
async fn an_end_that_takes_nothing_does_not_keep_a_tunnel_for_ever() {
    let Tunnel {
        client,
        mut service,
        over,
        begun,
    } = Tunnel::begin();
    let sends = tokio::spawn(async move { service.write_all(&[b'a'; 30_000]).await });
    assert!(over.await.unwrap().is_err());
    let took = begun.elapsed();
    assert!((BLOCKED..2 * BLOCKED).contains(&took), "{took:?}");
    // It has gone, and so have its bytes.
    assert!(sends.await.unwrap().is_err());
    drop(client);
}

/// A client that still sends does not cut off what the service sent before it went.
#[tokio::test(start_paused = true)]
async fn the_last_words_of_an_end_that_takes_no_more_arrive() {
    let Tunnel {
        mut client,
        mut service,
        over,
        ..
    } = Tunnel::begin();
    client.write_all(b"a ping").await.unwrap();
    service.write_all(b"last words").await.unwrap();
    drop(service);
    assert_eq!(rest(&mut client).await, "last words");
    assert!(over.await.unwrap().is_ok());
}
