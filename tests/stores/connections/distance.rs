//! A server that is 350 ms away.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};
use tower_magic_link::{
    revocation::{RedisRevocations, Revocations, Standing},
    store::{Redis, StoreErrorKind},
    throttle::{Charge, Rate, RedisThrottle, Throttle},
};

use crate::{
    redis::{RedisServer, until},
    session::{NOON, People, end_of, standing},
    throttle::key,
};

/// There and back.
const FAR: Duration = Duration::from_millis(350);

/// A port of this machine that is a round trip away.
struct Distance {
    port: u16,
    accept: AbortHandle,
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Distance {
    async fn to(port: u16, round_trip: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap().port();
        let accept = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, port, round_trip));
            }
        });
        Self {
            port: at,
            accept: accept.abort_handle(),
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

async fn carry(near: TcpStream, port: u16, round_trip: Duration) {
    // The kernel has accepted at once: the handshake's round trip is waited for here.
    sleep(round_trip).await;
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    tokio::select! {
        () = pass(from_near, to_far, round_trip / 2) => {}
        () = pass(from_far, to_near, round_trip / 2) => {}
    }
}

/// Hands on what comes, each piece as much later as the way is long.
async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    way: Duration,
) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let takes = async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = buffer[..count].to_vec();
            sender.send((Instant::now() + way, piece)).unwrap();
        }
    };
    let gives = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(takes, gives);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_server_a_third_of_a_second_away_is_followed_and_written_to() {
    let server = RedisServer::start_with(&["--requirepass", "word"]).await;
    let far = Distance::to(server.port, FAR).await;
    let url = far.url().replace("//", "//:word@");
    let redis = Redis::new(&url).unwrap().settle(Duration::ZERO).unwrap();
    let began = Instant::now();
    let (a, b) = tokio::join!(
        RedisRevocations::connect(&redis),
        RedisRevocations::connect(&redis)
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    println!("350 ms away: followed after {:?}", began.elapsed());
    let session = People::new().session("a", 10);
    // The first one may be late, as it waits for the writer's connection. It is sent all the same.
    let _ = a.revoke(&end_of(&session)).await;
    until("it is heard of", async || {
        standing(&b, &session) == Some(Standing::Revoked)
    })
    .await;
    let second = People::new().session("b", 10);
    a.revoke(&end_of(&second)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_throttle_that_decides_in_a_second_takes_over_the_attempt_that_it_gave_up() {
    let server = RedisServer::start().await;
    let far = Distance::to(server.port, FAR).await;
    let redis = Redis::new(&far.url()).unwrap();
    let throttle = RedisThrottle::new(&redis);
    let charges = [Charge::new(key(1), Rate::new(9, Duration::from_secs(9)))];
    until("it counts in Redis", async || {
        let _ = throttle.charge(&charges, NOON).await.unwrap();
        server.say(&["DBSIZE"]) != "0"
    })
    .await;
}

/// Pins: where people ask for mail less often than every five seconds, each decision began to
/// connect anew, and none ever had a connection in time.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_connection_that_came_after_the_decision_is_there_for_the_next_however_late() {
    let server = RedisServer::start().await;
    let far = Distance::to(server.port, FAR).await;
    let redis = Redis::new(&far.url()).unwrap();
    let throttle = RedisThrottle::new(&redis);
    let charges = [Charge::new(key(1), Rate::new(9, Duration::from_secs(9)))];
    for decision in 1.. {
        let _ = throttle.charge(&charges, NOON).await.unwrap();
        if server.say(&["DBSIZE"]) != "0" {
            break;
        }
        assert!(decision < 5, "it never counted in Redis");
        sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_time_to_connect_is_a_setting_and_the_error_names_the_step() {
    let server = RedisServer::start().await;
    let far = Distance::to(server.port, Duration::from_millis(250)).await;
    let within = |step| Redis::new(&far.url()).unwrap().connect_timeout(step);
    let hasty = within(Duration::from_millis(200)).unwrap();
    let error = RedisRevocations::connect(&hasty).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TimedOut);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("took longer than 200ms"), "{source}");
    let patient = within(Duration::from_secs(2)).unwrap();
    RedisRevocations::connect(&patient).await.unwrap();
    for step in [0, 99, 60_001] {
        within(Duration::from_millis(step)).unwrap_err();
    }
}
