//! `RedisThrottle` when the connection is cut after Redis has decided, and before its answer.
//!
//! Each pins a decision that was made again over a new connection, and so counted twice.

use std::time::Duration;

use tower_magic_link::{
    store::Redis,
    throttle::{Charge, Charged, Rate, RedisThrottle, Take, Throttle},
};

use crate::{
    redis::{Condition, RedisServer, Wire, until},
    session::{NOON, after},
    throttle::key,
};

/// A server, a throttle whose way there is cut, and another throttle that sees what Redis counts.
struct Scene {
    server: RedisServer,
    wire: Wire,
    here: RedisThrottle,
    other: RedisThrottle,
}

impl Scene {
    async fn new() -> Self {
        let server = RedisServer::start().await;
        let wire = Wire::to(server.port).await;
        let throttle = |url: &str| RedisThrottle::new(&Redis::new(url).unwrap());
        let (here, other) = (throttle(&wire.url()), throttle(&server.url()));
        // Redis knows the scripts from now on: each decision is one question.
        let warm = [charge_of(99, 9)];
        assert_eq!(charge(&here, &warm).await, Charged::Admitted);
        here.give_back(&warm, NOON).await.unwrap();
        let _ = take(&here, 99, 9).await;
        here.give_try_back(key(99), NOON).await.unwrap();
        Self {
            server,
            wire,
            here,
            other,
        }
    }

    /// Waits for a decision, and cuts the way once Redis has made it.
    async fn cut_off<T>(&self, decision: impl Future<Output = T>) -> T {
        let before = self.decided();
        self.wire.is_now(Condition::Mute);
        let cut = async {
            until("redis decides", async || self.decided() > before).await;
            self.wire.is_now(Condition::Broken);
        };
        let (decided, ()) = futures_util::future::join(decision, cut).await;
        decided
    }

    /// Returns how many decisions Redis has made.
    fn decided(&self) -> u64 {
        let stats = self.server.say(&["INFO", "commandstats"]);
        let calls = stats.lines().find_map(|line| {
            let line = line.strip_prefix("cmdstat_evalsha:calls=")?;
            line.split(',').next()?.parse().ok()
        });
        calls.unwrap()
    }
}

fn charge_of(number: u64, burst: u32) -> Charge {
    let period = Duration::from_secs(60 * u64::from(burst));
    Charge::new(key(number), Rate::new(burst, period))
}

async fn charge(throttle: &RedisThrottle, charges: &[Charge]) -> Charged {
    throttle.charge(charges, NOON).await.unwrap()
}

async fn take(throttle: &RedisThrottle, number: u64, most: u32) -> Take {
    let take = throttle.take_try(key(number), most, after(600), NOON);
    take.await.unwrap()
}

/// Returns how many units of a rate Redis still grants.
async fn granted(throttle: &RedisThrottle, of: Charge) -> u32 {
    let mut granted = 0;
    while charge(throttle, &[of]).await == Charged::Admitted {
        granted += 1;
    }
    granted
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_only_try_of_a_link_whose_answer_is_lost_lets_the_person_in_and_is_taken() {
    let scene = Scene::new().await;
    let taken = scene.cut_off(take(&scene.here, 1, 1)).await;
    assert_eq!(taken, Take::Taken { left: 0 }, "nobody has signed in yet");
    assert_eq!(take(&scene.here, 1, 1).await, Take::Exhausted);
    assert_eq!(take(&scene.other, 1, 1).await, Take::Exhausted);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_charge_whose_answer_is_lost_is_made_once() {
    let scene = Scene::new().await;
    let charges = [charge_of(1, 3)];
    let charged = scene.cut_off(charge(&scene.here, &charges)).await;
    assert_eq!(charged, Charged::Admitted);
    let [of] = charges;
    assert_eq!(granted(&scene.other, of).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_is_given_back_is_credited_once_though_the_answer_is_lost() {
    let scene = Scene::new().await;
    let of = charge_of(1, 3);
    assert_eq!(granted(&scene.here, of).await, 3);
    let back = [of];
    let back = scene.here.give_back(&back, NOON);
    scene.cut_off(back).await.unwrap();
    assert_eq!(granted(&scene.other, of).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_try_is_given_back_once_though_the_answer_is_lost() {
    let scene = Scene::new().await;
    for left in [2, 1, 0] {
        assert_eq!(take(&scene.here, 1, 3).await, Take::Taken { left });
    }
    let back = scene.here.give_try_back(key(1), NOON);
    scene.cut_off(back).await.unwrap();
    assert_eq!(take(&scene.other, 1, 3).await, Take::Taken { left: 0 });
    assert_eq!(take(&scene.other, 1, 3).await, Take::Exhausted);
}

/// A connection that closed while nothing was asked carried no decision: a new one is made at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_connection_that_closed_between_two_decisions_costs_none() {
    let scene = Scene::new().await;
    // The one that asks is a client, too.
    let connected = |count: u32| {
        let clients = scene.server.say(&["INFO", "clients"]);
        clients.contains(&format!("connected_clients:{count}\r"))
    };
    until("it is connected", async || connected(2)).await;
    scene.wire.is_now(Condition::Broken);
    until("it is closed", async || connected(1)).await;
    let of = charge_of(1, 3);
    assert_eq!(charge(&scene.here, &[of]).await, Charged::Admitted);
    assert_eq!(granted(&scene.other, of).await, 2, "Redis has counted it");
}
