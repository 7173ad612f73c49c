//! What every throttle does.

use std::time::Duration;

use futures_util::future::join_all;
use tower_magic_link::{
    clock::Timestamp,
    store::Redis,
    throttle::{Charge, Charged, MemoryThrottle, Rate, RedisThrottle, Take, Throttle, ThrottleKey},
};

use crate::{
    redis::RedisServer,
    session::{NOON, after},
};

const THREE: Rate = Rate::new(3, Duration::from_secs(180));

pub(crate) fn key(number: u64) -> ThrottleKey {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ThrottleKey::from_bytes(bytes)
}

fn charge(number: u64, rate: Rate) -> Charge {
    Charge::new(key(number), rate)
}

const fn refused(seconds: u64) -> Charged {
    let wait = Duration::from_secs(seconds);
    Charged::Refused { by: 0, wait }
}

async fn charged(throttle: &impl Throttle, charges: &[Charge], now: Timestamp) -> Charged {
    throttle.charge(charges, now).await.unwrap()
}

async fn a_rate_admits_its_burst_and_then_one_each_period(throttle: impl Throttle) {
    let steps = [
        (0, Charged::Admitted),
        (0, Charged::Admitted),
        (0, Charged::Admitted),
        (0, refused(180)),
        (1, refused(179)),
        (179, refused(1)),
        (180, Charged::Admitted),
        (180, refused(180)),
        (539, Charged::Admitted),
        (540, Charged::Admitted),
        (540, refused(180)),
        (10_000, Charged::Admitted),
        (10_000, Charged::Admitted),
        (10_000, Charged::Admitted),
        (10_000, refused(180)),
    ];
    for (number, (second, want)) in steps.into_iter().enumerate() {
        let got = charged(&throttle, &[charge(1, THREE)], after(second)).await;
        assert_eq!(got, want, "step {number}, second {second}");
    }
    let other = charged(&throttle, &[charge(2, THREE)], after(10_000)).await;
    assert_eq!(other, Charged::Admitted, "another key");
}

async fn ten_a_second_are_ten_each_second(throttle: impl Throttle) {
    let rate = Rate::new(20, Duration::from_millis(100));
    for (second, want) in [(0, 20), (1, 10), (2, 10), (3, 10), (10, 20)] {
        let mut admitted = 0;
        for _ in 0..100 {
            let got = charged(&throttle, &[charge(1, rate)], after(second)).await;
            admitted += u32::from(got == Charged::Admitted);
        }
        assert_eq!(admitted, want, "second {second}");
    }
}

async fn all_rates_admit_or_none_is_charged(throttle: impl Throttle) {
    let one = Rate::new(1, Duration::from_secs(10));
    let slow = Rate::new(1, Duration::from_secs(500));
    let (a, b, c) = (charge(1, THREE), charge(2, one), charge(3, slow));
    let charged =
        async |charges: &[Charge], second| charged(&throttle, charges, after(second)).await;
    assert_eq!(charged(&[a, b, c], 0).await, Charged::Admitted);
    let wait = Duration::from_secs(500);
    let longest = Charged::Refused { by: 2, wait };
    for _ in 0..10 {
        assert_eq!(
            charged(&[a, b, c], 0).await,
            longest,
            "the longest wait is told"
        );
    }
    assert_eq!(charged(&[a], 0).await, Charged::Admitted, "two were left");
    assert_eq!(charged(&[a], 0).await, Charged::Admitted, "one was left");
    assert_eq!(charged(&[a], 0).await, refused(180));
    assert!(matches!(
        charged(&[charge(9, one), c], 1).await,
        Charged::Refused { by: 1, .. }
    ));
    assert_eq!(
        charged(&[charge(9, one)], 1).await,
        Charged::Admitted,
        "nothing was taken"
    );
    assert_eq!(charged(&[], 1).await, Charged::Admitted);
}

/// A mail's: an address by one network, the address, the network, everybody.
async fn four_rates_are_one_decision(throttle: impl Throttle) {
    let rate = |burst, millis| Rate::new(burst, Duration::from_millis(millis));
    let ask = async |network: u64| {
        let charges = [
            charge(100 + network, rate(3, 180_000)),
            charge(1, rate(10, 120_000)),
            charge(200 + network, rate(60, 5_000)),
            charge(2, rate(300, 100)),
        ];
        charged(&throttle, &charges, NOON).await
    };
    for network in 0..3 {
        for _ in 0..3 {
            assert_eq!(ask(network).await, Charged::Admitted, "{network}");
        }
        assert_eq!(ask(network).await, refused(180), "its own share");
    }
    assert_eq!(ask(3).await, Charged::Admitted, "the tenth");
    let wait = Duration::from_secs(120);
    for network in [3, 4] {
        let by = 1;
        assert_eq!(
            ask(network).await,
            Charged::Refused { by, wait },
            "{network}"
        );
    }
}

async fn a_clock_that_is_set_back_keeps_nobody_waiting_for_longer_than_a_refill(
    throttle: impl Throttle,
) {
    let late = Timestamp::from_secs(u64::MAX);
    for now in [late, after(1_000_000), NOON, Timestamp::from_secs(0)] {
        let _ = charged(&throttle, &[charge(1, THREE)], now).await;
        let got = charged(&throttle, &[charge(1, THREE)], now).await;
        if let Charged::Refused { wait, .. } = got {
            assert!(wait <= THREE.refill(), "{wait:?} at {now:?}");
        }
    }
    let got = charged(&throttle, &[charge(1, THREE)], after(540)).await;
    assert_eq!(got, Charged::Admitted);
}

