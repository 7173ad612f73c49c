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
