//! The stream of revocations is ahead of a replica, or lacks what the replica missed.

use tower_magic_link::revocation::{Revocations, Standing::Revoked};

use super::{at, connect, end, is_back, is_lost};
use crate::{
    redis::{Condition, RedisServer, Wire, until},
    session::{People, end_of, standing},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn who_has_missed_more_than_the_stream_holds_loads_everything() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let b = connect(&at(&server.url(), 30)).await;
    wire.is_now(Condition::Cut);
    is_lost("cut", &a).await;
    let people = People::new();
    let sessions: Vec<_> = (0..12_000).map(|_| people.session("a", 10)).collect();
    let revocations: Vec<_> = sessions.iter().map(end_of).collect();
    let taken = revocations.iter().map(|revocation| b.revoke(revocation));
    let taken = futures_util::future::join_all(taken).await;
    assert!(taken.iter().all(Result::is_ok));
    let kept: usize = server
        .say(&["XLEN", "{tower-magic-link}:stream"])
        .parse()
        .unwrap();
    assert!(kept < 11_000, "{kept}");
    wire.is_now(Condition::Whole);
    is_back("cut", &a).await;
    assert_eq!(a.len(), 12_000);
}

/// As of keys that were copied one by one: nobody goes round and round until the next revocation
/// mends it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_stream_that_is_ahead_is_not_loaded_again_and_again() {
    let server = RedisServer::start().await;
    let a = connect(&at(&server.url(), 0)).await;
    let one = People::new().session("a", 10);
    end(&a, &one).await;
    server.say(&["HSET", "{tower-magic-link}:state", "seq", "0"]);
    let loads = || {
        let told = server.say(&["INFO", "commandstats"]);
        let line = told.lines().find(|line| line.starts_with("cmdstat_zscan:"));
        let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
        calls.map_or(0, |calls| calls.parse::<u32>().unwrap())
    };
    let late = connect(&at(&server.url(), 0)).await;
    assert_eq!(standing(&late, &one), Some(Revoked));
    let before = loads();
    let other = connect(&at(&server.url(), 0)).await;
    assert!(other.is_following() && late.is_following() && a.is_following());
    assert!(loads() <= before + 2, "{before} and then {}", loads());
}

/// As of keys that were copied from another server one by one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_stream_that_is_ahead_of_its_count_begins_again() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [one, other] = ["a", "b"].map(|name| people.session(name, 10));
    end(&a, &one).await;
    until("b hears", async || standing(&b, &one) == Some(Revoked)).await;
    server.say(&["HSET", "{tower-magic-link}:state", "seq", "0"]);
    end(&a, &other).await;
    until("b hears", async || standing(&b, &other) == Some(Revoked)).await;
    assert_eq!(server.say(&["XLEN", "{tower-magic-link}:stream"]), "1");
    assert!(a.is_following());
}
