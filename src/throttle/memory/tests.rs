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

#[test]
fn what_is_refused_makes_no_key() {
    let throttle = MemoryThrottle::default();
    let one = Rate::new(1, Duration::from_secs(10));
    let slow = Rate::new(1, Duration::from_secs(500));
    let (a, b, c) = (charge(1, THREE), charge(2, one), charge(3, slow));
    let charged = |charges: &[Charge], second| throttle.charge_now(charges, after(second));
    assert_eq!(charged(&[a, b, c], 0), Charged::Admitted);
    for _ in 0..10 {
        assert_ne!(charged(&[a, b, c], 0), Charged::Admitted);
    }
    assert_eq!(throttle.keys(), 3);
    assert!(matches!(
        charged(&[charge(9, one), c], 1),
        Charged::Refused { by: 1, .. }
    ));
    assert_eq!(throttle.keys(), 3);
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

/// Pins: a form that took nine seconds to arrive cut the counts of its keys by nine seconds, even
/// where it was refused.
#[test]
fn a_charge_that_was_held_up_gives_nothing_back() {
    let throttle = MemoryThrottle::default();
    let sixty = Rate::new(60, Duration::from_secs(5));
    let charged = |second| throttle.charge_now(&[charge(1, sixty)], after(second));
    for _ in 0..60 {
        assert_eq!(charged(100), Charged::Admitted);
    }
    let wait = Duration::from_secs(5);
    for second in [100, 91, 100, 40, 100] {
        let refused = Charged::Refused { by: 0, wait };
        assert_eq!(charged(second), refused, "second {second}");
    }
    assert_eq!(charged(105), Charged::Admitted);
}

/// Pins: by the second in which its form began to arrive, the charge had refilled already.
#[test]
fn a_charge_that_was_held_up_counts() {
    let throttle = MemoryThrottle::default();
    let one = Rate::new(1, Duration::from_secs(5));
    let charged = |number, second| throttle.charge_now(&[charge(number, one)], after(second));
    assert_eq!(charged(1, 100), Charged::Admitted);
    assert_eq!(charged(2, 91), Charged::Admitted);
    let wait = Duration::from_secs(5);
    assert_eq!(charged(2, 100), Charged::Refused { by: 0, wait });
}

/// Pins: a key whose tries had ended was dropped, and a form from before its end had them anew.
#[test]
fn a_guess_that_was_held_up_past_the_end_of_its_tries_has_none() {
    let throttle = MemoryThrottle::default();
    let taken =
        |number, until, second| throttle.take_try_now(key(number), 2, after(until), after(second));
    assert_eq!(taken(1, 600, 595), Take::Taken { left: 1 });
    assert_eq!(taken(1, 600, 595), Take::Taken { left: 0 });
    assert_eq!(taken(2, 900, 605), Take::Taken { left: 1 });
    assert_eq!(throttle.keys(), 1, "the first has ended");
    assert_eq!(taken(1, 600, 595), Take::Exhausted);
}

/// Pins: the refusal of a narrower rate cut the count to its own refill, and stored that.
#[test]
fn a_narrower_rate_takes_nothing_off_what_a_wider_one_has_counted() {
    let throttle = MemoryThrottle::default();
    let period = Duration::from_secs(1_800);
    let (wide, narrow) = (Rate::new(50, period), Rate::new(10, period));
    let charged = |rate, second| throttle.charge_now(&[charge(1, rate)], after(second));
    for _ in 0..50 {
        assert_eq!(charged(wide, 0), Charged::Admitted);
    }
    let refused = |periods: u32| Charged::Refused {
        by: 0,
        wait: period * periods,
    };
    for _ in 0..2 {
        assert_eq!(charged(narrow, 0), refused(41));
        assert_eq!(charged(wide, 0), refused(1));
    }
    assert_eq!(charged(narrow, 41 * 1_800), Charged::Admitted);
    assert_eq!(charged(narrow, 41 * 1_800), refused(1));
}

/// Pins: a share refills within seconds, so its key was the first that a flood pushed out.
#[test]
fn a_flood_of_fresh_keys_does_not_push_out_an_exhausted_share() {
    let throttle = MemoryThrottle::default().with_most_keys(1_000);
    let share = Rate::new(200, Duration::from_millis(50));
    let address = Rate::new(3, Duration::from_secs(1_200));
    let charged = |number, rate| throttle.charge_now(&[charge(number, rate)], NOON);
    for _ in 0..200 {
        assert_eq!(charged(0, share), Charged::Admitted);
    }
    for number in 1..=10_000 {
        assert_eq!(charged(number, address), Charged::Admitted);
    }
    assert_eq!(throttle.keys(), 1_000);
    let wait = Duration::from_millis(50);
    assert_eq!(charged(0, share), Charged::Refused { by: 0, wait });
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
