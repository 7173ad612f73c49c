//! The machine's clocks, as the standard library reads them.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Returns for how long the monotonic clock has been running.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reading of monotonic time"
)]
pub(super) fn running() -> Duration {
    // An `Instant` has no number of its own, so it is counted from the first reading.
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}

/// Returns the seconds since 1970. `None` before that.
#[expect(clippy::disallowed_methods, reason = "the one reading of system time")]
pub(super) fn secs() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}
