//! What other processes have dated, at one whose clock was set back.

use super::*;

const HOUR: u64 = 3_600;
const MINUTE: u64 = 60;

/// Returns what has been an hour ahead since `HOUR`, and was set right at `2 * HOUR` of the right
/// time.
fn set_right() -> (Arc<Pair>, Steady) {
    let pair = Arc::new(Pair::default());
    let steady = Steady::new(Box::new(pair.clone()));
    pair.pass(HOUR);
    steady.now();
    pair.0.0.store(2 * HOUR, Ordering::Relaxed);
    steady.now();
    pair.pass(HOUR);
    steady.now();
    pair.0.0.store(2 * HOUR, Ordering::Relaxed);
    (pair, steady)
}

/// Says by which moment a date of another process is judged now.
fn judged(steady: &Steady, date: u64, skew: u64) -> u64 {
    let reading = steady.at(steady.now());
    let skew = Skew::new(Duration::from_secs(skew), reading.mark.wrapping_add(1));
    reading.judging(Timestamp(date), skew).as_secs()
}

/// Pins: what had expired came back where the clock was set back by as much as its skew.
#[test]
fn the_skew_of_another_process_counts_for_nothing_here() {
    let (pair, steady) = set_right();
    for date in [0, 2 * HOUR - MINUTE, 2 * HOUR, 3 * HOUR] {
        for skew in [0, 1, HOUR, 2 * HOUR] {
            assert_eq!(judged(&steady, date, skew), 3 * HOUR, "{date}, {skew}");
        }
    }
    pair.pass(MINUTE);
    assert_eq!(judged(&steady, 2 * HOUR, HOUR), 3 * HOUR + MINUTE);
}

/// Pins: for as long as the process lived, whatever another one dated ended an hour early.
#[test]
fn what_is_dated_after_all_that_the_clock_had_shown_is_judged_by_the_clock() {
    let (pair, steady) = set_right();
    steady.now();
    pair.pass(HOUR + MINUTE);
    for skew in [0, HOUR] {
        assert_eq!(judged(&steady, 3 * HOUR, skew), 4 * HOUR + MINUTE);
        assert_eq!(judged(&steady, 3 * HOUR + 1, skew), 3 * HOUR + MINUTE);
    }
    // Set back again: what it has shown meanwhile counts no longer.
    pair.0.0.store(3 * HOUR, Ordering::Relaxed);
    steady.now();
    for (date, want) in [
        (3 * HOUR + MINUTE, 4 * HOUR + MINUTE),
        (3 * HOUR + MINUTE + 1, 3 * HOUR),
    ] {
        assert_eq!(judged(&steady, date, HOUR), want, "{date}");
    }
    // Set forward, as far as the steady time and further.
    for (read, want) in [(4 * HOUR, 4 * HOUR), (5 * HOUR, 5 * HOUR)] {
        pair.0.0.store(read, Ordering::Relaxed);
        assert_eq!(judged(&steady, 3 * HOUR + MINUTE + 1, HOUR), want);
    }
}

/// Pins: where a clock was set back by mistake and set right, it lived longer than by its end.
#[test]
fn nothing_of_another_process_outlives_its_end_by_a_clock_that_is_right() {
    let pair = Arc::new(Pair::default());
    let steady = Steady::new(Box::new(pair.clone()));
    pair.pass(2 * HOUR);
    steady.now();
    pair.0.0.store(HOUR, Ordering::Relaxed);
    steady.now();
    pair.0.0.store(2 * HOUR, Ordering::Relaxed);
    for passed in [0, 1, HOUR] {
        pair.pass(passed);
        let now = pair.0.now().as_secs();
        for date in [HOUR, 2 * HOUR, 2 * HOUR + 1] {
            assert_eq!(judged(&steady, date, HOUR), now, "{date} at {now}");
        }
    }
}

#[test]
fn each_layers_time_has_a_mark_of_its_own_and_a_level_one_writes_none() {
    let marks: std::collections::BTreeSet<_> = (0..100)
        .map(|_| Steady::new(Box::new(Dial::default())).mark)
        .collect();
    assert!(marks.len() == 100 && !marks.contains(&0));
    let (_, steady) = set_right();
    let (date, skew) = steady.at(steady.now()).dated(Timestamp(0));
    assert_eq!(date, Timestamp(2 * HOUR));
    assert_eq!((skew.ahead().as_secs(), skew.by()), (HOUR, steady.mark));
    let level = Steady::new(Box::new(Dial::default()));
    assert_eq!(level.at(level.now()).dated(Timestamp(0)).1, Skew::default());
}
