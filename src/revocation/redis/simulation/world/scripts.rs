//! What the scripts do to the keys of the Redis in memory.

use std::time::Duration;

use super::{Fields, Inside};
use crate::{
    clock::Timestamp,
    revocation::{
        Revocation, Target,
        redis::server::{Doing, State},
    },
};

/// The scripts' `PATIENCE`, in milliseconds.
const PATIENCE: u64 = 5_000;
/// The scripts' `ABSENT`, in milliseconds.
const ABSENT: u64 = 60_000;

impl Inside {
    pub(in super::super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap() + self.clock
    }

    fn is_intact(&self) -> bool {
        let data = &self.data;
        let epoch = data.state.as_ref().map(|state| state.epoch);
        epoch.is_some() && data.entries_epoch == epoch && data.groups_epoch == epoch
    }

    /// Makes another data set of what is there. A script reads the clock once.
    fn begin(&mut self, now: u64) {
        let epoch = self.next_epoch;
        self.next_epoch += 1;
        let history = self.history;
        let data = &mut self.data;
        data.stream.clear();
        (data.entries_epoch, data.groups_epoch) = (Some(epoch), Some(epoch));
        let state = data.state.get_or_insert_default();
        state.epoch = epoch;
        state.unsettle(history, now);
    }

    /// What is stored for the target, with the later of each moment.
    fn merged(&self, given: &Revocation) -> (String, Revocation) {
        let target = given.target();
        let key = target.key();
        // Of a session's end, when it was given is not stored.
        let at = match target {
            Target::Session(_) => Timestamp::from_secs(0),
            _ => given.at(),
        };
        let known = self.data.entries.get(&key);
        let at = known.map_or(at, |known| known.at().max(at));
        let until = known.map_or(given.until(), |known| known.until().max(given.until()));
        (key, Revocation::new(target.clone(), at, until))
    }

    pub(in super::super) fn put(&mut self, revocations: &[Revocation], now: Timestamp) {
        let time = self.now();
        let past = now.as_secs().min(time / 1_000).saturating_sub(60);
        let entries = &mut self.data.entries;
        entries.retain(|_, revocation| revocation.until().as_secs() > past);
        if !self.is_intact() {
            self.begin(time);
        }
        for revocation in revocations {
            let (key, revocation) = self.merged(revocation);
            if self.data.entries.get(&key) == Some(&revocation) {
                continue;
            }
            let seq = {
                let state = self.data.state.get_or_insert_default();
                state.seq += 1;
                state.seq
            };
            self.data.stream.push((seq, revocation.clone()));
            if self.data.stream.len() > self.stream {
                self.data.stream.remove(0);
            }
            self.data.entries.insert(key, revocation);
        }
    }

    /// Says whether the replica may put back without the stream, and did.
    pub(in super::super) fn restore(&mut self, revocations: &[Revocation], id: &str) -> bool {
        let now = self.now();
        let state = self.data.state.as_mut();
        let Some(state) = state.filter(|state| {
            let restorer = state.restorer.as_ref();
            restorer.is_some_and(|(other, heard)| other == id && now.abs_diff(*heard) < PATIENCE)
        }) else {
            return false;
        };
        state.restorer = Some((id.to_owned(), now));
        state.returning.insert(id.to_owned(), now);
        for revocation in revocations {
            let (key, revocation) = self.merged(revocation);
            self.data.entries.insert(key, revocation);
        }
        true
    }

    pub(in super::super) fn arrive(&mut self, id: &str, settle: Duration, doing: Doing) {
        let (now, history) = (self.now(), self.history);
        if !self.is_intact() {
            self.begin(now);
        }
        let state = self.data.state.get_or_insert_default();
        if state.of != history {
            state.unsettle(history, now);
        }
        let recent = |heard: &u64| now.abs_diff(*heard) < PATIENCE;
        let age = now.checked_sub(state.since);
        let is_settled = age.is_some_and(|age| u128::from(age) >= settle.as_millis())
            && !state.returning.values().any(recent);
        state
            .members
            .retain(|_, heard| now.saturating_sub(*heard) < ABSENT);
        state
            .done
            .retain(|_, heard| now.saturating_sub(*heard) < ABSENT);
        state.members.insert(id.to_owned(), now);
        match doing {
            Doing::Follows => {}
            Doing::IsDone => {
                state.returning.remove(id);
                state.done.insert(id.to_owned(), now);
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

    pub(in super::super) fn state(&self) -> State {
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
            done: fields.done.into_keys().collect(),
            members: fields.members,
            ..State::default()
        }
    }
}

impl Fields {
    /// Makes everything that was noted older, or newer if the clock is set back.
    pub(in super::super) fn age(&mut self, millis: i64) {
        let age = |date: &mut u64| *date = date.checked_add_signed(-millis).unwrap();
        age(&mut self.since);
        let heard = self.restorer.iter_mut().map(|(_, heard)| heard);
        let heard = heard.chain(self.returning.values_mut());
        let heard = heard.chain(self.done.values_mut());
        for heard in heard.chain(self.members.values_mut()) {
            age(heard);
        }
    }

    fn unsettle(&mut self, history: u64, now: u64) {
        (self.of, self.since) = (history, now);
        self.returning.clear();
        self.done.clear();
        self.restorer = None;
    }
}
