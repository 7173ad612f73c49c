//! `RedisThrottle` while Redis is away.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    store::Redis,
    testing::StubProvider,
    throttle::{Charge, Charged, Rate, RedisThrottle, Take, Throttle},
};

use crate::{
    names::ORIGIN,
    redis::{RedisServer, until},
    session::{NOON, after},
    throttle::key,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn without_redis_it_goes_on_from_what_was_granted_here() {
    let mut server = RedisServer::start().await;
    let throttle = RedisThrottle::new(&Redis::new(&server.url()).unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = told.clone();
    let _layer = MagicLinkLayer::builder(
        StubProvider::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    )
    .public_url(ORIGIN)
    .throttle(throttle.clone())
    .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
    .build()
    .unwrap();
    let three = [Charge::new(key(1), Rate::new(3, Duration::from_secs(180)))];
    let charge = async || throttle.charge(&three, NOON).await.unwrap();
    let take = async || {
        throttle
            .take_try(key(2), 5, after(600), NOON)
            .await
            .unwrap()
    };
    assert_eq!(charge().await, Charged::Admitted);
    assert_eq!(charge().await, Charged::Admitted);
    for left in [4, 3, 2] {
        assert_eq!(take().await, Take::Taken { left });
    }

    server.kill();
    assert_eq!(charge().await, Charged::Admitted, "the third");
    assert!(matches!(charge().await, Charged::Refused { .. }));
    assert_eq!(take().await, Take::Taken { left: 1 });
    assert_eq!(take().await, Take::Taken { left: 0 });
    assert_eq!(take().await, Take::Exhausted);
    assert_eq!(*told.lock().unwrap(), ["ServerLost { store: Throttle }"]);

    server.restart().await;
    let other = [Charge::new(
        key(3),
        Rate::new(1_000_000, Duration::from_millis(1)),
    )];
    let took = until("it asks again", async || {
        let _ = throttle.charge(&other, NOON).await.unwrap();
        server.say(&["DBSIZE"]) != "0"
    })
    .await;
    println!("throttle: recovered after {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(
        take().await,
        Take::Exhausted,
        "an empty Redis gives nobody more tries"
    );
    let round = [
        "ServerLost { store: Throttle }",
        "ServerRecovered { store: Throttle }",
    ];
    assert_eq!(*told.lock().unwrap(), round);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_paused_holds_up_one_decision_and_not_the_next() {
    let server = RedisServer::start().await;
    let throttle = RedisThrottle::new(&Redis::new(&server.url()).unwrap());
    let rate = Rate::new(1_000, Duration::from_secs(1));
    let charges = [Charge::new(key(1), rate)];
    let _ = throttle.charge(&charges, NOON).await.unwrap();
    server.pause();
    let began = Instant::now();
    let together = (0..100).map(|_| throttle.charge(&charges, NOON));
    for charged in futures_util::future::join_all(together).await {
        assert_eq!(charged.unwrap(), Charged::Admitted);
    }
    let first = began.elapsed();
    assert!(
        first < Duration::from_millis(1_500),
        "the layer waits for 2 s: {first:?}"
    );
    let began = Instant::now();
    for _ in 0..100 {
        let _ = throttle.charge(&charges, NOON).await.unwrap();
    }
    let then = began.elapsed();
    println!("throttle, paused: 100 together took {first:?}, the next 100 in turn {then:?}");
    assert!(then < Duration::from_millis(500), "{then:?}");
    server.resume();
}

/// Each pins a credit that nobody had paid for. A second replica sees what is left in Redis.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_was_counted_without_redis_is_given_back_here_alone() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let (here, other) = (RedisThrottle::new(&redis), RedisThrottle::new(&redis));
    let two = [Charge::new(key(1), Rate::new(2, Duration::from_secs(180)))];
    let charge = async |throttle: &RedisThrottle| {
        let charged = throttle.charge(&two, NOON).await.unwrap();
        charged == Charged::Admitted
    };
    let take = async |throttle: &RedisThrottle, number| {
        let take = throttle.take_try(key(number), 2, after(600), NOON).await;
        take.unwrap() != Take::Exhausted
    };
    // Another replica takes all there is.
    for _ in 0..2 {
        assert!(charge(&other).await);
        assert!(take(&other, 2).await);
    }
    server.pause();
    assert!(charge(&here).await, "memory counts alone");
    assert!(take(&here, 2).await, "memory counts alone");
    server.resume();
    is_back(&here).await;
    here.give_back(&two, NOON).await.unwrap();
    here.give_try_back(key(2), NOON).await.unwrap();
    let third = RedisThrottle::new(&redis);
    assert!(!charge(&third).await, "Redis was never charged for it");
    assert!(!take(&third, 2).await, "Redis never gave that try");
    // What Redis did count is given back there, once.
    other.give_back(&two, NOON).await.unwrap();
    other.give_try_back(key(2), NOON).await.unwrap();
    assert!(charge(&third).await && !charge(&third).await);
    assert!(take(&third, 2).await && !take(&third, 2).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn memory_keeps_no_try_that_redis_refused_and_no_credit_for_what_it_never_counted() {
    let mut server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let (here, other) = (RedisThrottle::new(&redis), RedisThrottle::new(&redis));
    let take = async |throttle: &RedisThrottle| {
        let take = throttle.take_try(key(2), 2, after(600), NOON).await;
        take.unwrap() != Take::Exhausted
    };
    assert!(take(&other).await && take(&other).await);
    for _ in 0..5 {
        assert!(!take(&here).await, "Redis says that there is none");
    }
    other.give_try_back(key(2), NOON).await.unwrap();
    assert!(take(&here).await, "the one that was given back");

    // Memory is full from an outage, and Redis has room.
    let one = [Charge::new(key(1), Rate::new(1, Duration::from_secs(180)))];
    let charge = async || here.charge(&one, NOON).await.unwrap() == Charged::Admitted;
    server.kill();
    assert!(charge().await, "memory counts alone");
    server.restart().await;
    is_back(&here).await;
    assert!(charge().await, "Redis has counted nothing");
    // One of the two is given back, and the other stays.
    here.give_back(&one, NOON).await.unwrap();
    server.kill();
    assert!(!charge().await, "one of two is still counted here");
}

/// Waits until a throttle asks Redis again.
async fn is_back(throttle: &RedisThrottle) {
    let rate = Rate::new(1_000_000, Duration::from_millis(1));
    let probe = [Charge::new(key(99), rate)];
    until("it asks again", async || {
        let _ = throttle.charge(&probe, NOON).await.unwrap();
        !format!("{throttle:?}").contains("is_away: true")
    })
    .await;
}
