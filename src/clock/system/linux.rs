//! The machine's clocks, as Linux read them at its last tick, at most 10 milliseconds ago.
//!
//! The layer counts whole seconds, and every request reads both clocks. The exact ones take four
//! times as long to read. In return, an exact timer can fire just before these clocks show the
//! second that it waited for. The layer then waits for another second.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Returns for how long the monotonic clock has been running.
pub(super) fn running() -> Duration {
    let since = clock_gettime(ClockId::MonotonicCoarse);
    Duration::from_secs(whole(since).unwrap_or_default())
}

/// Returns the seconds since 1970. `None` before that.
pub(super) fn secs() -> Option<u64> {
    whole(clock_gettime(ClockId::RealtimeCoarse))
}

fn whole(since: Timespec) -> Option<u64> {
    u64::try_from(since.tv_sec).ok()
}
