//! A token that is dated ahead of this replica's clock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::{Clock, Steady};

/// A wall clock and a monotonic one.
#[derive(Debug, Default)]
struct Dials {
    wall: AtomicU64,
    running: AtomicU64,
}

impl Clock for Arc<Dials> {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.wall.load(Ordering::Relaxed))
    }

    fn running(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.running.load(Ordering::Relaxed)))
    }
}

/// Pins: it was compared with the steady time, by which it was not ahead.
#[test]
fn a_token_that_is_judged_as_dated_ahead_is_read_for_a_sign_out_after_a_clock_was_set_back() {
    let dials = Arc::new(Dials::default());
    let steady = Steady::new(Box::new(dials.clone()));
    let read = |wall: Timestamp, running| {
        dials.wall.store(wall.as_secs(), Ordering::Relaxed);
        dials.running.store(running, Ordering::Relaxed);
        steady.at(steady.now())
    };
    read(NOW - Duration::from_secs(60), 100);
    // Two minutes later, by a clock that was set back by ten.
    let reading = read(NOW - Duration::from_secs(60 + 480), 220);
    assert_eq!(reading.now(), NOW + Duration::from_secs(60));
    let tokens = tokens(hs256());
    let token = tokens.mint(&session()).unwrap();
    assert_eq!(tokens.verify(&token, reading), Err(Fault::Invalid));
    let session_ahead = tokens.verify_ahead(token.as_bytes(), reading);
    assert_eq!(session_ahead, Some(session()));
    let right = Reading::level(NOW);
    assert_eq!(tokens.verify_ahead(token.as_bytes(), right), None);
}
