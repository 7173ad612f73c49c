//! The throttle and the index of sessions leave a server that is no longer the primary.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    sessions::{ListedSession, RedisSessions, Sessions},
    store::Redis,
    throttle::{Charge, Charged, Rate, RedisThrottle, Take, Throttle},
};

use crate::{
    redis::{RedisServer, Wire, until},
    session::{NOON, after},
    throttle::key,
};

const RECORD: &str = r#"{"sid":"AAECAwQFBgcICQoLDA0ODw","sub":"a","email":"ada@example.com",
    "iat":1,"exp":9000000000,"auth_time":1}"#;

/// Pins: whoever was connected counted at the old server for as long as that answered. A link then
/// signed in once there, and once at the new one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_throttle_and_an_index_leave_an_old_server_that_still_answers() {
    let (new, old) = (RedisServer::start().await, RedisServer::start().await);
    let port = Arc::new(AtomicU16::new(old.port));
    let wire = Wire::switched(port.clone()).await;
    let [ours, theirs] = [wire.url(), new.url()].map(|url| Redis::new(&url).unwrap());
    let (here, other) = (RedisThrottle::new(&ours), RedisThrottle::new(&theirs));
    let (listed, notes) = (RedisSessions::new(&ours), RedisSessions::new(&theirs));
    let rate = Rate::new(1_000_000, Duration::from_millis(1));
    let probe = [Charge::new(key(99), rate)];
    assert_eq!(here.charge(&probe, NOON).await.unwrap(), Charged::Admitted);
    assert_eq!(listed.list("a", NOON).await.unwrap().len(), 0);

    port.store(new.port, Ordering::SeqCst);
    let take = async |throttle: &RedisThrottle| {
        throttle
            .take_try(key(1), 1, after(600), NOON)
            .await
            .unwrap()
    };
    assert_eq!(take(&other).await, Take::Taken { left: 0 });
    let session = ListedSession::from_record(RECORD).unwrap();
    notes.note(&session, NOON).await.unwrap();
    let count = || new.say(&["DBSIZE"]);
    let before = count();
    let took = until("it counts at the new server", async || {
        let _ = here.charge(&probe, NOON).await.unwrap();
        count() != before
    })
    .await;
    println!("the throttle leaves an old server after {took:?}");
    assert_eq!(take(&here).await, Take::Exhausted, "the link is used");
    let took = until("it lists what is there", async || {
        listed.list("a", NOON).await.unwrap().len() == 1
    })
    .await;
    println!("and the index after {took:?} more");
}
