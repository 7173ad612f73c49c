//! `Replica`: this process's copy of the ended sessions, and how fresh it is.
//!
//! - A look-up reads memory and the clock. The copy counts as followed only while the server's last
//!   answer is recent: a process that was suspended, or whose runtime is not driven, gets no
//!   answers.
//! - The copy's age is the larger one of two: by the monotonic clock, and by the wall clock, which
//!   alone goes on while a machine is suspended. Setting it back makes no copy younger. Setting it
//!   ahead makes the copy old until the next answer, which takes some 300 ms.
//! - A revoked session stays revoked, however old the copy. Only the answer "active" needs a fresh
//!   copy.
//! - An entry is forgotten once it has been expired for a minute by both the server's clock and
//!   this machine's. The clock of the machine that gave the revocation does not matter, and one
//!   clock that is ahead never makes an entry be forgotten early.

use std::{
    fmt, mem, slice,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{loading::Loading, notes::Notes, server::State};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    event::{Event, Listener, StoreName},
    revocation::{Lookup, MemoryRevocations, Revocation, Standing},
    session::Session,
    store::StoreError,
    trace::StateGauge,
};

/// While the copy is followed, the server answers at least this often, except during a full load:
/// see the follower's waits.
const HEARD_WITHIN: Duration = Duration::from_millis(2_500);
/// The wall clock is read in whole seconds, so that it may show one second more than has passed.
const TICK: Duration = Duration::from_secs(1);
/// How many seconds the machines' clocks may differ by.
const SLACK: u64 = 60;

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    steady: Instant,
    wall: Timestamp,
}

/// This process's copy of the ended sessions, and how fresh it is.
pub(super) struct Replica {
    pub(super) revocations: MemoryRevocations,
    listener: OnceLock<Listener>,
    /// How far loading is.
    pub(super) loading: Loading,
    /// What an operator may want to know.
    pub(super) notes: Notes,
    grace: Duration,
    clock: Box<dyn Clock>,
    began: Instant,
    /// Whether the follower is reading from the server.
    is_following: AtomicBool,
    /// Whether the first load is done.
    is_loaded: AtomicBool,
    /// When the server last answered, in milliseconds since `began`.
    heard: AtomicU64,
    /// What the wall clock showed then, in seconds since 1970.
    heard_at: AtomicU64,
    /// The server's time at `began`, in seconds since 1970.
    server_began: AtomicU64,
    /// How many data sets the follower has arrived at.
    memories: AtomicU64,
    /// The history (replication id) of the server that the follower reads.
    history: Mutex<String>,
    /// Whether the writer has reached another server than the follower's.
    is_doubted: AtomicBool,
    /// The server that evicts our keys, and its policy, once that was reported.
    eviction: Mutex<Option<(String, String)>>,
}

impl Replica {
    pub(super) fn new(grace: Duration) -> Self {
        Self::with_clock(grace, Box::new(SystemClock))
    }

    fn with_clock(grace: Duration, clock: Box<dyn Clock>) -> Self {
        let heard_at = AtomicU64::new(clock.now().as_secs());
        Self {
            revocations: MemoryRevocations::default(),
            listener: OnceLock::new(),
            loading: Loading::default(),
            notes: Notes::default(),
            grace,
            clock,
            began: Instant::now(),
            is_following: AtomicBool::new(false),
            is_loaded: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            heard_at,
            server_began: AtomicU64::new(0),
            memories: AtomicU64::new(0),
            history: Mutex::default(),
            is_doubted: AtomicBool::new(false),
            eviction: Mutex::default(),
        }
    }

    /// Returns how many data sets the follower has arrived at. A writer still connected to an
    /// earlier one would write where nobody reads.
    pub(super) fn memories(&self) -> u64 {
        self.memories.load(Ordering::SeqCst)
    }

