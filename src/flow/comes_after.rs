//! The latest revocation that a sign-in comes after.
//!
//! - Right after the proof, the store knows the revocations from before it, and whatever their
//!   dates say, the sign-in comes after them.
//! - Later, one may have come since: while the person chose an organization, or before a second
//!   try. It ends the session. Only its date tells it from those before.
//! - The store can be asked about a subject of the application's own only once its rule has named
//!   it. If the rule took longer than a second, a revocation may have come since it began.

use std::time::Duration;

use super::{exchange::Proven, settings::Flow};
use crate::{clock::Timestamp, provider::Identity, session::Grant};

/// How long after the request the proof may come to count as one that came at once. A revocation
/// that arrives meanwhile is taken for one from before the sign-in.
const AT_ONCE: Duration = Duration::from_secs(10);

const SECOND: Duration = Duration::from_secs(1);

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
    let is_at_once = is_at_once(proven, given, shared.clock.now());
    let known = shared.latest_before(identity, None, proven.at).await;
    if is_at_once {
        return known;
    }
    known.min(shared.clock.at(proven.at).date() - SECOND)
}

/// Returns the moment of the latest revocation if the application granted a subject or an
/// organization of its own. `known` is the one of the provider's, and `asked` is when the rule
/// began.
pub(super) async fn of_granted(
    flow: &Flow,
    (identity, grant): (&Identity, &Grant),
    (proven, given): (&Proven, Given),
    known: Timestamp,
    asked: Timestamp,
) -> Timestamp {
    if !grant.renames() {
        return known;
    }
    let shared = &flow.shared;
    let has_answered_at_once = shared.clock.now() <= asked + SECOND;
    let granted = shared.latest_before(identity, Some(grant), proven.at).await;
    let since = match (is_at_once(proven, given, asked), has_answered_at_once) {
        (true, true) => return known.max(granted),
        (true, false) => asked,
        (false, _) => proven.at,
    };
    known.max(granted.min(shared.clock.at(since).date() - SECOND))
}

/// Says whether a look-up at `now` comes right after the proof.
fn is_at_once(proven: &Proven, given: Given, now: Timestamp) -> bool {
    given == Given::Now
        && proven.ended <= proven.at + AT_ONCE
        // By the seconds of two readings.
        && now <= proven.ended + SECOND
}
