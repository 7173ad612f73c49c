//! Redis refuses writes or is full; a revocation is repeated or cannot be sent.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use tower_magic_link::{
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
        Target,
    },
    store::StoreErrorKind,
};

use super::{RECOVERED, at, connect, end, is_back, is_lost};
use crate::{
    held,
    redis::{Condition, RedisServer, Wire, until},
    session::{FAR, People, end_of, revocation, standing},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_takes_no_writes_is_said_and_what_it_did_not_take_is_sent_again() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let cut_off = connect(&at(&wire.url(), 0)).await;
    let people = People::new();
    let (one, live) = (people.session("a", 10), people.session("b", 10));
    server.say(&["CONFIG", "SET", "maxmemory", "1"]);
    let told = a.revoke(&end_of(&one)).await.unwrap_err();
    assert_eq!(told.kind(), StoreErrorKind::Unavailable);
    assert_eq!(standing(&a, &one), Some(Revoked));
    assert!(a.is_following(), "it can be read");

    // Pins: whoever connected wrote first, so that the whole site was a 503.
    wire.is_now(Condition::Cut);
    is_lost("cut", &cut_off).await;
    assert_eq!(standing(&cut_off, &live), None);
    wire.is_now(Condition::Whole);
    is_back("cut, and no writes", &cut_off).await;
    assert_eq!(standing(&cut_off, &live), Some(Active));
    let late = connect(&redis).await;
    assert_eq!(standing(&late, &live), Some(Active));

    server.say(&["CONFIG", "SET", "maxmemory", "0"]);
    for store in [&b, &cut_off, &late] {
        until("it is sent again", async || {
            standing(store, &one) == Some(Revoked)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_a_redis_that_takes_no_writes_lacks_is_put_back_once_it_does() {
    let (full, other) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(other.port));
    let wire = Wire::switched(port.clone()).await;
    let a = connect(&at(&wire.url(), 0)).await;
    let b = connect(&at(&full.url(), 0)).await;
    let people = People::new();
    let [one, theirs, live] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &one).await;
    end(&b, &theirs).await;
    full.say(&["CONFIG", "SET", "maxmemory", "1"]);
    port.store(full.port, Ordering::SeqCst);
    wire.is_now(Condition::Cut);
    is_lost("failover", &a).await;
    wire.is_now(Condition::Whole);
    is_back("failover, and no writes", &a).await;
    let known = [&one, &theirs, &live].map(|session| standing(&a, session));
    assert_eq!(known, [Some(Revoked), Some(Revoked), Some(Active)]);
    assert_eq!(standing(&b, &one), Some(Active), "it could not be told");
    full.say(&["CONFIG", "SET", "maxmemory", "0"]);
    until("it is put back", async || {
        standing(&b, &one) == Some(Revoked)
    })
    .await;
}

/// Pins: a replica that started beside a new primary that lagged and took no writes believed what
/// was there after the time of settling, though another replica had more to put back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_starts_at_a_new_primary_that_takes_no_writes_believes_nothing_there() {
    starts_at_a_new_primary("min-replicas-to-write", "NOREPLICAS").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_starts_at_a_new_primary_that_is_full_believes_nothing_there() {
    starts_at_a_new_primary("maxmemory", "OOM").await;
}

/// With a setting at 1 the heir takes no writes, and says this word.
async fn starts_at_a_new_primary(setting: &str, word: &str) {
    let (master, heir) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(master.port));
    let wire = Wire::switched(port.clone()).await;
    // Of the two, one waits for the other at the new primary.
    let _b = connect(&at(&master.url(), 30)).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let people = People::new();
    let [both, ours] = ["a", "b"].map(|name| people.session(name, 10));
    end(&a, &both).await;
    heir.say(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let heirs = || held::revocations(&heir);
    until("the heir knows", async || heirs() == "1").await;
    heir.say(&["REPLICAOF", "NO", "ONE"]);
    heir.say(&["CONFIG", "SET", setting, "1"]);
    end(&a, &ours).await;
    let new = RedisRevocations::connect_later(&at(&heir.url(), 0));
    let starting = new.clone();
    let waiting = tokio::spawn(async move { starting.first_load().await });
    until("it has loaded", async || new.len() == 1).await;
    // It asks after the refusal, and the other one's last failure is another one.
    let asking = new.clone();
    let asks_late = tokio::spawn(async move { asking.first_load().await });
    let between = Wire::to(heir.port).await;
    let cut_off = RedisRevocations::connect_later(&at(&between.url(), 0));
    // Whoever ran before believes its own copy after the time of settling, later than the new one
    // would.
    port.store(heir.port, Ordering::SeqCst);
    wire.is_now(Condition::Cut);
    is_lost("failover", &a).await;
    wire.is_now(Condition::Whole);
    let took = until("a is back", async || a.is_following()).await;
    println!("what ran before goes on after {took:?}");
    for condition in [Condition::Cut, Condition::Whole] {
        between.is_now(condition);
        let is_refused = || {
            let status = cut_off.status();
            let last = status.last_error().and_then(|error| error.cause());
            last.map(|cause| cause.contains(word))
        };
        let want = Some(condition == Condition::Whole);
        let took = until("its reason is said", async || is_refused() == want).await;
        assert!(took < RECOVERED, "{condition:?}: {took:?}");
    }
    assert_eq!(standing(&a, &ours), Some(Revoked));
    assert_eq!(standing(&new, &both), Some(Revoked));
    assert_eq!(standing(&new, &ours), None, "nobody vouches for it");
    for waiting in [waiting, asks_late] {
        let late = waiting.await.unwrap().unwrap_err();
        let told = late.source().map(ToString::to_string);
        let told = told.unwrap_or_default();
        assert!(told.contains(word), "{late:?}");
    }
    heir.say(&["CONFIG", "SET", setting, "0"]);
    until("it is put back", async || {
        let standing = standing(&new, &ours);
        assert_ne!(standing, Some(Active));
        standing == Some(Revoked)
    })
    .await;
    until("it believes", async || new.is_following()).await;
}

/// Pins: each of them waited for itself, and the next revocation behind all of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn one_session_that_is_ended_over_and_over_is_sent_once() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let a = connect(&at(&wire.url(), 30)).await;
    let b = connect(&at(&server.url(), 30)).await;
    let people = People::new();
    let (one, other) = (people.session("a", 10), people.session("b", 10));
    wire.is_now(Condition::Cut);
    is_lost("cut", &a).await;
    for second in 0..1_000 {
        let target = Target::Session(one.id());
        drop(a.revoke(&revocation(target, 20, FAR + second)));
    }
    a.revoke(&end_of(&other)).await.unwrap_err();
    wire.is_now(Condition::Whole);
    until("it is sent again", async || {
        [&one, &other].map(|session| standing(&b, session)) == [Some(Revoked); 2]
    })
    .await;
    let told = server.say(&["XLEN", "{tower-magic-link}:stream"]);
    assert_eq!(told, "2", "one for each session");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_full_redis_takes_a_revocation_in_place_of_those_that_have_ended() {
    let server = RedisServer::start().await;
    let a = connect(&at(&server.url(), 30)).await;
    let people = People::new();
    let ended = revocation(Target::Session(people.session("a", 10).id()), 20, 100);
    a.revoke(&ended).await.unwrap();
    a.revoke(&revocation(Target::Subject("a".to_owned()), 20, 100))
        .await
        .unwrap();
    server.say(&["CONFIG", "SET", "maxmemory", "1"]);
    let [one, other] = ["b", "c"].map(|name| people.session(name, 200));
    let now = |session: &tower_magic_link::Session, at| {
        revocation(Target::Session(session.id()), at, FAR)
    };
    a.revoke(&now(&one, 159)).await.unwrap_err();
    a.revoke(&now(&other, 161)).await.unwrap();
    assert_eq!(
        (held::revocations(&server), held::groups(&server)),
        ("2".into(), 0)
    );
}

/// Pins: the second attempt found the revocation noted, and answered that all was well.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_revocation_that_cannot_be_told_is_not_noted() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let one = People::new().session("a", 10);
    let of_us = ["~*", "&*", "+@all"];
    let rules = |more: &[&str]| {
        let words = [
            &["ACL", "SETUSER", "default", "on", "nopass"],
            &of_us[..],
            more,
        ]
        .concat();
        assert_eq!(server.say(&words), "OK");
    };
    rules(&["-xadd"]);
    for _ in 0..2 {
        a.revoke(&end_of(&one)).await.unwrap_err();
    }
    assert_eq!(standing(&b, &one), Some(Active));
    rules(&[]);
    until("b hears", async || standing(&b, &one) == Some(Revoked)).await;
}
