use std::sync::Arc;

use super::*;
use crate::clock::Skew;

/// A clock that shows the time that the test sets, and whose sleeps never end.
#[derive(Clone, Debug, Default)]
struct Dial(Arc<AtomicU64>);

impl Clock for Dial {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _: Timestamp) -> Signal {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_clock_that_goes_back_holds_the_layer_at_its_highest_reading() {
    let dial = Dial::default();
    let steady = Steady::new(Box::new(dial.clone()));
    for (read, want) in [
        (7_200, 7_200),
        (3_600, 7_200),
        (7_199, 7_200),
        (0, 7_200),
        (7_201, 7_201),
        (10_801, 10_801),
        (7_201, 10_801),
    ] {
        dial.0.store(read, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(want), "{read}");
    }
}

/// A clock that is set, beside one that is not.
#[derive(Debug, Default)]
struct Pair(Dial, Dial);

impl Pair {
    /// Lets time pass, by both clocks.
    fn pass(&self, secs: u64) {
        for clock in [&self.0, &self.1] {
            clock.0.fetch_add(secs, Ordering::Relaxed);
        }
    }
}

impl Clock for Arc<Pair> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn running(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.1.now().as_secs()))
    }
}

/// Pins: a clock that was an hour ahead and was set right kept everybody waiting for an hour.
#[test]
fn thirty_seconds_stay_thirty_seconds_when_the_clock_is_set() {
    let pair = Arc::new(Pair::default());
    let steady = Steady::new(Box::new(pair.clone()));
    // When, what the clock shows, and what the layer's time is.
    for (running, read, want) in [
        (100, 7_200, 7_200),
        (110, 7_210, 7_210),
        (111, 3_611, 7_211),
        (141, 3_641, 7_241),
        (141, 0, 7_241),
        (150, 9_000, 9_000),
        (160, 8_999, 9_010),
        (161, 9_010, 9_011),
        (162, 9_000, 9_012),
        (170, 20_000, 20_000),
        // Nobody has asked since it was set back, and it has passed the highest reading by now.
        (7_000, 20_500, 26_830),
    ] {
        pair.0.0.store(read, Ordering::Relaxed);
        pair.1.0.store(running, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(want), "{running}: {read}");
    }
}

#[test]
fn a_moment_that_has_come_is_not_waited_for_again_when_the_clock_goes_back() {
    let dial = Dial::default();
    let steady = Steady::new(Box::new(dial.clone()));
    dial.0.store(7_200, Ordering::Relaxed);
    steady.now();
    dial.0.store(3_600, Ordering::Relaxed);
    for (name, at, want) in [("come", 7_200, Some(())), ("to come", 7_201, None)] {
        let sleep = steady.sleep_until(Timestamp(at));
        assert_eq!(futures_util::FutureExt::now_or_never(sleep), want, "{name}");
    }
}

/// Pins: a sleep by a clock that was set back ended up to a minute late.
#[test]
fn a_sleep_is_asked_of_the_clock_in_its_own_time() {
    /// A clock that keeps what it was asked to wait for.
    #[derive(Debug, Default)]
    struct Asked(Pair, std::sync::Mutex<Vec<u64>>);

    impl Clock for Arc<Asked> {
        fn now(&self) -> Timestamp {
            self.0.0.now()
        }

        fn running(&self) -> Option<Duration> {
            Some(Duration::from_secs(self.0.1.now().as_secs()))
        }

        fn sleep_until(&self, at: Timestamp) -> Signal {
            self.1.lock().unwrap().push(at.as_secs());
            Box::pin(std::future::pending())
        }
    }

    let asked = Arc::new(Asked::default());
    let steady = Steady::new(Box::new(asked.clone()));
    for read in [7_200, 3_600] {
        asked.0.0.0.store(read, Ordering::Relaxed);
        drop(steady.sleep_until(Timestamp(7_205)));
    }
    assert_eq!(*asked.1.lock().unwrap(), [7_205, 3_605]);
}

