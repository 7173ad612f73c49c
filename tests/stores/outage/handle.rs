//! The life of a store's handles: starting early, logging, stopping, a stopped runtime.

use std::sync::{Arc, Mutex};

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
    },
    testing::StubProvider,
};

use super::{at, connect, end, is_back, is_lost};
use crate::{
    names::ORIGIN,
    redis::{RedisServer, until},
    session::{People, end_of, standing},
};

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
    .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
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
