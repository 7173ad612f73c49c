//! The gauges of the metrics, while a real Redis is away and back.

use metrics_exporter_prometheus::PrometheusBuilder;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    revocation::RedisRevocations,
    store::Redis,
    testing::StubProvider,
    throttle::{RedisThrottle, Take, Throttle},
};

use crate::{
    names::ORIGIN,
    redis::{RedisServer, until},
    session::{NOON, after},
    throttle::key,
};

/// On one thread, which has a recorder of its own.
#[tokio::test]
#[ignore = "needs redis-server; run by tests/run"]
async fn each_gauge_falls_when_redis_goes_and_rises_when_it_is_back() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let page = recorder.handle();
    let shows = |store: &str, value: u8| {
        let line = format!("\ntower_magic_link_store_server_up{{store=\"{store}\"}} {value}\n");
        page.render().contains(&line)
    };
    let mut server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let throttle = RedisThrottle::new(&redis);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let _layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .revocations(RedisRevocations::connect(&redis).await.unwrap())
        .throttle(throttle.clone())
        .build()
        .unwrap();
    let ask = async || {
        let taken = throttle.take_try(key(1), 1_000_000, after(600), NOON).await;
        assert!(matches!(taken, Ok(Take::Taken { .. })), "{taken:?}");
    };
    assert!(shows("revocations", 1), "{}", page.render());
    assert!(shows("throttle", 1), "{}", page.render());

    server.kill();
    until("the copy is no longer followed", async || {
        shows("revocations", 0)
    })
    .await;
    assert!(shows("throttle", 1), "it was not asked yet");
    until("the throttle finds the server gone", async || {
        ask().await;
        shows("throttle", 0)
    })
    .await;

    server.restart().await;
    until("the copy is followed again", async || {
        shows("revocations", 1)
    })
    .await;
    until("the throttle finds the server", async || {
        ask().await;
        shows("throttle", 1)
    })
    .await;
}

#[tokio::test]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_store_that_has_never_reached_its_server_shows_that() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut server = RedisServer::start().await;
    server.kill();
    let redis = Redis::new(&server.url()).unwrap();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let _layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .revocations(RedisRevocations::connect_later(&redis))
        .build()
        .unwrap();
    let line = |value: u8| {
        format!("\ntower_magic_link_store_server_up{{store=\"revocations\"}} {value}\n")
    };
    let page = recorder.handle();
    assert!(page.render().contains(&line(0)), "{}", page.render());
    server.restart().await;
    until("it is reached", async || page.render().contains(&line(1))).await;
}
