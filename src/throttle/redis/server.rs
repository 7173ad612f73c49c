//! `Server`: whether Redis answers the throttle.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    event::StoreName,
    store::{StoreError, redis::Logged},
    trace::StateGauge,
};

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
    /// Why it is away, as far as the log says so.
    logged: Mutex<Logged>,
}

impl Server {
    /// Notes where the server is. Returns whether that is a change, once for each.
    pub(super) fn moves_to(&self, place: Place) -> bool {
        let is_away = place == Place::Away;
        // Most calls find no change: a load costs less than a swap.
        let has_moved = self.is_away.load(Ordering::Relaxed) != is_away
            && self.is_away.swap(is_away, Ordering::Relaxed) != is_away;
        if has_moved {
            self.logged().forget();
            self.show();
        }
        has_moved
    }

    /// Says whether the log lacks this cause of the outage.
    pub(super) fn lacks(&self, lost: &StoreError) -> bool {
        self.logged().lacks(lost)
    }

    fn logged(&self) -> MutexGuard<'_, Logged> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows it to the metrics.
    pub(super) fn show(&self) {
        let gauge = StateGauge::of_server(StoreName::Throttle.name());
        gauge.show(|| !self.is_away.load(Ordering::Relaxed));
    }
}
