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
    .on_event(move |event| ears.lock().unwrap().push(format!("{event:?}")))
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
