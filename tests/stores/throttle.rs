//! `RedisThrottle`: the suite of the port, and that nothing stays in Redis.

use tower_magic_link::{
    store::Redis,
    testing::suite,
    throttle::{RedisThrottle, ThrottleKey},
};

use crate::redis::RedisServer;

pub(crate) fn key(number: u64) -> ThrottleKey {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ThrottleKey::from_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn redis_passes_the_suite_and_keeps_no_key_for_ever() {
    let server = RedisServer::start().await;
    let report = suite::throttle::run_shared(async |world| {
        let redis = Redis::new(&server.url()).unwrap();
        RedisThrottle::new(&redis.namespace(world.name()).unwrap())
    });
    let report = report.await;
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
    let keys = server.say(&["KEYS", "*"]);
    assert!(keys.lines().count() > 10, "{keys}");
    let forever = "local kept = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                   if redis.call('TTL', key) == -1 then table.insert(kept, key) end end return kept";
    assert_eq!(server.say(&["EVAL", forever, "0"]), "");
}
