//! The latest revocation that a sign-in comes after.
//!
//! - Right after the proof, the store knows the revocations from before it, and whatever their
//!   dates say, the sign-in comes after them.
//! - Later, one may have come since: while the person chose an organization, or before a second
//!   try. It ends the session. Only its date tells it from those before.

use std::time::Duration;

use super::{exchange::Proven, settings::Flow};
use crate::{clock::Timestamp, provider::Identity};

/// How long after the request the proof may come to count as one that came at once. A revocation
/// that arrives meanwhile is taken for one from before the sign-in.
const AT_ONCE: Duration = Duration::from_secs(10);

/// When the person gave the proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// In an earlier request.
    Earlier,
    /// In this one.
    Now,
}

/// Returns the moment of that revocation; 1970 if there is none.
pub(super) async fn of(
    flow: &Flow,
    identity: &Identity,
    proven: &Proven,
    given: Given,
) -> Timestamp {
    let shared = &flow.shared;
    let second = Duration::from_secs(1);
    let is_at_once = given == Given::Now
        && proven.ended <= proven.at + AT_ONCE
        // By the seconds of two readings.
        && shared.clock.now() <= proven.ended + second;
    let known = shared.latest_before(identity, proven.at).await;
    if is_at_once {
        return known;
    }
    known.min(shared.clock.at(proven.at).date() - second)
}
