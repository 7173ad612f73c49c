//! `Replica`: what this process knows of the ended sessions, and how good that is.
//!
//! - A look-up asks memory and the clock. That the server is followed is taken for true only while
//!   it was heard of a moment ago: a process that was stopped, or whose runtime nobody drives, has
//!   heard of nothing.
//! - What was ended is ended, however old the word: only the answer that a session stands needs to
//!   be fresh.
//! - What is forgotten is what has ended by the server's clock and by this machine's, a minute ago:
//!   not by the clock of whoever gives an order. One clock that is ahead makes nothing be
//!   forgotten.

use std::{
    fmt, slice,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    clock::{Clock, SystemClock, Timestamp},
    event::{Event, Listener, StoreName},
    revocation::{Lookup, MemoryRevocations, Revocation, Standing},
    session::Session,
    store::{StoreError, StoreErrorKind},
};

/// While the server is followed it is heard of at least this often, save while everything is
/// loaded: see the follower's waits.
const HEARD_WITHIN: Duration = Duration::from_millis(2_500);
/// By how many seconds the machines' clocks may differ.
const SLACK: u64 = 60;

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
    /// What the server's clock said at `began`, in seconds since 1970.
    server_began: AtomicU64,
    /// How many memories the follower has come to.
    memories: AtomicU64,
    /// The history of the server that it reads.
    history: Mutex<String>,
    /// Whether the writer was led to another server.
    is_doubted: AtomicBool,
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
            server_began: AtomicU64::new(0),
            memories: AtomicU64::new(0),
            history: Mutex::default(),
            is_doubted: AtomicBool::new(false),
        }
    }

    /// Returns how many memories the follower has come to: who writes to an earlier one writes
    /// where nobody reads.
    pub(super) fn memories(&self) -> u64 {
        self.memories.load(Ordering::SeqCst)
    }

    /// Notes that the follower has come to another memory. What was ended before is for it to put
    /// back, what is ended later for the writer to send.
    pub(super) fn leave_memory(&self, history: &str) {
        history.clone_into(&mut self.history());
        self.memories.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes the history of the server that the writer was led to, and returns whether it may be
    /// written to: it is the one that the follower reads, or the follower reads none.
    ///
    /// A follower that reads another one is doubted. It connects again and puts back what it knows.
    /// What the writer has to write was ended in this process before it called this.
    pub(super) fn note_history(&self, history: &str) -> bool {
        let is_same = {
            let ours = self.history();
            history.is_empty() || ours.is_empty() || *ours == history
        };
        if !is_same {
            self.is_doubted.store(true, Ordering::SeqCst);
        }
        is_same || !self.is_following.load(Ordering::Acquire)
    }

    /// Returns whether the writer was led to another server since the last call, and forgets it.
    pub(super) fn take_doubt(&self) -> bool {
        self.is_doubted.swap(false, Ordering::SeqCst)
    }

    fn history(&self) -> MutexGuard<'_, String> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what was ordered here.
    pub(super) fn end(&self, order: &Revocation) {
        let orders = slice::from_ref(order);
        self.orders.end_all(orders, self.past());
    }

    /// Ends what was ordered elsewhere, save what may be forgotten already.
    pub(super) fn hear_of(&self, mut orders: Vec<Revocation>) {
        let past = self.past();
        orders.retain(|order| order.until() > past);
        self.orders.end_all(&orders, past);
    }

    /// Returns what has passed on every machine: what has ended by then may be forgotten. 1970
    /// until the server was heard of.
    pub(super) fn past(&self) -> Timestamp {
        Timestamp::from_secs(self.now().as_secs().saturating_sub(SLACK))
    }

    /// Returns the earlier of the server's time and this machine's.
    pub(super) fn now(&self) -> Timestamp {
        let began = self.server_began.load(Ordering::Relaxed);
        let theirs = began.saturating_add(self.began.elapsed().as_secs());
        Timestamp::from_secs(theirs.min(SystemClock.now().as_secs()))
    }

    /// Notes what the server's clock says. While it is away it is taken to go on.
    pub(super) fn set_server_time(&self, secs: u64) {
        let began = secs.saturating_sub(self.began.elapsed().as_secs());
        self.server_began.store(began, Ordering::Relaxed);
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
        let next = if self.is_following.load(Ordering::Acquire) {
            HEARD_WITHIN
        } else {
            Duration::ZERO
        };
        !self.is_loaded() || self.unheard() >= next + self.grace
    }

    /// Returns for how long nothing was heard of the server.
    fn unheard(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Acquire));
        self.began.elapsed().saturating_sub(heard)
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Acquire) && self.unheard() < HEARD_WITHIN
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Target;

    #[tokio::test(start_paused = true)]
    async fn the_servers_clock_is_taken_to_go_on_while_it_is_away() {
        let replica = Replica::new(Duration::ZERO);
        let order = |until| {
            let [at, until] = [0, until].map(Timestamp::from_secs);
            Revocation::new(Target::Subject("a".to_owned()), at, until)
        };
        assert_eq!(replica.past(), Timestamp::from_secs(0), "never heard of");
        tokio::time::advance(Duration::from_secs(100)).await;
        replica.set_server_time(5_000);
        assert_eq!(replica.past(), Timestamp::from_secs(4_940));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(replica.past(), Timestamp::from_secs(5_040));
        replica.set_server_time(5_001);
        assert_eq!(replica.past(), Timestamp::from_secs(4_941));
        let now = SystemClock.now();
        replica.set_server_time(now.as_secs() + 86_400);
        assert!(replica.past() < now, "a server that is a day ahead");
        replica.set_server_time(5_001);
        replica.hear_of(vec![order(4_941)]);
        assert_eq!(replica.orders.len(), 0);
        replica.hear_of(vec![order(4_942)]);
        assert_eq!(replica.orders.len(), 1);
    }

    /// Pins: an order that another server took while none was followed, and that nobody put back
    /// where the follower had been before.
    #[tokio::test]
    async fn what_is_written_at_another_server_than_the_last_one_makes_the_follower_arrive_anew() {
        let replica = Replica::new(Duration::ZERO);
        assert!(replica.note_history("a") && !replica.take_doubt());
        replica.leave_memory("a");
        replica.hear();
        assert!(replica.note_history("a") && replica.note_history(""));
        assert!(!replica.take_doubt());
        assert!(!replica.note_history("b") && replica.take_doubt());
        replica.lose();
        assert!(replica.note_history("a") && !replica.take_doubt());
        assert!(replica.note_history("b") && replica.take_doubt());
        assert!(!replica.take_doubt(), "once");
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_begins_when_the_server_was_heard_of_last() {
        let replica = Replica::new(Duration::from_secs(3));
        assert!(replica.is_stale(), "nothing is known yet");
        tokio::time::advance(Duration::from_secs(10)).await;
        replica.hear();
        assert!(!replica.is_stale());
        tokio::time::advance(Duration::from_millis(1_300)).await;
        replica.lose();
        tokio::time::advance(Duration::from_millis(1_699)).await;
        assert!(!replica.is_stale());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(replica.is_stale());
        // Followed or not: who hears of nothing knows nothing.
        replica.hear();
        tokio::time::advance(Duration::from_millis(5_499)).await;
        assert!(!replica.is_stale());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(replica.is_stale() && !replica.is_following());
        replica.hear();
        assert!(!replica.is_stale());
    }
}
