//! How long to pause before Redis is tried again.

use std::time::Duration;

use crate::random;

/// Half of it to all of it, so that replicas that were cut off together do not come back together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let [chance] = random::bytes::<1>();
    pause / 2 + pause / 2 * u32::from(chance) / 255
}
