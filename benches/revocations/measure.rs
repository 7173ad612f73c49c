//! Measuring the memory and the times of one structure.

use std::{
    fs,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tower_magic_link::{Session, revocation::MemoryRevocations};

use super::{
    LATER, Random, fill, layer, look_up_all, now, sessions,
    structures::{Store, store},
};

/// Fills one structure and prints its line.
pub(super) fn measure(name: &str, many: u64) {
    let layer = layer(MemoryRevocations::default());
    let active = sessions(&layer);
    let ended = sessions(&layer);
    let store = store(name);
    let before = resident();
    let mut ends = fill(&*store, &ended, many);
    let bytes = (resident() - before) / f64::from(u32::try_from(many.max(1)).unwrap());
    let bytes = if many > 1 {
        format!("{bytes:.1}B")
    } else {
        "-".to_owned()
    };
    let looked_up = |sessions: &[Session]| look_up_all(&*store, sessions);
    let active_ns = median((0..21).map(|_| looked_up(&active)).collect());
    let ended_ns = median((0..21).map(|_| looked_up(&ended)).collect());
    let together = together(&*store, &active);
    let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|share| percentile(&mut ends, share));
    let pause = pause(&*store, &active, many);
    // A small table forgets only as it grows.
    let kept = ended.iter().filter(|session| store.is_ended(session));
    assert!(
        many < 100_000 || kept.count() < ended.len() / 10,
        "it has forgotten"
    );
    println!(
        "{name:<14} {many:>10} {bytes:>7} {active_ns:>6.1} ns {ended_ns:>6.1} ns {together:>8.2}x {p50:>6.0} ns {p99:>6.0} ns {:>7.0} us {pause:>7.0} ns",
        worst / 1e3
    );
}

/// Returns how many times the look-ups of one thread two threads make in the same time.
fn together(store: &dyn Store, sessions: &[Session]) -> f64 {
    let alone = median((0..21).map(|_| look_up_all(store, sessions)).collect());
    let turns = || median((0..21).map(|_| look_up_all(store, sessions)).collect());
    let [one, two] = thread::scope(|scope| {
        [scope.spawn(turns), scope.spawn(turns)].map(|turns| turns.join().unwrap())
    });
    alone / one + alone / two
}

/// Returns what the slowest of a hundred look-ups takes while the store forgets what it has.
fn pause(store: &dyn Store, sessions: &[Session], many: u64) -> f64 {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut taken = Vec::new();
            for session in sessions.iter().cycle() {
                let start = now();
                black_box(store.is_ended(session));
                taken.push(start.elapsed().as_secs_f64() * 1e9);
                if is_done.load(Ordering::Relaxed) || taken.len() > 20_000_000 {
                    break;
                }
            }
            percentile(&mut taken, 0.99)
        });
        let mut random = Random(11);
        for _ in 0..many {
            store.end(random.id(), LATER + 1_000, LATER);
        }
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    })
}

/// Returns how many bytes of memory the process occupies.
fn resident() -> f64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return f64::NAN;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap();
    kibibytes.parse::<f64>().unwrap() * 1024.0
}

fn median(mut taken: Vec<f64>) -> f64 {
    percentile(&mut taken, 0.5)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a list of less than 2^32"
)]
fn percentile(taken: &mut [f64], share: f64) -> f64 {
    taken.sort_unstable_by(f64::total_cmp);
    let last = taken.len().saturating_sub(1);
    taken
        .get((last as f64 * share) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
