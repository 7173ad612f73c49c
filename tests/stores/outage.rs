//! `RedisRevocations` while Redis is killed, paused, emptied, cut off or full.

use std::time::Duration;

use tower_magic_link::{
    revocation::{RedisRevocations, Revocations},
    store::Redis,
};

use crate::{redis::until, session::end_of};

mod evicts;
mod failover;
mod fresh;
mod handle;
mod history;
mod lost;
mod stream;
mod writes;

/// That Redis is away is noticed within this. As for every limit of what `until` returns, the
/// machine's own lag is left out.
const NOTICED: Duration = Duration::from_millis(1_600);
/// All is well again within this.
const RECOVERED: Duration = Duration::from_secs(2);

/// These tests' servers are new. How long a new data set is not believed has tests of its own.
const SETTLED: Duration = Duration::from_secs(1);

fn at(url: &str, grace: u64) -> Redis {
    Redis::new(url)
        .unwrap()
        .grace(Duration::from_secs(grace))
        .unwrap()
        .settle(SETTLED)
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

/// Returns how long it took.
async fn is_back(what: &str, store: &RedisRevocations) -> Duration {
    let took = until(what, async || store.is_following()).await;
    println!("{what}: recovered after {took:?}");
    assert!(took < RECOVERED, "{what}: {took:?}");
    took
}
