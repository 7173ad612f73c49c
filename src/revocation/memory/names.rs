//! `Names`: revocations that end many sessions, by a name that those sessions share.
//!
//! - They are spread over shards, each a sorted list. Readers take no lock. A revocation replaces
//!   its shard's list with a copy that includes the revocation and drops what has expired.
//!   Revocations of one call share a copy, and a revocation that changes nothing makes none.

use std::hash::{BuildHasher, RandomState};

use super::sync::{Arc, AtomicUsize, Mutex, Ordering, PoisonError, Slot};
use crate::clock::Timestamp;

/// Ends the sessions that are revocable from `at` or before; may be forgotten after `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
}

impl Before {
    /// Returns the later of each moment.
    fn or_later(self, other: Self) -> Self {
        Self {
            at: self.at.max(other.at),
            until: self.until.max(other.until),
        }
    }
}

pub(super) struct Names {
    /// How many revocations there are, over all shards.
    len: AtomicUsize,
    shards: Box<[Shard]>,
    hasher: RandomState,
}

struct Shard {
    revocations: Slot<Vec<(Arc<str>, Before)>>,
    writer: Mutex<()>,
}

impl Names {
    pub(super) fn new(shards: usize) -> Self {
        let shard = || Shard {
            revocations: Slot::new(None),
            writer: Mutex::new(()),
        };
        Self {
            len: AtomicUsize::new(0),
            shards: std::iter::repeat_with(shard).take(shards).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Says whether a revocation ends what is revocable from a moment and has this name.
    pub(super) fn ends(&self, name: &str, from: Timestamp) -> bool {
        self.shard(self.place(name)).is_some_and(|shard| {
            let revocations = shard.revocations.load();
            let revocation = revocations
                .as_ref()
                .and_then(|revocations| find(revocations, name));
            revocation.is_some_and(|before| from <= before.at)
        })
    }

    /// Remembers revocations, merging two for one name into the later of each moment. Returns the
    /// names for which something changed.
    pub(super) fn put<'a>(
        &self,
        revocations: &[(&'a str, Before)],
        now: Timestamp,
    ) -> Vec<&'a str> {
        let place =
            |(name, revocation): &(&'a str, Before)| (self.place(name), (*name, *revocation));
        let mut placed: Vec<_> = revocations.iter().map(place).collect();
        // By shard, so that each is copied once, and by name, as the lists are.
        placed.sort_unstable_by_key(|(place, (name, _))| (*place, *name));
        let mut changed = Vec::new();
        for revocations in placed.chunk_by(|(one, _), (other, _)| one == other) {
            let shard = revocations
                .first()
                .and_then(|(place, _)| self.shard(*place));
            let revocations = revocations.iter().map(|(_, revocation)| *revocation);
            if let Some(shard) = shard {
                changed.extend(self.put_in(shard, revocations, now));
            }
        }
        changed
    }

    /// Adds revocations, sorted by name, to one shard.
    fn put_in<'a>(
        &self,
        shard: &Shard,
        revocations: impl Iterator<Item = (&'a str, Before)>,
        now: Timestamp,
    ) -> Vec<&'a str> {
        let _writer = shard.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let list = shard.revocations.load();
        let known = list.as_ref().map_or(&[][..], |list| list);
        let is_new = |(name, revocation): &(&str, Before)| {
            // A revocation that is heard again, as after each reload from Redis, must neither copy
            // the list nor wake its watches.
            find(known, name).is_none_or(|known| known.or_later(*revocation) != known)
        };
        let fresh: Vec<_> = revocations.filter(is_new).collect();
        if fresh.is_empty() {
            return Vec::new();
        }
        // The copy is made anyway, so forgetting costs nothing here and needs no task of its own.
        let counts = |(_, revocation): &&(Arc<str>, Before)| revocation.until > now;
        let mut changed: Vec<(Arc<str>, Before)> = Vec::with_capacity(known.len() + fresh.len());
        let mut rest = known;
        for (name, revocation) in &fresh {
            // One call may bring two revocations for the same name; they are neighbours, as the
            // input is sorted.
            let last = changed.last_mut();
            if let Some((_, known)) = last.filter(|(last, _)| **last == **name) {
                *known = known.or_later(*revocation);
                continue;
            }
            let (before, after) =
                rest.split_at(rest.partition_point(|(known, _)| **known < **name));
            changed.extend(before.iter().filter(counts).cloned());
            rest = after;
            let entry = match after.split_first() {
                Some(((known, moments), after)) if **known == **name => {
                    rest = after;
                    (known.clone(), moments.or_later(*revocation))
                }
                _ => (Arc::from(*name), *revocation),
            };
            changed.push(entry);
        }
        changed.extend(rest.iter().filter(counts).cloned());
        let (had, has) = (known.len(), changed.len());
        shard.revocations.store(Some(Arc::new(changed)));
        // The addition first, so that the count never wraps below zero.
        self.len.fetch_add(has, Ordering::Release);
        self.len.fetch_sub(had, Ordering::Release);
        fresh.into_iter().map(|(name, _)| name).collect()
    }

    /// Returns the remembered revocations. A revocation that is put in during the call may be
    /// missing.
    pub(super) fn entries(&self) -> Vec<(Arc<str>, Before)> {
        let mut entries = Vec::with_capacity(self.len());
        for shard in &self.shards {
            if let Some(revocations) = shard.revocations.load().as_ref() {
                entries.extend_from_slice(revocations);
            }
        }
        entries
    }

    /// Returns the number of a name's shard.
    fn place(&self, name: &str) -> usize {
        let many = u64::try_from(self.shards.len()).unwrap_or_default();
        let place = self.hasher.hash_one(name).checked_rem(many);
        usize::try_from(place.unwrap_or_default()).unwrap_or_default()
    }

    fn shard(&self, place: usize) -> Option<&Shard> {
        self.shards.get(place)
    }
}

fn find(revocations: &[(Arc<str>, Before)], name: &str) -> Option<Before> {
    let place = revocations.binary_search_by(|(known, _)| (**known).cmp(name));
    let revocation = place.ok().and_then(|place| revocations.get(place));
    revocation.map(|(_, before)| *before)
}
