//! `RedisThrottle` counts by one clock, Redis's own, whatever the replicas' clocks say.

use std::time::Duration;

use futures_util::future::join_all;
use tower_magic_link::{
    clock::Timestamp,
    store::Redis,
    throttle::{Charge, Charged, Rate, RedisThrottle, Take, Throttle},
};

use crate::{
    redis::RedisServer,
    session::{NOON, after},
    throttle::key,
    wall::Wall,
};

/// By how many seconds a replica's clock is ahead of noon, and a minute more.
const SKEWS: [u64; 5] = [0, 54, 60, 66, 120];

fn hourly() -> Charge {
    Charge::new(key(1), Rate::new(60, Duration::from_secs(3_600)))
}

/// Pins: with replicas 6 s apart, a limit of 60 let 300 of 300 through. Each charge was cut back by
/// the clock that was behind, and the cut was stored.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn of_three_hundred_exactly_sixty_pass_whatever_the_replicas_clocks_say() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let replicas = SKEWS.map(|skew| (RedisThrottle::new(&redis), after(skew)));
    let charges = [hourly()];
    // Some one by one, in turn: a cut by one clock is undone by the next.
    let mut passed = 0;
    for _ in 0..20 {
        for (replica, now) in &replicas {
            let charged = replica.charge(&charges, *now).await.unwrap();
            passed += u32::from(charged == Charged::Admitted);
        }
    }
    assert_eq!(passed, 60, "in turn");
    let charges = [Charge::new(key(2), hourly().rate())];
    let asked = (0..60).flat_map(|_| &replicas);
    let asked = asked.map(|(replica, now)| replica.charge(&charges, *now));
    let charged = join_all(asked).await;
    let mut passed = 0;
    for charged in charged {
        match charged.unwrap() {
            Charged::Admitted => passed += 1,
            // What a person is told is an interval, and the same at every replica.
            Charged::Refused { wait, .. } => {
                let hour = Duration::from_secs(3_600);
                let least = hour - Duration::from_secs(60);
                assert!((least..=hour).contains(&wait), "{wait:?}");
            }
        }
    }
    assert_eq!(passed, 60, "at once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_tries_of_a_code_are_exact_whatever_the_replicas_clocks_say() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    // The sign-in was begun at the replica in the middle, and ends by that one's clock.
    for (round, until) in [(1, 600), (2, 70)] {
        let mut taken = 0;
        for _ in 0..20 {
            for skew in SKEWS {
                // A new process each time: it has counted nothing itself.
                let replica = RedisThrottle::new(&redis);
                let take = replica.take_try(key(round), 5, after(until), after(skew));
                taken += u32::from(take.await.unwrap() != Take::Exhausted);
            }
        }
        assert_eq!(taken, 5, "until {until}");
    }
}

/// A replica that is a minute behind takes guesses for a minute longer.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn a_replica_that_is_behind_has_no_fresh_tries_when_a_code_has_ended_elsewhere() {
    let wall = Wall::new();
    let server = RedisServer::start_as(&[], &wall.variables()).await;
    let redis = Redis::new(&server.url()).unwrap();
    wall.stand(NOON);
    for left in [4, 3, 2, 1, 0] {
        let replica = RedisThrottle::new(&redis);
        let take = replica.take_try(key(1), 5, after(600), NOON).await;
        assert_eq!(take.unwrap(), Take::Taken { left });
    }
    for real in [599, 600, 630, 659] {
        wall.stand(after(real));
        let behind = RedisThrottle::new(&redis);
        let take = behind.take_try(key(1), 5, after(600), after(real - 60));
        assert_eq!(take.await.unwrap(), Take::Exhausted, "second {real}");
    }
    wall.stand(after(800));
    assert_eq!(server.say(&["KEYS", "*"]), "", "nothing stays");
}

/// Redis's own clock is set, or a failover leads to a server with another one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn a_redis_whose_clock_is_set_by_a_minute_and_comes_right_gives_nothing_back() {
    let wall = Wall::new();
    let server = RedisServer::start_as(&[], &wall.variables()).await;
    let redis = Redis::new(&server.url()).unwrap();
    let throttle = RedisThrottle::new(&redis);
    let slow = Rate::new(3, Duration::from_secs(180));
    let charge = async |number, at: Timestamp| {
        wall.stand(at);
        throttle
            .charge(&[Charge::new(key(number), slow)], NOON)
            .await
            .unwrap()
    };
    let waits = |seconds| {
        let wait = Duration::from_secs(seconds);
        Charged::Refused { by: 0, wait }
    };
    let (begun, minute) = (after(1_000), Duration::from_secs(60));
    for number in [1, 2] {
        for _ in 0..3 {
            assert_eq!(charge(number, begun).await, Charged::Admitted);
        }
        assert_eq!(charge(number, begun).await, waits(180));
    }
    // Back: it waits for longer by the step, and what was charged stays charged.
    assert_eq!(charge(1, begun - minute).await, waits(240));
    assert_eq!(charge(1, begun).await, waits(180), "right again");
    // Forth: the step counts as time that has passed, for what is asked then.
    assert_eq!(charge(1, begun + minute).await, waits(120));
    assert_eq!(charge(2, begun).await, waits(180), "right again");
    // Back by an hour: nobody waits for longer than one period, and nothing is given back.
    let hour = Duration::from_secs(3_600);
    assert_eq!(charge(1, begun - hour).await, waits(180));
    assert_eq!(charge(1, begun - hour + minute).await, waits(120));
}

/// Pins: the refusal of a narrower rate, such as of a replica that has tighter limits already, cut
/// the count to its own refill, and stored that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn a_narrower_rate_takes_nothing_off_what_a_wider_one_has_counted_in_redis() {
    let wall = Wall::new();
    let server = RedisServer::start_as(&[], &wall.variables()).await;
    let redis = Redis::new(&server.url()).unwrap();
    let (before, after) = (RedisThrottle::new(&redis), RedisThrottle::new(&redis));
    wall.stand(NOON);
    let period = Duration::from_secs(1_800);
    let charge = async |throttle: &RedisThrottle, burst: u32| {
        let charges = [Charge::new(key(1), Rate::new(burst, period))];
        throttle.charge(&charges, NOON).await.unwrap()
    };
    let waits = |periods: u32| Charged::Refused {
        by: 0,
        wait: period * periods,
    };
    for _ in 0..50 {
        assert_eq!(charge(&before, 50).await, Charged::Admitted);
    }
    for _ in 0..2 {
        assert_eq!(charge(&after, 10).await, waits(41));
        assert_eq!(charge(&before, 50).await, waits(1));
    }
    wall.stand(NOON + period * 41);
    assert_eq!(charge(&after, 10).await, Charged::Admitted);
    assert_eq!(charge(&after, 10).await, waits(1));
}