async fn a_rate_that_no_layer_takes_does_no_harm(throttle: impl Throttle) {
    let rates = [
        Rate::new(0, Duration::ZERO),
        Rate::new(u32::MAX, Duration::MAX),
        Rate::new(0, Duration::MAX),
        Rate::new(u32::MAX, Duration::ZERO),
    ];
    for (number, rate) in (0..).zip(rates) {
        for (moment, now) in (0..).zip([0, NOON.as_secs(), u64::MAX]) {
            let charge = charge(number * 10 + moment, rate);
            let got = charged(&throttle, &[charge], Timestamp::from_secs(now)).await;
            assert_eq!(got, Charged::Admitted, "{rate:?} at {now}");
        }
    }
}

async fn tries_are_counted_until_their_end_and_can_be_given_back(throttle: impl Throttle) {
    let of = async |number, most, second| {
        let taken = throttle.take_try(key(number), most, after(600), after(second));
        taken.await.unwrap()
    };
    let give = async |number| throttle.give_try_back(key(number), NOON).await.unwrap();
    for left in [4, 3, 2] {
        assert_eq!(of(1, 5, 0).await, Take::Taken { left });
    }
    give(1).await;
    for (second, left) in [(0, 2), (1, 1), (2, 0)] {
        assert_eq!(of(1, 5, second).await, Take::Taken { left });
    }
    assert_eq!(of(1, 5, 3).await, Take::Exhausted);
    assert_eq!(of(1, 5, 599).await, Take::Exhausted, "they do not refill");
    assert_eq!(of(1, 5, 600).await, Take::Exhausted, "the moment has come");
    assert_eq!(of(2, 5, 0).await, Take::Taken { left: 4 });
    for _ in 0..3 {
        give(2).await;
    }
    assert_eq!(
        of(2, 5, 0).await,
        Take::Taken { left: 4 },
        "none is given twice"
    );
    assert_eq!(of(3, 0, 0).await, Take::Exhausted);
}

async fn a_sooner_end_does_not_let_tries_begin_afresh(throttle: impl Throttle) {
    let take = async |until, second| {
        let taken = throttle.take_try(key(1), 1, after(until), after(second));
        taken.await.unwrap()
    };
    assert_eq!(take(600, 0).await, Take::Taken { left: 0 });
    assert_eq!(take(10, 0).await, Take::Exhausted);
    assert_eq!(take(1_000, 11).await, Take::Exhausted);
}

async fn of_a_thousand_that_come_together_exactly_as_many_are_admitted_as_there_are(
    replicas: [impl Throttle; 2],
) {
    let charges = [charge(1, THREE)];
    let charged = (0..1_000).map(|number| replicas[number % 2].charge(&charges, NOON));
    let tries = (0..1_000).map(|number| replicas[number % 2].take_try(key(2), 5, after(600), NOON));
    let (charged, tries) = tokio::join!(join_all(charged), join_all(tries));
    let admitted = charged
        .into_iter()
        .filter(|got| matches!(got, Ok(Charged::Admitted)));
    let taken = tries
        .into_iter()
        .filter(|got| matches!(got, Ok(Take::Taken { .. })));
    assert_eq!((admitted.count(), taken.count()), (3, 5));
}

/// The list.
async fn behave<T: Throttle + Clone>(replicas: impl Fn(&str) -> [T; 2]) {
    let make = |name| {
        let [one, _] = replicas(name);
        one
    };
    a_rate_admits_its_burst_and_then_one_each_period(make("burst")).await;
    ten_a_second_are_ten_each_second(make("ten")).await;
    all_rates_admit_or_none_is_charged(make("all")).await;
    four_rates_are_one_decision(make("four")).await;
    a_clock_that_is_set_back_keeps_nobody_waiting_for_longer_than_a_refill(make("back")).await;
    a_rate_that_no_layer_takes_does_no_harm(make("harm")).await;
    tries_are_counted_until_their_end_and_can_be_given_back(make("tries")).await;
    a_sooner_end_does_not_let_tries_begin_afresh(make("sooner")).await;
    of_a_thousand_that_come_together_exactly_as_many_are_admitted_as_there_are(replicas(
        "together",
    ))
    .await;
}

#[tokio::test]
async fn memory_behaves() {
    behave(|_| {
        let throttle = MemoryThrottle::default();
        [throttle.clone(), throttle]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn redis_behaves() {
    let server = RedisServer::start().await;
    behave(|name| {
        let redis = Redis::new(&server.url()).unwrap().namespace(name).unwrap();
        [RedisThrottle::new(&redis), RedisThrottle::new(&redis)]
    })
    .await;
    // Nothing stays: every key has an end.
    let keys = server.say(&["KEYS", "*"]);
    assert!(keys.lines().count() > 10, "{keys}");
    for key in keys.lines() {
        assert_ne!(server.say(&["TTL", key]), "-1", "{key}");
    }
}
