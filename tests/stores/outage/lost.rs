//! Redis is killed, paused or emptied, or a connection to it is cut.

use std::time::Duration;

use tokio::time::Instant;
use tower_magic_link::{
    revocation::{
        Revocations,
        Standing::{Active, Revoked},
        Target,
    },
    store::StoreErrorKind,
};

use super::{RECOVERED, at, connect, end, is_back, is_lost};
use crate::{
    held,
    redis::{Condition, RedisServer, Wire, until},
    session::{FAR, People, end_of, revocation, standing},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_killed_and_comes_back_empty_loses_nothing() {
    let mut server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [before, meanwhile, live] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &before).await;
    let everybody = revocation(Target::Organization("org".to_owned()), 20, FAR);
    a.revoke(&everybody).await.unwrap();
    until("b hears", async || b.len() == 2).await;

    server.kill();
    is_lost("killed, a", &a).await;
    is_lost("killed, b", &b).await;
    let mut told = None;
    let took = until("it is told", async || {
        told = Some(a.revoke(&end_of(&meanwhile)).await);
        true
    })
    .await;
    assert!(
        matches!(told, Some(Err(_))) && took < Duration::from_secs(2),
        "{told:?} after {took:?}"
    );
    for store in [&a, &b] {
        assert_eq!(standing(store, &before), Some(Revoked));
        assert_eq!(standing(store, &live), Some(Active), "within the grace");
    }
    assert_eq!(
        standing(&a, &meanwhile),
        Some(Revoked),
        "it holds where it was ordered"
    );
    assert_eq!(
        standing(&b, &meanwhile),
        Some(Active),
        "it could not be told"
    );

    server.restart().await;
    let a_took = is_back("killed, a", &a).await;
    let b_took = is_back("killed, b", &b).await;
    let heard = until("b hears", async || {
        standing(&b, &meanwhile) == Some(Revoked)
    })
    .await;
    let took = a_took + b_took + heard;
    assert!(took < RECOVERED, "{took:?}");
    let late = connect(&redis).await;
    until("all was put back", async || late.len() == 3).await;
    assert_eq!(standing(&late, &before), Some(Revoked));
    assert_eq!(standing(&late, &live), Some(Active));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_paused_is_noticed_and_past_the_grace_nobody_is_vouched_for() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 3);
    let (a, b) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [before, live, meanwhile] = ["a", "b", "c"].map(|name| people.session(name, 10));
    end(&a, &before).await;
    until("b hears", async || b.len() == 1).await;

    let began = Instant::now();
    server.pause();
    is_lost("paused, a", &a).await;
    assert_eq!(standing(&a, &live), Some(Active), "within the grace");
    let told = a.revoke(&end_of(&meanwhile)).await.unwrap_err();
    assert_eq!(told.kind(), StoreErrorKind::TimedOut);
    let mut vouched = Duration::ZERO;
    until("the grace ends", async || {
        let asked = began.elapsed();
        let is_over = standing(&a, &live).is_none();
        if !is_over {
            vouched = asked;
        }
        is_over
    })
    .await;
    let ended = began.elapsed();
    println!("paused: the grace of 3 s ended after {ended:?}");
    let about = Duration::from_millis(2_600)..Duration::from_millis(3_200);
    assert!(
        ended > about.start && vouched < about.end,
        "{vouched:?}, {ended:?}"
    );
    for store in [&a, &b] {
        until("the grace ends", async || standing(store, &live).is_none()).await;
        assert_eq!(
            standing(store, &before),
            Some(Revoked),
            "what has ended has ended"
        );
    }
    assert_eq!(standing(&a, &meanwhile), Some(Revoked));

    server.resume();
    is_back("paused, a", &a).await;
    is_back("paused, b", &b).await;
    until("it is sent again", async || {
        standing(&b, &meanwhile) == Some(Revoked)
    })
    .await;
    assert_eq!(standing(&a, &live), Some(Active));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_emptied_under_us_is_refilled() {
    let server = RedisServer::start().await;
    let redis = at(&server.url(), 30);
    let a = connect(&redis).await;
    let people = People::new();
    let sessions: Vec<_> = (0..1_000).map(|_| people.session("a", 10)).collect();
    for revocation in sessions.iter().map(end_of) {
        a.revoke(&revocation).await.unwrap();
    }
    let held = || held::revocations(&server);
    for words in [
        &["FLUSHALL"][..],
        &[
            "DEL",
            "{tower-magic-link}:ended",
            "{tower-magic-link}:state",
        ],
    ] {
        server.say(words);
        let took = until("it is refilled", async || held() == "1000").await;
        println!("{words:?}: refilled with 1,000 after {took:?}");
        assert!(took < RECOVERED, "{took:?}");
        assert!(a.is_following());
    }
    // The next revocation goes on from there.
    let b = connect(&redis).await;
    let one = people.session("b", 10);
    end(&a, &one).await;
    until("b hears", async || standing(&b, &one) == Some(Revoked)).await;
    assert_eq!((a.len(), b.len()), (1_001, 1_001));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_is_cut_off_catches_up() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let a = connect(&at(&wire.url(), 5)).await;
    let b = connect(&at(&server.url(), 5)).await;
    let people = People::new();
    let live = people.session("live", 10);
    for condition in [Condition::Cut, Condition::Dead] {
        let what = format!("{condition:?}");
        wire.is_now(condition);
        is_lost(&what, &a).await;
        let (there, here) = (people.session("b", 10), people.session("a", 10));
        end(&b, &there).await;
        assert_eq!(standing(&b, &there), Some(Revoked));
        assert_eq!(standing(&a, &there), Some(Active), "{what}: it cannot know");
        a.revoke(&end_of(&here)).await.unwrap_err();
        until("the grace ends", async || standing(&a, &there).is_none()).await;
        assert!(
            b.is_following() && standing(&b, &live) == Some(Active),
            "{what}"
        );

        wire.is_now(Condition::Whole);
        is_back(&what, &a).await;
        assert_eq!(
            standing(&a, &there),
            Some(Revoked),
            "{what}: before it vouches for anybody"
        );
        assert_eq!(standing(&a, &live), Some(Active), "{what}");
        until("it is sent again", async || {
            standing(&b, &here) == Some(Revoked)
        })
        .await;
    }
}