    /// Notes that the follower has arrived at another data set. The follower puts earlier
    /// revocations back; the writer sends later ones.
    pub(super) fn leave_memory(&self, history: &str) {
        history.clone_into(&mut self.history());
        self.memories.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes the history of the server that the writer has reached. Returns whether the writer may
    /// write there: it is the server that the follower reads, or the follower reads none.
    ///
    /// If the follower reads another server, it is marked to connect again and put back what it
    /// knows. That includes the writer's revocations, which took effect in this process before this
    /// call.
    pub(super) fn note_history(&self, history: &str) -> bool {
        let is_same = self.may_read_from(history);
        if !is_same {
            self.is_doubted.store(true, Ordering::SeqCst);
        }
        is_same || !self.is_following.load(Ordering::Acquire)
    }

    /// Returns whether the writer has reached another server since the last call, and clears the
    /// mark.
    pub(super) fn take_doubt(&self) -> bool {
        self.is_doubted.swap(false, Ordering::SeqCst)
    }

    /// Says whether a server's history may be that of the server that the follower reads.
    pub(super) fn may_read_from(&self, history: &str) -> bool {
        let ours = self.history();
        history.is_empty() || ours.is_empty() || *ours == history
    }

    fn history(&self) -> MutexGuard<'_, String> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a revocation given in this process.
    pub(super) fn record(&self, revocation: &Revocation) {
        let revocations = slice::from_ref(revocation);
        self.revocations.record_all(revocations, self.past());
    }

    /// Applies revocations from the server, except those that may be forgotten already.
    pub(super) fn hear_of(&self, mut revocations: Vec<Revocation>) {
        let past = self.past();
        // Redis drops what has expired a little at a time, so an old set holds some that would only
        // take room here.
        revocations.retain(|revocation| revocation.until() > past);
        self.revocations.record_all(&revocations, past);
    }

    /// Returns a moment that has passed on every machine: entries that expired by then may be
    /// forgotten. 1970 until the server has answered.
    pub(super) fn past(&self) -> Timestamp {
        Timestamp::from_secs(self.now().as_secs().saturating_sub(SLACK))
    }

    /// Returns the earlier of the server's time and this machine's.
    pub(super) fn now(&self) -> Timestamp {
        let began = self.server_began.load(Ordering::Relaxed);
        let theirs = began.saturating_add(self.began.elapsed().as_secs());
        Timestamp::from_secs(theirs.min(self.clock.now().as_secs()))
    }

    /// Notes the server's description of its data set.
    pub(super) fn describe(&self, state: &State) {
        self.set_server_time(state.time / 1_000);
        self.notes.describe(state);
    }

    /// Notes the server's time. While the server is away, its clock is assumed to keep running.
    pub(super) fn set_server_time(&self, secs: u64) {
        // Kept as a distance from the monotonic clock, so that setting this machine's clock moves
        // nothing.
        let began = secs.saturating_sub(self.began.elapsed().as_secs());
        self.server_began.store(began, Ordering::Relaxed);
    }

    pub(super) fn look_up(&self, session: &Session) -> Lookup {
        match self.revocations.standing(session) {
            Standing::Active if self.is_stale() => {
                Lookup::Settled(Err(StoreError::new(self.notes.kind())))
            }
            standing => Lookup::settled(standing),
        }
    }

    /// Says whether the copy is too old to answer that a session is active.
    fn is_stale(&self) -> bool {
        !self.is_loaded() || self.left().is_zero()
    }

    /// Returns for how long the copy is not too old, if no answer comes.
    pub(super) fn left(&self) -> Duration {
        // The grace begins when an answer is overdue, and not with the last answer.
        let next = if self.is_following.load(Ordering::Acquire) {
            HEARD_WITHIN
        } else {
            Duration::ZERO
        };
        (next + self.grace).saturating_sub(self.unheard())
    }

    /// Returns how long ago the server last answered.
    pub(super) fn unheard(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Acquire));
        let steady = self.began.elapsed().saturating_sub(heard);
        let heard_at = Timestamp::from_secs(self.heard_at.load(Ordering::Acquire));
        let wall = heard_at.until(self.clock.now()).saturating_sub(TICK);
        steady.max(wall)
    }

    /// Returns the present moment, for what is about to be asked.
    pub(super) fn moment(&self) -> Moment {
        Moment {
            steady: Instant::now(),
            wall: self.clock.now(),
        }
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Acquire) && self.unheard() < HEARD_WITHIN
    }

    /// Notes that this copy has all that the server had at that moment, and that the server had
    /// all.
    pub(super) fn hear(&self, at: Moment) {
        let heard = at.steady.saturating_duration_since(self.began).as_millis();
        let heard = u64::try_from(heard).unwrap_or(u64::MAX);
        self.heard.fetch_max(heard, Ordering::AcqRel);
        // Stored, and not the maximum: the clock may have been set back.
        self.heard_at.store(at.wall.as_secs(), Ordering::Release);
        let was_loaded = self.is_loaded.swap(true, Ordering::AcqRel);
        if self.is_following.swap(true, Ordering::AcqRel) {
            return;
        }
        self.show();
        if was_loaded {
            let store = StoreName::Revocations;
            self.tell(&Event::ServerRecovered { store });
        } else if self.notes.forget_logged() {
            // There was no loss, so that there is no such event.
            tracing::info!(target: "tower_magic_link", store = "revocations", "redis is followed now");
        }
    }

    /// Notes that the copy is no longer followed, once the server has not been heard of for so long
    /// that it does not count as such.
    pub(super) fn notice_silence(&self) {
        if self.unheard() >= HEARD_WITHIN {
            self.lose();
        }
    }

    /// Notes that the copy is no longer followed.
    pub(super) fn lose(&self) {
        if self.is_following.swap(false, Ordering::AcqRel) {
            self.show();
            let store = StoreName::Revocations;
            self.tell(&Event::ServerLost { store });
        }
    }

    /// Does the same for a failure that has just been logged, which the event does not repeat.
    pub(super) fn lose_as_logged(&self) {
        if self.is_following.swap(false, Ordering::AcqRel) {
            self.show();
            let store = StoreName::Revocations;
            if let Some(listener) = self.listener.get() {
                listener.tell_unlogged(&Event::ServerLost { store });
            }
        }
    }

    /// Shows whether the server is followed.
    fn show(&self) {
        let gauge = StateGauge::of_server(StoreName::Revocations.name());
        gauge.show(|| self.is_following.load(Ordering::Acquire));
    }

    /// Reports a server that evicts our keys: once, until it is another server, or its policy
    /// changes.
    pub(super) fn note_eviction(&self, history: &str, policy: Option<&str>) {
        let now = policy.map(|policy| (history.to_owned(), policy.to_owned()));
        if mem::replace(&mut *self.eviction(), now.clone()) == now {
            return;
        }
        if let Some(policy) = policy {
            let store = StoreName::Revocations;
            self.tell(&Event::ServerMayEvict { store, policy });
        }
    }

    /// Has a layer's listener told of what happens from now on, and of what holds already.
    pub(super) fn tell_to(&self, listener: &Listener) {
        // If several layers share the store, the first one's listener gets the events.
        if self.listener.set(listener.clone()).is_err() {
            return;
        }
        // A store connects before the layer is built, perhaps before there was a recorder of
        // metrics, and was reported to the log alone.
        self.show();
        let eviction = self.eviction().clone();
        if let Some((_, policy)) = &eviction {
            let store = StoreName::Revocations;
            self.tell(&Event::ServerMayEvict { store, policy });
        }
    }

    fn eviction(&self) -> MutexGuard<'_, Option<(String, String)>> {
        self.eviction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: &Event<'_>) {
        // Before a layer is built there is no listener, only the log.
        match self.listener.get() {
            Some(listener) => listener.tell(event),
            None => Listener::default().tell(event),
        }
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("revocations", &self.revocations)
            .field("is_following", &self.is_following)
            .field("is_loaded", &self.is_loaded)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
