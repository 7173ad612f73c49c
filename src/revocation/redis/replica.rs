//! `Replica`: what this process knows of the ended sessions, and how good that is.
//!
//! - While the server is followed a look-up is one in memory and one load. The clock is read only when it is not.
//! - What was ended is ended, however old the word: only the answer that a session stands needs to be fresh.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    event::{Event, Listener, StoreName},
    revocation::{Lookup, MemoryRevocations, Standing, StoreError, StoreErrorKind},
    session::Session,
};

/// What this process knows of the ended sessions.
pub(super) struct Replica {
    pub(super) orders: MemoryRevocations,
    pub(super) listener: OnceLock<Listener>,
    grace: Duration,
    began: Instant,
    /// The server is heard of.
    is_following: AtomicBool,
    /// The first load is done.
    is_loaded: AtomicBool,
    /// When the server was heard of last, in milliseconds since `began`.
    heard: AtomicU64,
}

impl Replica {
    pub(super) fn new(grace: Duration) -> Self {
        Self {
            orders: MemoryRevocations::default(),
            listener: OnceLock::new(),
            grace,
            began: Instant::now(),
            is_following: AtomicBool::new(false),
            is_loaded: AtomicBool::new(false),
            heard: AtomicU64::new(0),
        }
    }

    pub(super) fn look_up(&self, session: &Session) -> Lookup {
        match self.orders.standing(session) {
            Standing::Active if self.is_stale() => {
                Lookup::Settled(Err(StoreError::new(StoreErrorKind::Unavailable)))
            }
            standing => Lookup::settled(standing),
        }
    }

    /// Says whether too much may have happened that this process has not heard of.
    fn is_stale(&self) -> bool {
        if self.is_following.load(Ordering::Acquire) {
            return false;
        }
        let heard = Duration::from_millis(self.heard.load(Ordering::Acquire));
        !self.is_loaded() || self.began.elapsed() >= heard + self.grace
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Acquire)
    }

    /// Notes that the server was heard of, and that nothing was missed.
    pub(super) fn hear(&self) {
        let heard = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(heard, Ordering::Release);
        let was_loaded = self.is_loaded.swap(true, Ordering::AcqRel);
        if !self.is_following.swap(true, Ordering::AcqRel) && was_loaded {
            let store = StoreName::Revocations;
            self.tell(&Event::ServerRecovered { store });
        }
    }

    /// Notes that the server is not heard of any more.
    pub(super) fn lose(&self) {
        if self.is_following.swap(false, Ordering::AcqRel) {
            let store = StoreName::Revocations;
            self.tell(&Event::ServerLost { store });
        }
    }

    fn tell(&self, event: &Event<'_>) {
        // Before a layer is built there is nobody to tell but the log.
        match self.listener.get() {
            Some(listener) => listener.tell(event),
            None => Listener::default().tell(event),
        }
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("orders", &self.orders)
            .field("is_following", &self.is_following)
            .field("is_loaded", &self.is_loaded)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
