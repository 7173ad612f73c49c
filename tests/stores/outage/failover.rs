//! Another Redis server becomes the primary.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tower_magic_link::revocation::Standing::Revoked;

use super::{at, connect, end, is_back, is_lost};
use crate::{
    held,
    redis::{Condition, RedisServer, Wire, until},
    session::{People, standing},
};

/// Pins: an old primary that still takes revocations took one, and told its giver so, that nobody
/// read there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_revocation_goes_where_it_is_read_though_the_old_server_would_take_it() {
    let (new, old) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(old.port));
    let wire = Wire::switched(port.clone()).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let b = connect(&at(&new.url(), 30)).await;
    let people = People::new();
    let [one, other] = ["a", "b"].map(|name| people.session(name, 10));
    end(&a, &one).await;
    port.store(new.port, Ordering::SeqCst);
    // Of its connections only the one that reads is lost.
    let mut reader = None;
    until("it reads", async || {
        let clients = old.say(&["CLIENT", "LIST"]);
        let line = clients.lines().find(|line| line.contains("cmd=xread "));
        let id = line.and_then(|line| line.split(' ').next()?.strip_prefix("id="));
        reader = id.map(str::to_owned);
        reader.is_some()
    })
    .await;
    let reader = reader.unwrap();
    assert_eq!(old.say(&["CLIENT", "KILL", "ID", &reader]), "1");
    until("it is put back", async || {
        standing(&b, &one) == Some(Revoked)
    })
    .await;
    end(&a, &other).await;
    until("b hears", async || standing(&b, &other) == Some(Revoked)).await;
}

/// Pins: the first server that answered was written to, whoever read there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn where_the_writer_is_led_the_follower_goes_too() {
    let (new, old) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(old.port));
    let wire = Wire::switched(port.clone()).await;
    let people = People::new();
    let [before, one] = ["a", "b"].map(|name| people.session(name, 10));
    end(&connect(&at(&old.url(), 30)).await, &before).await;
    let a = connect(&at(&wire.url(), 30)).await;
    // It writes for the first time.
    port.store(new.port, Ordering::SeqCst);
    end(&a, &one).await;
    let b = connect(&at(&new.url(), 30)).await;
    let took = until("both are there", async || b.len() == 2).await;
    assert!(
        took < Duration::from_secs(5),
        "not for its asking the way: {took:?}"
    );
    assert_eq!(held::revocations(&old), "1");
    until("it follows", async || a.is_following()).await;
}

/// Pins: whoever gave no revocation stayed with the old server for as long as that lived.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_revocations_nothing_leaves_an_old_server_too() {
    let (new, old) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(old.port));
    let wire = Wire::switched(port.clone()).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let b = connect(&at(&new.url(), 30)).await;
    let one = People::new().session("a", 10);
    end(&b, &one).await;
    port.store(new.port, Ordering::SeqCst);
    let took = until("it asks the way", async || {
        standing(&a, &one) == Some(Revoked)
    })
    .await;
    println!("an old server is left after {took:?}");
}

/// Pins: a follower whose connection outlived the demotion went on vouching for what it read there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_server_that_comes_to_follow_another_is_followed_no_longer() {
    let (old, heir) = (RedisServer::start().await, RedisServer::start().await);
    let wire = Wire::to(old.port).await;
    let a = connect(&at(&wire.url(), 0)).await;
    let people = People::new();
    let [one, other, live] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &one).await;
    heir.say(&["REPLICAOF", "127.0.0.1", &old.port.to_string()]);
    let heirs = || held::revocations(&heir);
    until("the heir knows", async || heirs() == "1").await;
    heir.say(&["REPLICAOF", "NO", "ONE"]);
    end(&a, &other).await;
    // A server disconnects who waits at it when it comes to follow another. Who is on the way to it
    // just then stays connected.
    wire.is_now(Condition::Held);
    until("nobody waits", async || {
        old.say(&["INFO", "clients"]).contains("blocked_clients:0")
    })
    .await;
    old.say(&["REPLICAOF", "127.0.0.1", &heir.port.to_string()]);
    wire.is_now(Condition::Whole);
    is_lost("demoted", &a).await;
    until("it is not vouched for", async || {
        standing(&a, &live).is_none()
    })
    .await;
    old.say(&["REPLICAOF", "NO", "ONE"]);
    is_back("promoted", &a).await;
    let late = connect(&at(&old.url(), 0)).await;
    until("both are there", async || late.len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_failover_to_a_server_that_knows_less_and_other_things_loses_nothing() {
    let (master, heir) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(master.port));
    let wire = Wire::switched(port.clone()).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let people = People::new();
    let [both, ours, theirs] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &both).await;
    heir.say(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let heirs = || held::revocations(&heir);
    until("the heir knows", async || heirs() == "1").await;
    heir.say(&["REPLICAOF", "NO", "ONE"]);
    end(&a, &ours).await;
    let b = connect(&at(&heir.url(), 30)).await;
    end(&b, &theirs).await;
    // Both have the same epoch and as many orders: only their histories differ.
    port.store(heir.port, Ordering::SeqCst);
    wire.is_now(Condition::Cut);
    is_lost("failover", &a).await;
    wire.is_now(Condition::Whole);
    is_back("failover", &a).await;
    assert_eq!(standing(&a, &theirs), Some(Revoked));
    until("b hears", async || standing(&b, &ours) == Some(Revoked)).await;
}
