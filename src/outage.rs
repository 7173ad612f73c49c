//! What a request hears when the revocation store cannot tell: the posture, and that it is told once.
//!
//! - By default what is protected is closed: 503, and the cookie stays. [`Builder::insecure_admit_on_outage`] admits instead.
//! - Each change is told once: [`Event::StoreLost`] with the first look-up that fails, [`Event::StoreRecovered`] with the first that says that a
//!   session stands. That one has ended may be known while nothing else is.
//!
//! [`Builder::insecure_admit_on_outage`]: crate::Builder::insecure_admit_on_outage

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    event::Event, layer::Shared, rejection::Rejection, revocation::Standing, store::StoreError,
};

/// What is done while the revocation store cannot tell, and whether it is so now.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Sessions are admitted that may have been ended.
    pub(crate) is_admitting: bool,
    is_now: AtomicBool,
}

impl Outage {
    pub(crate) const fn new(is_admitting: bool) -> Self {
        Self {
            is_admitting,
            is_now: AtomicBool::new(false),
        }
    }
}

impl Shared {
    /// Judges what the store said of a session. An outage is what the posture makes of it.
    pub(crate) fn judge(
        &self,
        answer: Result<Standing, StoreError>,
    ) -> Result<Standing, Rejection> {
        let outage = &self.outage;
        match answer {
            Ok(Standing::Active) => {
                // A load before the swap: the usual request shares the cache line instead of taking it.
                if outage.is_now.load(Ordering::Relaxed)
                    && outage.is_now.swap(false, Ordering::Relaxed)
                {
                    self.listener.tell(&Event::StoreRecovered);
                }
                Ok(Standing::Active)
            }
            Ok(Standing::Revoked) => Ok(Standing::Revoked),
            Err(error) => {
                if !outage.is_now.swap(true, Ordering::Relaxed) {
                    self.listener.tell(&Event::StoreLost {
                        kind: error.kind(),
                        is_admitting: outage.is_admitting,
                    });
                }
                if outage.is_admitting {
                    return Ok(Standing::Active);
                }
                Err(self.store_failed(&error))
            }
        }
    }
}
