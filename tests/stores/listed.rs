//! `RedisSessions`: the list that two replicas share.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SessionId, SigningKey,
    clock::Clock,
    provider::Identity,
    revocation::RedisRevocations,
    sessions::{ListedSession, RedisSessions},
    store::Redis,
    testing::{ManualClock, StubProvider, suite},
};

use crate::{
    names::{ADA, ORIGIN},
    redis::{RedisServer, until},
    session::NOON,
};

async fn layer(redis: &Redis, clock: &ManualClock) -> MagicLinkLayer {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .clock(clock.clone())
        .revocations(RedisRevocations::connect(redis).await.unwrap())
        .session_index(RedisSessions::new(redis))
        .build()
        .unwrap()
}

fn issue(layer: &MagicLinkLayer, subject: &str) -> Session {
    let identity = Identity::new(subject, ADA.parse().unwrap());
    layer.issuer().issue(&identity).unwrap().session().clone()
}

async fn ids(layer: &MagicLinkLayer, subject: &str) -> Vec<SessionId> {
    let listed = layer.sessions_of(subject).await;
    let listed = listed.unwrap_or_default();
    listed.iter().map(ListedSession::id).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_one_replica_begins_another_lists_until_it_ends() {
    let mut server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let redis = redis.settle(Duration::from_secs(1)).unwrap();
    let clock = ManualClock::at(NOON);
    let (a, b) = (layer(&redis, &clock).await, layer(&redis, &clock).await);
    let phone = issue(&a, "ada");
    clock.advance(Duration::from_secs(1));
    let laptop = issue(&b, "ada");
    until("both list both", async || {
        let both = [laptop.id(), phone.id()];
        ids(&a, "ada").await == both && ids(&b, "ada").await == both
    })
    .await;
    assert_eq!(ids(&a, "eve").await, []);
    b.issuer().sign_out(&phone).await.unwrap();
    until("one is left", async || {
        ids(&a, "ada").await == [laptop.id()]
    })
    .await;

    // Many of one subject: the first to end leave.
    for _ in 0..110 {
        clock.advance(Duration::from_secs(1));
        issue(&a, "many");
    }
    until("100 are listed", async || {
        ids(&b, "many").await.len() == 100
    })
    .await;
    // Each key expires with the last of its sessions.
    let forever = "local kept = {} for _, key in ipairs(redis.call('KEYS', '*:sessions:*')) do \
                   if redis.call('TTL', key) == -1 then table.insert(kept, key) end end return kept";
    assert_eq!(server.say(&["EVAL", forever, "0"]), "");
    assert!(
        !server.say(&["KEYS", "*"]).contains("ada"),
        "no name in a key"
    );
    clock.set(laptop.expires_at());
    assert_eq!(ids(&a, "ada").await, []);

    server.kill();
    let began = tokio::time::Instant::now();
    let last = issue(&a, "last");
    assert!(began.elapsed() < Duration::from_millis(200), "nobody waits");
    a.sessions_of("last").await.unwrap_err();
    server.restart().await;
    until("it is listed by a renewal", async || {
        let again = a.issuer().issue_from(&last).unwrap();
        ids(&a, "last").await.contains(&again.session().id())
    })
    .await;
    assert!(clock.now() > NOON);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_index_in_redis_passes_the_suite() {
    let server = RedisServer::start().await;
    let report = suite::sessions::run_shared(async |world| {
        let redis = Redis::new(&server.url()).unwrap();
        RedisSessions::new(&redis.namespace(world.name()).unwrap())
    });
    let report = report.await;
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
}
