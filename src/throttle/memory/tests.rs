use std::{sync::Barrier, thread};

use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_767_268_800);
const THREE: Rate = Rate::new(3, Duration::from_secs(180));

fn key(number: u64) -> ThrottleKey {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ThrottleKey::from_bytes(bytes)
}

fn charge(number: u64, rate: Rate) -> Charge {
    Charge::new(key(number), rate)
}

fn after(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

const fn refused(seconds: u64) -> Charged {
    let wait = Duration::from_secs(seconds);
    Charged::Refused { by: 0, wait }
}

#[test]
fn a_rate_admits_its_burst_and_then_one_each_period() {
    let throttle = MemoryThrottle::default();
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
        let got = throttle.charge_now(&[charge(1, THREE)], after(second));
        assert_eq!(got, want, "step {number}, second {second}");
    }
    let other = throttle.charge_now(&[charge(2, THREE)], after(10_000));
    assert_eq!(other, Charged::Admitted, "another key");
}

#[test]
fn ten_a_second_are_ten_each_second() {
    let throttle = MemoryThrottle::default();
    let rate = Rate::new(20, Duration::from_millis(100));
    let admitted_in = |second| {
        let charges = [charge(1, rate)];
        (0..100)
            .filter(|_| throttle.charge_now(&charges, after(second)) == Charged::Admitted)
            .count()
    };
    let seconds = [0, 1, 2, 3, 10];
    assert_eq!(seconds.map(admitted_in), [20, 10, 10, 10, 20]);
}

