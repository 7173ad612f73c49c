//! `RedisRevocations` while Redis is killed, paused, emptied, cut off or full.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
        Target,
    },
    store::{Redis, StoreErrorKind},
    testing::StubProvider,
};

use crate::{
    names::ORIGIN,
    redis::{Condition, RedisServer, Wire, until},
    session::{FAR, People, end_of, revocation, standing},
};

/// That Redis is away is noticed within this.
const NOTICED: Duration = Duration::from_millis(1_600);
/// All is well again within this.
const RECOVERED: Duration = Duration::from_secs(2);

fn at(url: &str, grace: u64) -> Redis {
    Redis::new(url)
        .unwrap()
        .grace(Duration::from_secs(grace))
        .unwrap()
}

async fn connect(redis: &Redis) -> RedisRevocations {
    RedisRevocations::connect(redis).await.unwrap()
}

async fn end(store: &RedisRevocations, session: &tower_magic_link::Session) {
    store.revoke(&end_of(session)).await.unwrap();
}

async fn is_lost(what: &str, store: &RedisRevocations) {
    let took = until(what, async || !store.is_following()).await;
    println!("{what}: noticed after {took:?}");
    assert!(took < NOTICED, "{what}: {took:?}");
}

async fn is_back(what: &str, store: &RedisRevocations) {
    let took = until(what, async || store.is_following()).await;
    println!("{what}: recovered after {took:?}");
    assert!(took < RECOVERED, "{what}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_killed_and_comes_back_empty_loses_nothing() {
    let mut server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [before, meanwhile, live] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &before).await;
    let everybody = revocation(Target::Organization("org".to_owned()), 20, FAR);
    a.revoke(&everybody).await.unwrap();
    until("b hears", async || b.len() == 2).await;

    server.kill();
    is_lost("killed, a", &a).await;
    is_lost("killed, b", &b).await;
    let began = Instant::now();
    let told = a.revoke(&end_of(&meanwhile)).await;
    assert!(
        told.is_err() && began.elapsed() < Duration::from_secs(2),
        "{told:?}"
    );
    for store in [&a, &b] {
        assert_eq!(standing(store, &before), Some(Revoked));
        assert_eq!(standing(store, &live), Some(Active), "within the grace");
    }
    assert_eq!(
        standing(&a, &meanwhile),
        Some(Revoked),
        "it holds where it was ordered"
    );
    assert_eq!(
        standing(&b, &meanwhile),
        Some(Active),
        "it could not be told"
    );

    server.restart().await;
    let back = Instant::now();
    is_back("killed, a", &a).await;
    is_back("killed, b", &b).await;
    until("b hears", async || {
        standing(&b, &meanwhile) == Some(Revoked)
    })
    .await;
    assert!(back.elapsed() < RECOVERED, "{:?}", back.elapsed());
    let late = connect(&redis).await;
    until("all was put back", async || late.len() == 3).await;
    assert_eq!(standing(&late, &before), Some(Revoked));
    assert_eq!(standing(&late, &live), Some(Active));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_paused_is_noticed_and_past_the_grace_nobody_is_vouched_for() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 3);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [before, live, meanwhile] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &before).await;
    until("b hears", async || b.len() == 1).await;

    let began = Instant::now();
    server.pause();
    is_lost("paused, a", &a).await;
    assert_eq!(standing(&a, &live), Some(Active), "within the grace");
    let told = a.revoke(&end_of(&meanwhile)).await.unwrap_err();
    assert_eq!(told.kind(), StoreErrorKind::TimedOut);
    let mut vouched = Duration::ZERO;
    until("the grace ends", async || {
        let asked = began.elapsed();
        let is_over = standing(&a, &live).is_none();
        if !is_over {
            vouched = asked;
        }
        is_over
    })
    .await;
    let ended = began.elapsed();
    println!("paused: the grace of 3 s ended after {ended:?}");
    let about = Duration::from_millis(2_600)..Duration::from_millis(3_200);
    assert!(
        ended > about.start && vouched < about.end,
        "{vouched:?}, {ended:?}"
    );
    for store in [&a, &b] {
        until("the grace ends", async || standing(store, &live).is_none()).await;
        assert_eq!(
            standing(store, &before),
            Some(Revoked),
            "what has ended has ended"
        );
    }
    assert_eq!(standing(&a, &meanwhile), Some(Revoked));

    server.resume();
    is_back("paused, a", &a).await;
    is_back("paused, b", &b).await;
    until("it is sent again", async || {
        standing(&b, &meanwhile) == Some(Revoked)
    })
    .await;
    assert_eq!(standing(&a, &live), Some(Active));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_emptied_under_us_is_refilled() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let a = connect(&redis).await;
    let people = People::new();
    let sessions: Vec<_> = (0..1_000).map(|_| people.session("a", 10)).collect();
    for revocation in sessions.iter().map(end_of) {
        a.revoke(&revocation).await.unwrap();
    }
    let held = || server.say(&["ZCARD", "{tower-magic-link}:ended"]);
    for words in [
        &["FLUSHALL"][..],
        &[
            "DEL",
            "{tower-magic-link}:ended",
            "{tower-magic-link}:state",
        ],
    ] {
        server.say(words);
        let took = until("it is refilled", async || held() == "1000").await;
        println!("{words:?}: refilled with 1,000 after {took:?}");
        assert!(took < RECOVERED, "{took:?}");
        assert!(a.is_following());
    }
    // The next revocation goes on from there.
    let b = connect(&redis).await;
    let one = people.session("b", 10);
    end(&a, &one).await;
    until("b hears", async || standing(&b, &one) == Some(Revoked)).await;
    assert_eq!((a.len(), b.len()), (1_001, 1_001));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_is_cut_off_catches_up() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let a = connect(&at(&wire.url(), 5)).await;
    let b = connect(&at(&server.url(), 5)).await;
    let people = People::new();
    let live = people.session("live", 10);
    for condition in [Condition::Cut, Condition::Dead] {
        let what = format!("{condition:?}");
        wire.is_now(condition);
        is_lost(&what, &a).await;
        let (there, here) = (people.session("b", 10), people.session("a", 10));
        end(&b, &there).await;
        assert_eq!(standing(&b, &there), Some(Revoked));
        assert_eq!(standing(&a, &there), Some(Active), "{what}: it cannot know");
        a.revoke(&end_of(&here)).await.unwrap_err();
        until("the grace ends", async || standing(&a, &there).is_none()).await;
        assert!(
            b.is_following() && standing(&b, &live) == Some(Active),
            "{what}"
        );

        wire.is_now(Condition::Whole);
        is_back(&what, &a).await;
        assert_eq!(
            standing(&a, &there),
            Some(Revoked),
            "{what}: before it vouches for anybody"
        );
        assert_eq!(standing(&a, &live), Some(Active), "{what}");
        until("it is sent again", async || {
            standing(&b, &here) == Some(Revoked)
        })
        .await;
    }
}

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
    assert_eq!(old.say(&["ZCARD", "{tower-magic-link}:ended"]), "1");
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
    let heirs = || heir.say(&["ZCARD", "{tower-magic-link}:ended"]);
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
    let held =
        |key: &str, count: &str| server.say(&[count, &format!("{{tower-magic-link}}:{key}")]);
    assert_eq!(
        [held("ended", "ZCARD"), held("groups", "EXISTS")],
        ["2", "0"]
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

/// Pins: of what waited when the last handle went, one batch was sent.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn all_that_waits_is_sent_when_the_last_handle_is_gone() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let revocations: Vec<_> = (0..1_000)
        .map(|_| end_of(&people.session("a", 10)))
        .collect();
    server.pause();
    for revocation in &revocations {
        drop(a.revoke(revocation));
    }
    drop(a);
    server.resume();
    until("b hears", async || b.len() == 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_revocation_that_nobody_waits_for_is_not_lost() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let one = People::new().session("a", 10);
    drop(a.revoke(&end_of(&one)));
    drop(a);
    until("b hears", async || standing(&b, &one) == Some(Revoked)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn nothing_runs_on_when_the_last_handle_is_gone() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let (before, clients) = (tasks(), || server.say(&["CLIENT", "LIST"]).lines().count());
    let a = connect(&redis).await;
    let b = a.clone();
    end(&b, &People::new().session("a", 10)).await;
    until("the follower, the writer and who asks", async || {
        clients() == 3
    })
    .await;
    drop(a);
    end(&b, &People::new().session("a", 10)).await;
    drop(b);
    until("nothing runs on", async || {
        tasks() <= before && clients() == 1
    })
    .await;

    // Nor do connections that will never hear what they wait for.
    let c = connect(&redis).await;
    server.pause();
    is_lost("paused", &c).await;
    drop(c);
    until("nothing waits on", async || tasks() <= before).await;
    server.resume();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn an_application_may_start_before_redis() {
    let mut server = RedisServer::start().await;
    server.kill();
    let redis = at(&server.url(), 3_600);
    RedisRevocations::connect(&redis).await.unwrap_err();
    let a = RedisRevocations::connect_later(&redis);
    let people = People::new();
    let (one, other) = (people.session("a", 10), people.session("b", 10));
    a.revoke(&end_of(&one)).await.unwrap_err();
    assert_eq!(standing(&a, &one), Some(Revoked));
    assert_eq!(
        standing(&a, &other),
        None,
        "nothing is known yet: there is no grace"
    );
    server.restart().await;
    is_back("started", &a).await;
    assert_eq!(standing(&a, &other), Some(Active));
    let b = connect(&redis).await;
    until("it is sent again", async || {
        standing(&b, &one) == Some(Revoked)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_lost_server_is_told_once_and_its_return_once() {
    let mut server = RedisServer::start().await;
    let store = connect(&at(&server.url(), 0)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = told.clone();
    let _layer = MagicLinkLayer::builder(
        StubProvider::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    )
    .public_url(ORIGIN)
    .revocations(store.clone())
    .on_event(move |event| ears.lock().unwrap().push(format!("{event:?}")))
    .build()
    .unwrap();
    for _ in 0..2 {
        server.kill();
        is_lost("killed", &store).await;
        server.restart().await;
        is_back("killed", &store).await;
    }
    let round = [
        "ServerLost { store: Revocations }",
        "ServerRecovered { store: Revocations }",
    ];
    until("the last is told", async || told.lock().unwrap().len() >= 4).await;
    assert_eq!(*told.lock().unwrap(), [round, round].concat());
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
    let heirs = || heir.say(&["ZCARD", "{tower-magic-link}:ended"]);
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

/// As a process that was stopped and goes on: it has heard of nothing meanwhile.
#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn a_store_whose_runtime_nobody_drives_vouches_for_nobody_past_the_grace() {
    let keeps = tokio::runtime::Runtime::new().unwrap();
    let stands = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = keeps.block_on(RedisServer::start());
    let store = stands.block_on(connect(&at(&server.url(), 0)));
    let people = People::new();
    let [ended, live] = ["a", "b"].map(|name| people.session(name, 10));
    stands.block_on(end(&store, &ended));
    assert_eq!(standing(&store, &live), Some(Active));
    keeps.block_on(until("it is noticed", async || {
        standing(&store, &live).is_none()
    }));
    assert_eq!(standing(&store, &ended), Some(Revoked));
    stands.block_on(until("it hears again", async || {
        standing(&store, &live) == Some(Active)
    }));
}

#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn a_store_whose_runtime_is_gone_vouches_for_nobody_past_the_grace() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let (keeps, goes) = (runtime(), runtime());
    let server = keeps.block_on(RedisServer::start());
    let store = goes.block_on(connect(&at(&server.url(), 0)));
    let live = People::new().session("a", 10);
    assert_eq!(standing(&store, &live), Some(Active));
    goes.shutdown_background();
    keeps.block_on(async {
        until("it is noticed", async || standing(&store, &live).is_none()).await;
        store.revoke(&end_of(&live)).await.unwrap_err();
    });
    assert_eq!(standing(&store, &live), Some(Revoked));
}
