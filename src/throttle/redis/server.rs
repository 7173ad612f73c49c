//! `Server`: whether Redis answers the throttle.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{event::StoreName, trace::StateGauge};

/// Where the server is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Away,
    Back,
}

/// Where the server was last found. At first it is taken to be there.
#[derive(Debug, Default)]
pub(super) struct Server {
    is_away: AtomicBool,
}

impl Server {
    /// Notes where the server is. Returns whether that is a change, once for each.
    pub(super) fn moves_to(&self, place: Place) -> bool {
        let is_away = place == Place::Away;
        // Most calls find no change: a load costs less than a swap.
        let has_moved = self.is_away.load(Ordering::Relaxed) != is_away
            && self.is_away.swap(is_away, Ordering::Relaxed) != is_away;
        if has_moved {
            self.show();
        }
        has_moved
    }

    /// Shows it to the metrics.
    pub(super) fn show(&self) {
        let gauge = StateGauge::of_server(StoreName::Throttle.name());
        gauge.show(|| !self.is_away.load(Ordering::Relaxed));
    }
}