/// Pins: a thread that was late by the edge of a second, or a coarse clock that ticked back there,
/// was taken for a clock that was set back, for the rest of the process.
#[test]
fn a_reading_from_just_before_the_last_second_is_no_clock_that_was_set_back() {
    let pair = Arc::new(Pair::default());
    pair.0.0.store(100, Ordering::Relaxed);
    let steady = Steady::new(Box::new(pair.clone()));
    assert_eq!(steady.now(), Timestamp(100));
    pair.0.0.store(99, Ordering::Relaxed);
    assert_eq!(steady.now(), Timestamp(100));
    assert_eq!(steady.most_ahead.load(Ordering::Relaxed), 0);
    pair.0.0.store(100, Ordering::Relaxed);
    pair.pass(1);
    assert_eq!(steady.now(), Timestamp(101));
    // Two seconds are a step.
    pair.0.0.store(99, Ordering::Relaxed);
    assert_eq!(steady.now(), Timestamp(101));
    assert_eq!(steady.most_ahead.load(Ordering::Relaxed), 2);
}

/// Steps of both signs and many sizes, in 300 orders.
#[test]
fn however_the_clock_steps_time_goes_on_and_a_date_is_the_clocks_own() {
    const SIZES: [u64; 5] = [1, 30, 3_600, 86_400, 315_360_000];
    const BEGIN: u64 = 1_767_225_600;
    let mut seed = 7_u64;
    let mut next = move |below: usize| {
        // Knuth's linear congruential generator, MMIX.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for order in 0..300 {
        let pair = Arc::new(Pair::default());
        pair.0.0.store(BEGIN, Ordering::Relaxed);
        let steady = Steady::new(Box::new(pair.clone()));
        let mut last = steady.now();
        // Tokens, and the moments by which they were judged last.
        let mut tokens: Vec<(Timestamp, Skew, Timestamp)> = Vec::new();
        // What others date, by clocks of their own, and whether it has ended here.
        let mut others: Vec<(Timestamp, Skew, bool)> = Vec::new();
        for _ in 0..40 {
            let size = SIZES[next(SIZES.len())];
            let wall = pair.0.now().as_secs();
            let stepped = match next(2) {
                0 => wall.saturating_add(size),
                _ => wall.saturating_sub(size),
            };
            pair.0.0.store(stepped, Ordering::Relaxed);
            steady.now();
            pair.pass(LASTS);
            let now = steady.now();
            assert!(now >= last, "{order}: never back");
            let reading = steady.at(now);
            assert_eq!(reading.date(), pair.0.now(), "{order}: the clock's own");
            let (date, skew) = reading.dated(Timestamp(0));
            tokens.push((date, skew, reading.date()));
            let right = BEGIN + pair.1.now().as_secs();
            for date in [date.as_secs(), right, right + SIZES[next(SIZES.len())]] {
                let skew = Duration::from_secs(SIZES[next(SIZES.len())]);
                others.push((Timestamp(date), Skew::new(skew, 0), false));
            }
            // 30 seconds, by the clock that nobody sets.
            pair.pass(30);
            last = steady.now();
            assert_eq!(now.until(last).as_secs(), 30, "{order}: 30 seconds");
            for (date, skew, judged) in &mut tokens {
                let judging = steady.at(last).judging(*date, *skew);
                assert!(judging >= *judged, "{order}: what has ended came back");
                *judged = judging;
            }
            for (date, skew, has_ended) in &mut others {
                let judging = steady.at(last).judging(*date, *skew);
                let is_over = judging >= *date + Duration::from_secs(30);
                assert!(is_over || !*has_ended, "{order}: {date:?} came back");
                // It may end earlier, and never later than by the clock itself.
                let is_due = pair.0.now() >= *date + Duration::from_secs(31);
                assert!(is_over || !is_due, "{order}: {date:?} has no end");
                *has_ended = is_over;
            }
        }
    }
}

mod elsewhere;
mod wild;

/// A token of a replica that was ahead is judged by its own dates where the clock was right.
#[test]
fn a_skew_counts_as_far_as_this_clock_was_ahead_itself() {
    let pair = Arc::new(Pair::default());
    let steady = Steady::new(Box::new(pair.clone()));
    let judged = |skew| {
        let reading = steady.at(steady.now());
        let skew = Skew::new(Duration::from_secs(skew), reading.mark);
        reading.judging(Timestamp(6_200), skew).as_secs()
    };
    pair.0.0.store(7_200, Ordering::Relaxed);
    assert_eq!([judged(0), judged(3_600)], [7_200, 7_200]);
    pair.0.0.store(6_200, Ordering::Relaxed);
    assert_eq!(
        [judged(0), judged(300), judged(3_600)],
        [7_200, 6_900, 6_200]
    );
}
