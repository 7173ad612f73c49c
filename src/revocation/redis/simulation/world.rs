//! A Redis in memory: what it holds, and what can happen to it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{sync::Notify, time::Instant};

use super::dice::Dice;
use crate::revocation::Revocation;

mod scripts;

/// What a Redis holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    /// The revocations by target, and the epoch that stands among them.
    pub(super) entries: BTreeMap<String, Revocation>,
    entries_epoch: Option<u64>,
    groups_epoch: Option<u64>,
    pub(super) state: Option<Fields>,
    pub(super) stream: Vec<(u64, Revocation)>,
}

/// The hash `state`.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    epoch: u64,
    seq: u64,
    of: u64,
    since: u64,
    restored: u64,
    restorer: Option<(String, u64)>,
    returning: HashMap<String, u64>,
    done: HashMap<String, u64>,
    members: HashMap<String, u64>,
}

/// How a replica's packets fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Whole,
    /// Every packet takes up to `Inside::slow`, so that a load takes many seconds.
    Slow,
    /// An attempt fails at once.
    Cut,
    /// Nothing is ever answered.
    Dead,
}

/// What becomes of writes at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Taken,
    /// As by a server that is full, or lacks the replicas that it must have.
    Refused,
    /// No mark of an arrival is answered in time.
    Late,
}

/// A key of the four.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Entries,
    Groups,
    State,
    Stream,
}

pub(super) struct Inside {
    pub(super) began: Instant,
    pub(super) dice: Dice,
    pub(super) data: Data,
    /// What a backup, or a server that lags, holds.
    old: Data,
    pub(super) history: u64,
    /// Raised whenever all connections break.
    pub(super) breaks: u64,
    pub(super) is_up: bool,
    /// Whether nothing comes of new connections, while the old ones go on.
    pub(super) is_silent_to_new: bool,
    pub(super) writes: Writes,
    pub(super) links: HashMap<usize, Link>,
    next_epoch: u64,
    /// What the server's clock showed when all began, in milliseconds, as it is set now.
    clock: u64,
    /// How many revocations a page of all of them has.
    pub(super) page: usize,
    /// How many revocations the stream keeps. Few, so that it is overrun, or more than are ended in
    /// a while, so that only what is put back overruns it.
    stream: usize,
    /// How many missing revocations replicas put back through the stream.
    pub(super) few: usize,
    /// How many milliseconds a packet takes at most that is slow.
    pub(super) slow: u64,
}

/// A Redis that replicas share.
#[derive(Clone)]
pub(super) struct World(Arc<Outside>);

struct Outside {
    inside: Mutex<Inside>,
    /// Wakes those who wait at the stream.
    news: Notify,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let inside = Inside {
            began: Instant::now(),
            dice: Dice::new(seed ^ 0x5eed),
            data: Data::default(),
            old: Data::default(),
            history: 1,
            breaks: 0,
            is_up: true,
            is_silent_to_new: false,
            writes: Writes::Taken,
            links: HashMap::new(),
            next_epoch: 1,
            clock: 1_000_000,
            page: 1 + usize::try_from(seed % 4).unwrap(),
            stream: if seed.is_multiple_of(3) { 30 } else { 6 },
            few: if seed.is_multiple_of(5) { 100 } else { 3 },
            // An answer comes within a second.
            slow: if seed.is_multiple_of(2) { 450 } else { 200 },
        };
        Self(Arc::new(Outside {
            inside: Mutex::new(inside),
            news: Notify::new(),
        }))
    }

    pub(super) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.inside.lock().unwrap()
    }

    /// Waits for what comes to the stream, or breaks the connections, after this call.
    pub(super) fn news(&self) -> impl Future<Output = ()> + '_ {
        self.0.news.notified()
    }

    pub(super) fn tell_news(&self) {
        self.0.news.notify_waiters();
    }

    /// Changes how a replica's packets fare, and returns how they did.
    pub(super) fn link(&self, replica: usize, link: Link) -> Link {
        let before = self.inside().links.insert(replica, link);
        before.unwrap_or(Link::Whole)
    }

    /// Says whether a replica reaches the server, and waits for none that is slow.
    pub(super) fn is_whole(&self, replica: usize) -> bool {
        let inside = self.inside();
        let is_slow = inside.links.values().any(|link| *link == Link::Slow);
        let link = inside.links.get(&replica);
        inside.is_up && !is_slow && link.is_none_or(|link| *link == Link::Whole)
    }

    pub(super) fn flush(&self) {
        self.inside().data = Data::default();
    }

    pub(super) fn delete(&self, key: Key) {
        let mut inside = self.inside();
        let data = &mut inside.data;
        match key {
            Key::Entries => {
                data.entries.clear();
                data.entries_epoch = None;
            }
            Key::Groups => data.groups_epoch = None,
            Key::State => data.state = None,
            Key::Stream => data.stream.clear(),
        }
    }

    pub(super) fn stop(&self) {
        let mut inside = self.inside();
        inside.is_up = false;
        inside.breaks += 1;
        drop(inside);
        self.tell_news();
    }

    /// Sets the server's clock ahead or back by a minute.
    pub(super) fn set_clock(&self) {
        let mut inside = self.inside();
        let is_ahead = inside.dice.below(2) == 0;
        let step = 60_000;
        inside.clock = if is_ahead {
            inside.clock + step
        } else {
            inside.clock - step
        };
    }

    /// Starts with nothing.
    pub(super) fn start_empty(&self) {
        let mut inside = self.inside();
        inside.data = Data::default();
        inside.history += 1;
        inside.is_up = true;
    }

    /// Keeps a copy, to which the server may return.
    pub(super) fn back_up(&self) {
        let mut inside = self.inside();
        inside.old = inside.data.clone();
    }

    /// Goes on from the copy, as after a failover to a server that lagged.
    pub(super) fn return_to_backup(&self) {
        let mut inside = self.inside();
        inside.data = inside.old.clone();
        inside.history += 1;
        inside.breaks += 1;
        inside.is_up = true;
        drop(inside);
        self.tell_news();
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.inside().data.entries.contains_key(key)
    }
}
