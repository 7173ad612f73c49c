//! `RedisThrottle`: the suite of the port, and that nothing stays in Redis.

use std::sync::Arc;

use tower_magic_link::{
    clock::Timestamp,
    store::{Redis, StoreError},
    testing::suite,
    throttle::{Charge, Charged, RedisThrottle, Take, Throttle, ThrottleKey},
};

use crate::{redis::RedisServer, wall::Wall};

/// A throttle whose Redis has the time of the suite: the scripts go by the server's clock alone.
struct OnTime(RedisThrottle, Arc<Wall>);

impl OnTime {
    fn at(&self, now: Timestamp) -> &RedisThrottle {
        self.1.stand(now);
        &self.0
    }
}

impl Throttle for OnTime {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        self.at(now).charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        self.at(now).take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.at(now).give_try_back(key, now).await
    }

    async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
        self.at(now).give_back(charges, now).await
    }
}

pub(crate) fn key(number: u64) -> ThrottleKey {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ThrottleKey::from_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn redis_passes_the_suite_and_keeps_no_key_for_ever() {
    let wall = Arc::new(Wall::new());
    let server = RedisServer::start_as(&[], &wall.variables()).await;
    let report = suite::throttle::run_shared(async |world| {
        let redis = Redis::new(&server.url()).unwrap();
        let redis = redis.namespace(world.name()).unwrap();
        OnTime(RedisThrottle::new(&redis), wall.clone())
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
