//! The mails that are under way, and what the last of them has shown of outages.
//!
//! - They are bounded in number: each holds a place until it is done.
//! - Only what does not depend on an address is kept, for addresses that show nothing by
//!   themselves.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{clock::Timestamp, email::Email, gate::Allowed, page::Sent, rejection::Rejection};

/// How many mails may be under way at once. By default 200 are asked for at once, and 20 a second
/// more, while the slowest takes a minute: 1,400. A provider of the application's that does not
/// answer gives its places back after six minutes.
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

/// When a mail was asked for, and when it has shown something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// The mails under way, and what the last one has shown.
#[derive(Debug)]
pub(crate) struct Mailing {
    answering: Answering,
    room: Arc<Semaphore>,
    last: Mutex<Last>,
    /// Hashes witnesses, so that no address is kept.
    witnesses: RandomState,
}

/// What the last mails have shown.
#[derive(Debug, Default)]
struct Last {
    shown: Option<(Took, Shown)>,
    /// When the newest mail was asked for that went out whole.
    whole: Option<Timestamp>,
    /// Whose mail has met what may be one address's fault, since a mail went out whole.
    doubted: Option<Doubt>,
}

/// What may be one address's fault.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    at: Timestamp,
    witness: u64,
    /// Half of the mail went out.
    is_half: bool,
}

/// Returns what tells one witness of a fault from another. It is the domain, because a stranger can
/// make up any number of addresses in one. Where the layer takes one domain alone, it is the
/// address.
pub(super) fn witness<'e>(allowed: &Allowed, email: &'e Email) -> &'e str {
    match allowed.email_domains.len() {
        1 => email.as_str(),
        _ => email.domain(),
    }
}

impl Last {
    fn lately(&self, now: Timestamp) -> Option<&(Took, Shown)> {
        let shown = self.shown.as_ref();
        shown.filter(|(took, _)| now < took.to + REMEMBERED)
    }
}

impl Mailing {
    pub(crate) fn new(answering: Answering) -> Self {
        Self {
            answering,
            room: Arc::new(Semaphore::new(MOST)),
            last: Mutex::default(),
            witnesses: RandomState::new(),
        }
    }

    pub(super) const fn answering(&self) -> Answering {
        self.answering
    }

    /// Returns a place for one more mail, if there is one.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// Keeps what a mail has shown that would be the same for another address. A fault that it has
    /// met is over if a later one has gone out.
    pub(super) fn keep(&self, shown: Shown, took: Took) {
        let mut last = self.lock();
        if shown.is_ok() {
            last.doubted = None;
            last.whole = last.whole.max(Some(took.from));
        } else if last.whole > Some(took.from) {
            return;
        }
        last.shown = Some((took, shown));
    }

    /// Notes what may be the fault of one address, or that half of its mail went out. It is
    /// everybody's once a second witness meets it, with no whole mail sent in between.
    pub(super) fn doubt(&self, shown: Shown, witness: &str, took: Took) {
        let now = took.to;
        let doubt = Doubt {
            at: now,
            witness: self.witnesses.hash_one(witness),
            is_half: shown.is_ok(),
        };
        let mut last = self.lock();
        if last.whole > Some(took.from) {
            return;
        }
        let is_second = last.doubted.replace(doubt).is_some_and(|other| {
            let is_another = other.witness != doubt.witness && other.is_half == doubt.is_half;
            is_another && now < other.at + REMEMBERED
        });
        if is_second {
            last.shown = Some((took, shown));
        } else if doubt.is_half && matches!(last.shown, Some((_, Err(_)))) {
            // Mail goes out again.
            last.shown = None;
        }
    }

    /// Returns what the last mail has shown, for five minutes. A wait in it begins anew, as it does
    /// for an address that meets the outage itself: what is left of it would tell them apart.
    pub(super) fn last(&self, now: Timestamp) -> Option<Shown> {
        Some(self.lock().lately(now)?.1.clone())
    }

    /// Returns whether the charges of an address that shows nothing by itself are given back, and
    /// after how long: as those of the address that has shown something were.
    pub(super) fn refund(&self, now: Timestamp) -> Option<(Refund, Duration)> {
        let last = self.lock();
        let (took, shown) = last.lately(now)?;
        let refund = match shown {
            Ok(_) => Refund::NotDue,
            Err((_, refund)) => *refund,
        };
        Some((refund, took.from.until(took.to)))
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
