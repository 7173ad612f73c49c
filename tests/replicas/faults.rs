//! Two replicas, and a Redis that is killed, paused, emptied or cut off under them.

use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use crate::{
    redis::{Condition, RedisServer, Wire, until},
    site::{Heard, Replica, Site, ask, client, sign_out},
};

/// The example's grace, which is the default.
const GRACE: Duration = Duration::from_secs(30);

/// Who is asked about, all the time.
struct Crowd {
    http: Client,
    live: Vec<String>,
    ended: Vec<String>,
}

impl Crowd {
    /// Signs some out, and waits until every replica knows.
    async fn at(site: &Site, replicas: &[&Replica]) -> Self {
        let cookies = |name: &str| {
            (0..20)
                .map(|number| site.cookie(&format!("{name}{number}")))
                .collect()
        };
        let crowd = Self {
            http: client(),
            live: cookies("live"),
            ended: cookies("ended"),
        };
        for (number, cookie) in crowd.ended.iter().enumerate() {
            let at = replicas[number % replicas.len()];
            assert_eq!(sign_out(&crowd.http, &at.origin, cookie, "").await, 303);
        }
        for replica in replicas {
            for cookie in &crowd.ended {
                let is_out = async || {
                    ask(&crowd.http, &replica.origin, cookie).await == Some(Heard::SignedOut)
                };
                until("it is heard of", is_out).await;
            }
        }
        crowd
    }

    /// Asks about everybody at a replica: nobody who was signed out is let in, ever; who is signed
    /// in hears one thing.
    async fn live_hear(&self, replica: &Replica) -> Heard {
        for cookie in &self.ended {
            assert_eq!(
                ask(&self.http, &replica.origin, cookie).await,
                Some(Heard::SignedOut)
            );
        }
        let mut heard = Vec::new();
        for cookie in &self.live {
            heard.push(ask(&self.http, &replica.origin, cookie).await.unwrap());
        }
        assert!(
            !heard.contains(&Heard::SignedOut),
            "a valid session was lost"
        );
        // In the middle of a change both may be heard.
        if heard.contains(&Heard::Later) {
            Heard::Later
        } else {
            Heard::SignedIn
        }
    }

    async fn all_are_well(&self, what: &str, replicas: &[&Replica]) {
        for replica in replicas {
            assert_eq!(self.live_hear(replica).await, Heard::SignedIn, "{what}");
        }
    }

    async fn is_following(&self, replica: &Replica) -> bool {
        let answer = self
            .http
            .get(format!("{}/readyz", replica.origin))
            .send()
            .await;
        answer.unwrap().text().await.unwrap() == "following"
    }

    async fn is_lost(&self, what: &str, replica: &Replica) {
        let took = until(what, async || !self.is_following(replica).await).await;
        println!("{what}: noticed after {took:?}");
        assert!(took < Duration::from_millis(1_700), "{took:?}");
    }

    async fn is_back(&self, what: &str, replica: &Replica) {
        let took = until(what, async || self.is_following(replica).await).await;
        println!("{what}: recovered after {took:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

/// Somebody signs out at `a` while Redis is away: told so, and refused at `a` at once; at `b` once
/// Redis is back.
async fn sign_out_meanwhile(site: &Site, crowd: &Crowd, a: &Replica) -> String {
    let cookie = site.cookie("meanwhile");
    let mut status = None;
    let took = until("an answer", async || {
        status = Some(sign_out(&crowd.http, &a.origin, &cookie, "").await);
        true
    })
    .await;
    assert_eq!(status, Some(503), "it is owned up to");
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    assert_eq!(
        ask(&crowd.http, &a.origin, &cookie).await,
        Some(Heard::SignedOut)
    );
    cookie
}

async fn is_heard_of(crowd: &Crowd, replica: &Replica, cookie: &str) {
    let is_out = async || ask(&crowd.http, &replica.origin, cookie).await == Some(Heard::SignedOut);
    let took = until("it is sent again", is_out).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_killed_and_comes_back_empty_signs_nobody_out_and_nobody_in() {
    let mut redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let (a, b) = (site.replica(), site.replica());
    let crowd = Crowd::at(&site, &[&a, &b]).await;
    redis.kill();
    for replica in [&a, &b] {
        crowd.is_lost("killed", replica).await;
    }
    let meanwhile = sign_out_meanwhile(&site, &crowd, &a).await;
    crowd
        .all_are_well("killed, within the grace", &[&a, &b])
        .await;
    redis.restart().await;
    for replica in [&a, &b] {
        crowd.is_back("restarted empty", replica).await;
    }
    is_heard_of(&crowd, &b, &meanwhile).await;
    // Who knows nothing but what Redis holds knows all of it.
    let late = site.replica();
    is_heard_of(&crowd, &late, &meanwhile).await;
    crowd
        .all_are_well("restarted empty", &[&a, &b, &late])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_paused_for_longer_than_the_grace_is_a_503_and_nobody_loses_a_session() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let (a, b) = (site.replica(), site.replica());
    let crowd = Crowd::at(&site, &[&a, &b]).await;
    redis.pause();
    let began = Instant::now();
    for replica in [&a, &b] {
        crowd.is_lost("paused", replica).await;
    }
    let meanwhile = sign_out_meanwhile(&site, &crowd, &a).await;
    let mut rounds = 0;
    while began.elapsed() < GRACE - Duration::from_secs(3) {
        crowd
            .all_are_well("paused, within the grace", &[&a, &b])
            .await;
        rounds += 1;
    }
    let still = Duration::from_secs(6);
    let closed = until("the grace ends", async || {
        crowd.live_hear(&a).await == Heard::Later && crowd.live_hear(&b).await == Heard::Later
    });
    closed.await;
    let ended = began.elapsed();
    println!("paused: {rounds} rounds of 40 sessions within the grace; past it after {ended:?}");
    assert!(ended < GRACE + still, "{ended:?}");
    for replica in [&a, &b] {
        for cookie in &crowd.live {
            assert_eq!(
                ask(&crowd.http, &replica.origin, cookie).await,
                Some(Heard::Later)
            );
        }
    }
    redis.resume();
    for replica in [&a, &b] {
        crowd.is_back("resumed", replica).await;
    }
    is_heard_of(&crowd, &b, &meanwhile).await;
    crowd.all_are_well("resumed", &[&a, &b]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn replicas_whose_connections_are_cut_come_back_and_catch_up() {
    let redis = RedisServer::start().await;
    let wire = Wire::to(redis.port).await;
    let far = Site::new(&wire.url()).await;
    let (a, b) = (far.replica(), far.replica());
    let crowd = Crowd::at(&far, &[&a, &b]).await;
    for condition in [Condition::Cut, Condition::Dead] {
        let what = format!("{condition:?}");
        wire.is_now(condition);
        for replica in [&a, &b] {
            crowd.is_lost(&what, replica).await;
        }
        let meanwhile = sign_out_meanwhile(&far, &crowd, &a).await;
        crowd.all_are_well(&what, &[&a, &b]).await;
        wire.is_now(Condition::Whole);
        for replica in [&a, &b] {
            crowd.is_back(&what, replica).await;
        }
        is_heard_of(&crowd, &b, &meanwhile).await;
        crowd.all_are_well("whole again", &[&a, &b]).await;
    }
}