#[test]
fn all_rates_admit_or_none_is_charged() {
    let throttle = MemoryThrottle::default();
    let one = Rate::new(1, Duration::from_secs(10));
    let slow = Rate::new(1, Duration::from_secs(500));
    let (a, b, c) = (charge(1, THREE), charge(2, one), charge(3, slow));
    let charged = |charges: &[Charge], second| throttle.charge_now(charges, after(second));
    assert_eq!(charged(&[a, b, c], 0), Charged::Admitted);
    let longest = Charged::Refused {
        by: 2,
        wait: Duration::from_secs(500),
    };
    for _ in 0..10 {
        assert_eq!(charged(&[a, b, c], 0), longest, "the longest wait is told");
    }
    assert_eq!(charged(&[a], 0), Charged::Admitted, "two were left");
    assert_eq!(charged(&[a], 0), Charged::Admitted, "one was left");
    assert_eq!(charged(&[a], 0), refused(180));
    assert_eq!(throttle.keys(), 3);
    assert!(matches!(
        charged(&[charge(9, one), c], 1),
        Charged::Refused { by: 1, .. }
    ));
    assert_eq!(throttle.keys(), 3, "what is refused makes no key");
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting_for_longer_than_a_refill() {
    let throttle = MemoryThrottle::default();
    let late = Timestamp::from_secs(u64::MAX);
    for now in [late, after(1_000_000), NOON, Timestamp::from_secs(0)] {
        let _ = throttle.charge_now(&[charge(1, THREE)], now);
        let got = throttle.charge_now(&[charge(1, THREE)], now);
        if let Charged::Refused { wait, .. } = got {
            assert!(wait <= THREE.refill(), "{wait:?} at {now:?}");
        }
    }
    assert_eq!(
        throttle.charge_now(&[charge(1, THREE)], after(540)),
        Charged::Admitted
    );
}

#[test]
fn a_rate_that_no_layer_takes_does_no_harm() {
    let throttle = MemoryThrottle::default();
    let rates = [
        Rate::new(0, Duration::ZERO),
        Rate::new(u32::MAX, Duration::MAX),
        Rate::new(0, Duration::MAX),
        Rate::new(u32::MAX, Duration::ZERO),
    ];
    for (number, rate) in (0..).zip(rates) {
        for now in [
            Timestamp::from_secs(0),
            NOON,
            Timestamp::from_secs(u64::MAX),
        ] {
            let got = throttle.charge_now(&[charge(now.as_secs() ^ number, rate)], now);
            assert_eq!(got, Charged::Admitted, "{rate:?} at {now:?}");
        }
    }
}

#[test]
fn tries_are_counted_until_their_end_and_can_be_given_back() {
    let throttle = MemoryThrottle::default();
    let take = |second| throttle.take_try_now(key(1), 5, after(600), after(second));
    for left in [4, 3, 2] {
        assert_eq!(take(0), Take::Taken { left });
    }
    throttle.give_try_back_now(key(1), NOON);
    assert_eq!(take(0), Take::Taken { left: 2 });
    assert_eq!(take(1), Take::Taken { left: 1 });
    assert_eq!(take(2), Take::Taken { left: 0 });
    assert_eq!(take(3), Take::Exhausted);
    assert_eq!(take(599), Take::Exhausted, "they do not refill");
    assert_eq!(take(600), Take::Exhausted, "the moment has come");
    let other = throttle.take_try_now(key(2), 5, after(600), NOON);
    assert_eq!(other, Take::Taken { left: 4 });
    for _ in 0..3 {
        throttle.give_try_back_now(key(2), NOON);
    }
    let again = throttle.take_try_now(key(2), 5, after(600), NOON);
    assert_eq!(again, Take::Taken { left: 4 }, "none is given twice");
    let none = throttle.take_try_now(key(3), 0, after(600), NOON);
    assert_eq!(none, Take::Exhausted);
}

#[test]
fn a_sooner_end_does_not_let_tries_begin_afresh() {
    let throttle = MemoryThrottle::default();
    let take = |until, second| throttle.take_try_now(key(1), 1, after(until), after(second));
    assert_eq!(take(600, 0), Take::Taken { left: 0 });
    assert_eq!(take(10, 0), Take::Exhausted);
    assert_eq!(take(1_000, 11), Take::Exhausted);
}

#[test]
fn of_a_thousand_that_come_together_exactly_as_many_are_admitted_as_there_are() {
    let throttle = MemoryThrottle::default();
    let barrier = Barrier::new(16);
    let (mut charges, mut tries) = (0, 0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let (mut charges, mut tries) = (0, 0);
                    for _ in 0..64 {
                        let charged = throttle.charge_now(&[charge(1, THREE)], NOON);
                        charges += u64::from(charged == Charged::Admitted);
                        let take = throttle.take_try_now(key(2), 5, after(600), NOON);
                        tries += u64::from(take != Take::Exhausted);
                    }
                    (charges, tries)
                })
            })
            .collect();
        for thread in threads {
            let (a, b) = thread.join().unwrap();
            charges += a;
            tries += b;
        }
    });
    assert_eq!((charges, tries), (3, 5));
}

/// Threat 56.
fn flood(keys: u64) {
    let throttle = MemoryThrottle::default().with_most_keys(1_000);
    for _ in 0..3 {
        let _ = throttle.charge_now(&[charge(0, THREE)], NOON);
        let _ = throttle.take_try_now(key(0), 3, after(3_600), NOON);
    }
    let mut most = 0;
    for number in 1..keys {
        let now = after(number * 100 / keys);
        let charged = throttle.charge_now(&[charge(number, THREE)], now);
        assert_eq!(charged, Charged::Admitted);
        most = most.max(throttle.keys());
    }
    assert_eq!(most, 1_001);
    let charged = throttle.charge_now(&[charge(0, THREE)], after(100));
    assert!(matches!(charged, Charged::Refused { .. }));
    let take = throttle.take_try_now(key(0), 3, after(3_600), after(100));
    assert_eq!(take, Take::Exhausted);
}

#[test]
fn a_flood_of_keys_stays_within_the_bound_and_does_not_push_out_one_under_attack() {
    flood(100_000);
}

#[test]
#[ignore = "needs minutes where it is not optimised; run by tests/run"]
fn a_flood_of_ten_million_keys_stays_within_the_bound() {
    flood(10_000_000);
}
