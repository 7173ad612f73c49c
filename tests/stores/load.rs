//! The first load: it goes on where it broke off, and misses nothing that comes meanwhile.

use std::time::Duration;

use tower_magic_link::{
    SessionId,
    revocation::{
        Phase, RedisRevocations, Revocations,
        Standing::{Active, Revoked},
    },
    store::Redis,
};

use crate::{
    held,
    redis::{Condition, RedisServer, Wire, until},
    session::{People, end_of, standing},
};

/// How many sessions have ended.
const MANY: u64 = 200_000;
/// Stores so many, without the stream: as what is older than the stream.
const FILL: &str = "for i = 1, ARGV[1] do \
                    redis.call('ZADD', KEYS[1], 4000000000 + i, 's' .. string.format('%016d', i)) \
                    end";

fn at(url: &str) -> Redis {
    let redis = Redis::new(url).unwrap();
    redis.settle(Duration::from_secs(1)).unwrap()
}

async fn filled() -> (RedisServer, RedisRevocations) {
    let server = RedisServer::start().await;
    let other = RedisRevocations::connect(&at(&server.url())).await.unwrap();
    let key = "{tower-magic-link}:ended";
    server.say(&["EVAL", FILL, "1", key, &MANY.to_string()]);
    assert_eq!(held::revocations(&server), MANY.to_string());
    (server, other)
}

/// Returns how many revocations a load that is not over has read.
fn read(store: &RedisRevocations) -> u64 {
    match store.status().phase() {
        Phase::Loading { read, .. } => read,
        _ => u64::MAX,
    }
}

/// Begins a load, and cuts it off in the middle. Returns how far it came.
async fn broken_off(wire: &Wire) -> (RedisRevocations, u64) {
    let store = RedisRevocations::connect_later(&at(&wire.url()));
    until("it loads", async || read(&store) > MANY / 10).await;
    wire.is_now(Condition::Cut);
    until("it is cut off", async || {
        store.status().last_error().is_some()
    })
    .await;
    let so_far = read(&store);
    assert!(so_far < MANY, "it is not over: {so_far}");
    (store, so_far)
}

fn scans(server: &RedisServer) -> u64 {
    let stats = server.say(&["INFO", "commandstats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_zscan:calls="));
    let calls = line.and_then(|line| line.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

/// Pins: a load of many was given up and begun from zero, over and over.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_load_that_breaks_off_goes_on_where_it_was() {
    let (server, _other) = filled().await;
    let whole = RedisRevocations::connect(&at(&server.url())).await.unwrap();
    let pages = scans(&server);
    assert_eq!(whole.len(), usize::try_from(MANY).unwrap());
    let wire = Wire::to(server.port).await;
    server.say(&["CONFIG", "RESETSTAT"]);
    let (store, mut so_far) = broken_off(&wire).await;
    for _ in 0..3 {
        wire.is_now(Condition::Whole);
        let before = so_far;
        until("it goes on", async || {
            let now = read(&store);
            assert!(now >= so_far, "{now} after {so_far}");
            so_far = now;
            now > before
        })
        .await;
        wire.is_now(Condition::Cut);
    }
    wire.is_now(Condition::Whole);
    store.first_load().await.unwrap();
    assert_eq!(store.len(), whole.len());
    // A page more for each time that it began, and some small ones.
    let twice = scans(&server);
    assert!(twice < pages + 24, "{twice} pages instead of {pages}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_comes_while_a_load_stands_still_is_not_missed() {
    for is_trimmed in [false, true] {
        let (server, other) = filled().await;
        let wire = Wire::to(server.port).await;
        let (store, _) = broken_off(&wire).await;
        let people = People::new();
        let [live, ended @ ..] = [(); 20].map(|()| people.session("a", 10));
        for session in &ended {
            other.revoke(&end_of(session)).await.unwrap();
        }
        if is_trimmed {
            let stream = "{tower-magic-link}:stream";
            server.say(&["XTRIM", stream, "MAXLEN", "3"]);
        }
        wire.is_now(Condition::Whole);
        store.first_load().await.unwrap();
        for session in &ended {
            assert_eq!(standing(&store, session), Some(Revoked), "{is_trimmed}");
        }
        assert_eq!(standing(&store, &live), Some(Active));
        let all = usize::try_from(MANY).unwrap() + ended.len();
        assert_eq!(store.len(), all, "{is_trimmed}");
    }
}

/// A cursor means nothing to another server, and what was read may be known here alone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_load_that_breaks_off_at_a_server_that_loses_its_data_puts_back_what_it_read() {
    let (mut server, other) = filled().await;
    drop(other);
    let wire = Wire::to(server.port).await;
    let (store, so_far) = broken_off(&wire).await;
    server.kill();
    server.restart().await;
    wire.is_now(Condition::Whole);
    store.first_load().await.unwrap();
    let known = store.len();
    assert!(u64::try_from(known).unwrap() >= so_far, "{known}, {so_far}");
    until("it is put back", async || {
        held::revocations(&server) == known.to_string()
    })
    .await;
}

/// Pins: a limit on the whole load ended one that was going on, and what it had read was lost.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_caller_who_waits_no_longer_loses_nothing_of_a_load() {
    let (server, _other) = filled().await;
    let store = RedisRevocations::connect_later(&at(&server.url()));
    let (mut waits, mut so_far) = (0, 0);
    while tokio::time::timeout(Duration::from_millis(20), store.first_load())
        .await
        .is_err()
    {
        waits += 1;
        let now = read(&store);
        assert!(now >= so_far, "{now} after {so_far}");
        so_far = now;
    }
    println!("waited {waits} times");
    assert_eq!(store.len(), usize::try_from(MANY).unwrap());
    let one = SessionId::from_bytes(*b"0000000000000001");
    let target = tower_magic_link::revocation::Target::Session(one);
    let moment = crate::session::after(20);
    let later = crate::session::after(crate::session::FAR);
    let again = tower_magic_link::revocation::Revocation::new(target, moment, later);
    store.revoke(&again).await.unwrap();
    assert_eq!(
        store.len(),
        usize::try_from(MANY).unwrap(),
        "it was read as it is written"
    );
}
