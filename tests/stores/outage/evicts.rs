//! Redis evicts keys when its memory is full.

use std::sync::{Arc, Mutex};

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
    },
    store::Redis,
    testing::StubProvider,
};

use super::{at, connect};
use crate::{
    held,
    names::ORIGIN,
    redis::{RedisServer, until},
    session::{People, end_of, standing},
};

/// What is written beside ours, a megabyte a call: a server evicts between calls.
const FILL: &str = "for i = 1, 1000 do \
    redis.call('SET', ARGV[1] .. ':' .. i, string.rep('x', 1000)) end";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_may_evict_our_keys_is_told_once_and_again_when_its_policy_changes() {
    let server =
        RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"])
            .await;
    let store = connect(&at(&server.url(), 30)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = told.clone();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let _layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .revocations(store.clone())
        .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
        .build()
        .unwrap();
    let event = |policy| format!("ServerMayEvict {{ store: Revocations, policy: {policy:?} }}");
    let mut want = vec![event("allkeys-lru")];
    assert_eq!(*told.lock().unwrap(), want, "before the layer was there");
    server.say(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    want.push(event("allkeys-random"));
    until("it is told", async || told.lock().unwrap().len() > 1).await;
    assert_eq!(*told.lock().unwrap(), want, "once each");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_keeps_our_keys_is_not_told_of() {
    for (name, limit, policy) in [
        ("no policy", "100mb", "noeviction"),
        ("ours never expire", "100mb", "volatile-lru"),
        ("no limit", "0", "allkeys-lru"),
    ] {
        let arguments = ["--maxmemory", limit, "--maxmemory-policy", policy];
        let server = RedisServer::start_with(&arguments).await;
        let store = connect(&at(&server.url(), 30)).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let ears = told.clone();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let _layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .revocations(store.clone())
            .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
            .build()
            .unwrap();
        assert!(told.lock().unwrap().is_empty(), "{name}: {told:?}");
    }
}

/// Pins: where the set was evicted and the epoch was not, a replica that started loaded an empty
/// set, and admitted all that had ended, for good.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_is_evicted_is_put_back_and_nothing_that_has_ended_is_admitted() {
    const ENDED: usize = 2_000;
    for policy in ["allkeys-lru", "allkeys-random"] {
        let server = RedisServer::start_with(&["--maxmemory-policy", policy]).await;
        let redis = Redis::new(&server.url()).unwrap();
        let (a, b) = (connect(&redis).await, connect(&redis).await);
        let people = People::new();
        let sessions: Vec<_> = (0..ENDED).map(|_| people.session("a", 10)).collect();
        let revocations: Vec<_> = sessions.iter().map(end_of).collect();
        let taken = revocations.iter().map(|revocation| a.revoke(revocation));
        let taken = futures_util::future::join_all(taken).await;
        assert!(taken.iter().all(Result::is_ok));
        until("b hears", async || b.len() == ENDED).await;
        server.say(&["CONFIG", "SET", "maxmemory", "12mb"]);
        let epoch = || server.say(&["HGET", "{tower-magic-link}:state", "epoch"]);
        let (mut last, mut evicted, mut calls) = (epoch(), 0, 0);
        let mut new = RedisRevocations::connect_later(&redis);
        until("keys of ours are evicted", async || {
            calls += 1;
            server.say(&["EVAL", FILL, "0", &calls.to_string()]);
            for session in sessions.iter().step_by(ENDED / 20) {
                assert_ne!(standing(&new, session), Some(Active), "{policy}: new");
                for store in [&a, &b] {
                    assert_eq!(standing(store, session), Some(Revoked), "{policy}");
                }
            }
            let now = epoch();
            if now != last {
                (last, evicted) = (now, evicted + 1);
                new = RedisRevocations::connect_later(&redis);
            }
            evicted == 3
        })
        .await;
        println!("{policy}: {evicted} times, in {calls} calls");
        until("it is put back", async || {
            new.is_following() && held::revocations(&server) == ENDED.to_string()
        })
        .await;
        for store in [&a, &b, &new] {
            assert!(
                sessions
                    .iter()
                    .all(|session| standing(store, session) == Some(Revoked))
            );
        }
    }
}
