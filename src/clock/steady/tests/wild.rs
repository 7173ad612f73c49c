//! One wild reading, and a leap that lasts.

use super::*;

const BEGIN: u64 = 1_767_225_600;
const YEAR: u64 = 365 * LEAP;

fn begun() -> (Arc<Pair>, Steady) {
    let pair = Arc::new(Pair::default());
    pair.0.0.store(BEGIN, Ordering::Relaxed);
    let steady = Steady::new(Box::new(pair.clone()));
    steady.now();
    pair.pass(100);
    steady.now();
    (pair, steady)
}

/// Pins: a reading that was a year ahead for a second moved the layer's time by a year for good.
#[test]
fn a_leap_that_does_not_last_changes_nothing() {
    for leap in [LEAP + 1, YEAR, 600 * YEAR, u64::MAX] {
        let (pair, steady) = begun();
        let mut right = BEGIN + 100;
        // More of them than it takes for one that lasts.
        for wild in 0..2 * LASTS {
            pair.0
                .0
                .store(right.saturating_add(leap), Ordering::Relaxed);
            for _ in 0..3 {
                let (now, reading) = (steady.now(), steady.at(steady.now()));
                assert!(now.as_secs().abs_diff(right) <= 1, "{leap}: {now:?}");
                assert_eq!(reading.dated(Timestamp(0)), (now, Skew::default()));
            }
            right += 1;
            pair.0.0.store(right, Ordering::Relaxed);
            pair.1.0.fetch_add(1, Ordering::Relaxed);
            assert_eq!(steady.now(), Timestamp(right), "{leap}, {wild}");
            assert_eq!(steady.at(steady.now()).most_ahead(), Duration::ZERO);
        }
    }
}

#[test]
fn a_leap_is_taken_once_it_has_lasted_for_ten_seconds() {
    let (pair, steady) = begun();
    pair.0.0.fetch_add(YEAR, Ordering::Relaxed);
    for passed in 0..LASTS {
        let right = BEGIN + 100 + passed;
        let now = steady.now().as_secs();
        assert!(now.abs_diff(right) <= 1, "{passed}: {now}");
        pair.pass(1);
    }
    assert_eq!(steady.now(), pair.0.now());
    // Another one has to last by itself.
    pair.0.0.fetch_add(YEAR, Ordering::Relaxed);
    assert_ne!(steady.now(), pair.0.now());
    pair.0.0.fetch_add(YEAR, Ordering::Relaxed);
    pair.pass(LASTS);
    assert_ne!(steady.now(), pair.0.now());
    pair.pass(LASTS);
    assert_eq!(steady.now(), pair.0.now());
}

#[test]
fn a_step_of_a_day_is_taken_at_once() {
    let (pair, steady) = begun();
    pair.0.0.fetch_add(LEAP, Ordering::Relaxed);
    assert_eq!(steady.now(), pair.0.now());
    // So is any, where nothing but the clock tells the time, and a first reading.
    let dial = Dial::default();
    let steady = Steady::new(Box::new(dial.clone()));
    for read in [BEGIN, BEGIN + YEAR] {
        dial.0.store(read, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(read));
    }
}

/// What was known of the clock before goes on meanwhile.
#[test]
fn a_clock_that_was_set_back_is_as_far_behind_while_a_reading_is_wild() {
    let (pair, steady) = begun();
    pair.0.0.fetch_sub(3_600, Ordering::Relaxed);
    let (_, skew) = steady.at(steady.now()).dated(Timestamp(0));
    assert_eq!(skew.ahead().as_secs(), 3_600);
    let right = pair.0.now().as_secs();
    pair.0.0.fetch_add(YEAR, Ordering::Relaxed);
    let (date, skew) = steady.at(steady.now()).dated(Timestamp(0));
    assert!(date.as_secs().abs_diff(right) <= 1, "{date:?}");
    assert_eq!(skew.ahead().as_secs(), 3_600);
}

/// A sleep by a clock that shows another time ends when it should by that.
#[test]
fn a_sleep_is_asked_of_a_wild_clock_in_its_own_time() {
    /// A clock that keeps what it was asked to wait for.
    #[derive(Debug)]
    struct Asked(Arc<Pair>, std::sync::Mutex<Vec<u64>>);

    impl Clock for Arc<Asked> {
        fn now(&self) -> Timestamp {
            self.0.now()
        }

        fn running(&self) -> Option<Duration> {
            self.0.running()
        }

        fn sleep_until(&self, at: Timestamp) -> Signal {
            self.1.lock().unwrap().push(at.as_secs());
            Box::pin(std::future::pending())
        }
    }

    let pair = Arc::new(Pair::default());
    pair.0.0.store(BEGIN, Ordering::Relaxed);
    let asked = Arc::new(Asked(pair.clone(), std::sync::Mutex::default()));
    let steady = Steady::new(Box::new(asked.clone()));
    drop(steady.sleep_until(Timestamp(BEGIN + 60)));
    pair.0.0.fetch_add(YEAR, Ordering::Relaxed);
    drop(steady.sleep_until(Timestamp(BEGIN + 60)));
    let asked = asked.1.lock().unwrap().clone();
    assert_eq!(asked[0], BEGIN + 60);
    assert!(asked[1].abs_diff(BEGIN + YEAR + 60) <= 1, "{asked:?}");
}
