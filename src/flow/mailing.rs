//! The mails that are under way, and what the last of them has shown of outages.
//!
//! - They are bounded in number: each holds a place until it is done.
//! - Only what does not depend on an address is kept, for addresses that show nothing by
//!   themselves.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{clock::Timestamp, page::Sent, rejection::Rejection};

/// How many mails may be under way at once. By default 200 are asked for at once, and 20 a second
/// more, while the slowest takes a minute: 1,400.
const MOST: usize = 2_048;
/// How long an address is answered by what another one has shown.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// When a request for mail is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answering {
    /// After this time, whatever has come of the work.
    After(Duration),
    /// When the work is done.
    WhenDone,
}

/// Whether the charges of a mail are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refund {
    Due,
    NotDue,
}

/// What a mail has shown that would be the same for another address.
pub(super) type Shown = Result<Sent, (Rejection, Refund)>;

/// The mails under way, and what the last one has shown.
#[derive(Debug)]
pub(crate) struct Mailing {
    answering: Answering,
    room: Arc<Semaphore>,
    last: Mutex<Option<(Timestamp, Shown)>>,
}

impl Mailing {
    pub(crate) fn new(answering: Answering) -> Self {
        Self {
            answering,
            room: Arc::new(Semaphore::new(MOST)),
            last: Mutex::default(),
        }
    }

    pub(super) const fn answering(&self) -> Answering {
        self.answering
    }

    /// Returns a place for one more mail, if there is one.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// Keeps what a mail has shown that would be the same for another address.
    pub(super) fn keep(&self, shown: Shown, now: Timestamp) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, shown));
    }

    /// Returns what the last mail has shown, for five minutes.
    pub(super) fn last(&self, now: Timestamp) -> Option<Shown> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, shown) = last.as_ref()?;
        (now < *at + REMEMBERED).then(|| shown.clone())
    }
}
