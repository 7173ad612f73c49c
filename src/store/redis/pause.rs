//! The back-off before the next attempt to reach Redis.

use std::time::Duration;

use crate::random;

/// Returns a random share of `pause`, from half to all of it, so that replicas that lost Redis
/// together do not reconnect together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let [chance] = random::bytes::<1>();
    pause / 2 + pause / 2 * u32::from(chance) / 255
}
