//! A Redis in memory: what the scripts do to its keys, and what can happen to it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::dice::Dice;
use crate::revocation::{
    Revocation,
    redis::server::{Doing, State},
};

/// How many revocations the stream keeps: few, so that it is overrun.
const STREAM: usize = 6;
/// The scripts' `PATIENCE`, in milliseconds.
const PATIENCE: u64 = 5_000;

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
    pub(super) restorer: Option<(String, u64)>,
    pub(super) returning: HashMap<String, u64>,
    done: Vec<String>,
    members: HashMap<String, u64>,
}

/// How a replica's packets fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Whole,
    /// An attempt fails at once.
    Cut,
    /// Nothing is ever answered.
    Dead,
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
    pub(super) links: HashMap<usize, Link>,
    next_epoch: u64,
}

/// A Redis that replicas share.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Inside>>);

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            began: Instant::now(),
            dice: Dice::new(seed ^ 0x5eed),
            data: Data::default(),
            old: Data::default(),
            history: 1,
            breaks: 0,
            is_up: true,
            links: HashMap::new(),
            next_epoch: 1,
        })))
    }

    pub(super) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    pub(super) fn link(&self, replica: usize, link: Link) {
        self.inside().links.insert(replica, link);
    }

    pub(super) fn is_whole(&self, replica: usize) -> bool {
        let inside = self.inside();
        inside.is_up
            && inside
                .links
                .get(&replica)
                .is_none_or(|link| *link == Link::Whole)
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
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.inside().data.entries.contains_key(key)
    }
}

impl Inside {
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap() + 1_000_000
    }

    fn is_intact(&self) -> bool {
        let data = &self.data;
        let epoch = data.state.as_ref().map(|state| state.epoch);
        epoch.is_some() && data.entries_epoch == epoch && data.groups_epoch == epoch
    }

    fn begin(&mut self) {
        let epoch = self.next_epoch;
        self.next_epoch += 1;
        let (now, history) = (self.now(), self.history);
        let data = &mut self.data;
        data.stream.clear();
        (data.entries_epoch, data.groups_epoch) = (Some(epoch), Some(epoch));
        let state = data.state.get_or_insert_default();
        state.epoch = epoch;
        state.unsettle(history, now);
    }

    pub(super) fn put(&mut self, revocations: &[Revocation]) {
        if !self.is_intact() {
            self.begin();
        }
        for revocation in revocations {
            let key = revocation.target().key();
            if self.data.entries.contains_key(&key) {
                continue;
            }
            let seq = {
                let state = self.data.state.get_or_insert_default();
                state.seq += 1;
                state.seq
            };
            self.data.stream.push((seq, revocation.clone()));
            if self.data.stream.len() > STREAM {
                self.data.stream.remove(0);
            }
            self.data.entries.insert(key, revocation.clone());
        }
    }

    pub(super) fn arrive(&mut self, id: &str, settle: Duration, doing: Doing) {
        let (now, history) = (self.now(), self.history);
        if !self.is_intact() {
            self.begin();
        }
        let state = self.data.state.get_or_insert_default();
        if state.of != history {
            state.unsettle(history, now);
        }
        let recent = |heard: &u64| now - heard < PATIENCE;
        let is_settled = u128::from(now - state.since) >= settle.as_millis()
            && !state.returning.values().any(recent);
        state.members.insert(id.to_owned(), now);
        match doing {
            Doing::Follows => {}
            Doing::IsDone => {
                state.returning.remove(id);
                state.done.push(id.to_owned());
                if state
                    .restorer
                    .as_ref()
                    .is_some_and(|(other, _)| other == id)
                {
                    state.restorer = None;
                }
            }
            Doing::Returns | Doing::Restores(_) if is_settled => {}
            Doing::Returns | Doing::Restores(_) => {
                state.returning.insert(id.to_owned(), now);
                if let Doing::Restores(restored) = doing {
                    let restorer = state.restorer.as_ref();
                    let is_free =
                        restorer.is_none_or(|(other, heard)| other == id || !recent(heard));
                    if is_free && state.restored == restored {
                        state.restored += 1;
                        state.restorer = Some((id.to_owned(), now));
                    }
                }
            }
        }
    }

    pub(super) fn state(&self) -> State {
        let fields = self.data.state.clone().unwrap_or_default();
        State {
            is_intact: self.is_intact(),
            epoch: fields.epoch.to_string(),
            history: self.history.to_string(),
            of: fields.of.to_string(),
            seq: fields.seq,
            restored: fields.restored,
            since: fields.since,
            time: self.now(),
            restorer: fields.restorer.map(|(id, _)| id),
            returning: fields.returning,
            done: fields.done,
            members: fields.members,
            ..State::default()
        }
    }
}

impl Fields {
    fn unsettle(&mut self, history: u64, now: u64) {
        (self.of, self.since) = (history, now);
        self.returning.clear();
        self.done.clear();
        self.restorer = None;
    }
}
