//! How a Redis is reached: far away, over TLS, by a socket, as a user of few rights, and while the
//! keys move through a cluster.

mod acl;
mod distance;
mod moving;
mod sentinel;
mod socket;
mod tls;

use tower_magic_link::{
    revocation::{RedisRevocations, Revocations, Standing},
    store::Redis,
    throttle::{Charge, Charged, Rate, RedisThrottle, Throttle},
};

use crate::{
    log,
    redis::until,
    session::{NOON, People, end_of, standing},
    throttle::key,
};

/// Ends a session by one store and finds it ended by another, and counts with a throttle.
async fn works(redis: &Redis) {
    let people = People::new();
    let session = people.session("a", 10);
    let (a, b) = (
        RedisRevocations::connect(redis).await.unwrap(),
        RedisRevocations::connect(redis).await.unwrap(),
    );
    a.revoke(&end_of(&session)).await.unwrap();
    until("it is heard of", async || {
        standing(&b, &session) == Some(Standing::Revoked)
    })
    .await;
    counts_together(redis).await;
}

/// Finds that two throttles count together, as they do in Redis alone.
async fn counts_together(redis: &Redis) {
    let charges = [Charge::new(
        key(1),
        Rate::new(1, std::time::Duration::from_secs(9)),
    )];
    let (a, b) = (RedisThrottle::new(redis), RedisThrottle::new(redis));
    let first = a.charge(&charges, NOON).await.unwrap();
    assert_eq!(first, Charged::Admitted);
    until("they count together", async || {
        let second = b.charge(&charges, NOON).await.unwrap();
        matches!(second, Charged::Refused { .. })
    })
    .await;
}
