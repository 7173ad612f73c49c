//! A token that is dated ahead of this replica's clock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::{
    clock::{Clock, Steady},
    session::RetiredKey,
    testing::ManualClock,
};

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

/// Pins: the other keys of the ring were judged by the date of the token, and ended for good.
#[test]
fn a_token_that_is_dated_ahead_ends_no_key() {
    let hour = HOUR;
    let steady = Steady::new(Box::new(ManualClock::at(NOW)));
    let reading = steady.at(steady.now());
    let (old, new) = (hs256(), SigningKey::generate().unwrap());
    let fields = ["eve", "eve@example.com", "", "", "", "", "", "", "", ""];
    let session_ahead = session_at(NOW + 2 * hour, fields, SignInMethod::MagicLink);
    let by_old = tokens(old.clone()).mint(&session()).unwrap();
    let late = tokens(old.clone()).mint(&session_ahead).unwrap();
    let retired = RetiredKey::new(old).until(NOW + hour);
    let ring = KeyRing::new(new).retire(retired).unwrap();
    let tokens = Tokens::new(ring, ORIGIN);
    let ahead = tokens.mint(&session_ahead).unwrap();
    assert_eq!(tokens.verify(&by_old, reading), Ok(session()));
    assert!(tokens.verify_ahead(ahead.as_bytes(), reading).is_some());
    assert_eq!(tokens.verify(&by_old, reading), Ok(session()));
    // Nor does one of the retired key itself, which is dated past its end.
    assert_eq!(tokens.verify_ahead(late.as_bytes(), reading), None);
    assert_eq!(tokens.verify(&by_old, reading), Ok(session()));
}
