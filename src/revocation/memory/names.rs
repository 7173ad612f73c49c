//! `Names`: revocations that end many sessions, by a name that those sessions share.
//!
//! - They are spread over shards, and those of a shard over short sorted lists. Readers take no
//!   lock. A revocation replaces its list with a copy that includes the revocation and drops what
//!   has expired. Revocations of one call share a copy, and a revocation that changes nothing makes
//!   none.
//! - A shard that has taken as many revocations as it had is spread anew, over as many lists as the
//!   unexpired ones need. Growing, shrinking and forgetting are therefore constant work per
//!   revocation on average, however many there are.

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
    lists: Slot<Vec<List>>,
    /// How many revocations may come before the shard is spread anew. The lock's holder is the
    /// shard's one writer.
    room: Mutex<usize>,
}

/// Sorted by name.
type List = Slot<Vec<(Arc<str>, Before)>>;

/// How many revocations a list has when its shard has just been spread, on average: each
/// revocation copies a list.
const LENGTH: usize = 8;
/// How many revocations a shard takes at least before it is spread anew.
const LEAST_ROOM: usize = 16;

/// Where a name belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    shard: usize,
    /// 32 bits of the name's hash.
    hash: u64,
}

impl Place {
    /// Returns the number of the name's list, of so many. In the order of the hashes.
    fn list(self, many: usize) -> usize {
        let many = u64::try_from(many).unwrap_or_default();
        usize::try_from((self.hash * many) >> 32).unwrap_or_default()
    }
}

impl Names {
    pub(super) fn new(shards: usize) -> Self {
        let shard = || Shard {
            lists: Slot::new(None),
            room: Mutex::new(LEAST_ROOM),
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
        let place = self.place(name);
        let Some(shard) = self.shards.get(place.shard) else {
            return false;
        };
        let lists = shard.lists.load();
        let list = lists
            .as_ref()
            .and_then(|lists| lists.get(place.list(lists.len())));
        list.is_some_and(|list| {
            let revocations = list.load();
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
        // By shard and hash, so that each shard is locked once, and each list is copied once.
        placed.sort_unstable_by_key(|(place, _)| *place);
        let mut changed = Vec::new();
        for placed in placed.chunk_by(|(one, _), (other, _)| one.shard == other.shard) {
            let shard = placed.first().map(|(place, _)| place.shard);
            if let Some(shard) = shard.and_then(|shard| self.shards.get(shard)) {
                self.put_in(shard, placed, now, &mut changed);
            }
        }
        changed
    }

    /// Adds revocations, sorted by their hashes, to one shard.
    fn put_in<'a>(
        &self,
        shard: &Shard,
        mut placed: &[(Place, (&'a str, Before))],
        now: Timestamp,
        changed: &mut Vec<&'a str>,
    ) {
        let mut room = shard.room.lock().unwrap_or_else(PoisonError::into_inner);
        while !placed.is_empty() {
            let lists = shard.lists.load();
            let Some(lists) = lists.as_ref().filter(|_| *room > 0) else {
                *room = self.spread(shard, now);
                continue;
            };
            // Only as many as there is room for: many that come at once would make the lists long,
            // and copying them quadratic.
            let (some, others) = placed.split_at((*room).min(placed.len()));
            let list = |(place, _): &(Place, _)| place.list(lists.len());
            for some in some.chunk_by(|one, other| list(one) == list(other)) {
                let mut named: Vec<_> = some.iter().map(|(_, named)| *named).collect();
                named.sort_unstable_by_key(|(name, _)| *name);
                if let Some(list) = some.first().and_then(|some| lists.get(list(some))) {
                    let fresh = self.put_on(list, named, now);
                    *room = room.saturating_sub(fresh.len());
                    changed.extend(fresh);
                }
            }
            placed = others;
        }
    }

    /// Spreads a shard's revocations anew, without those that have expired. Returns for how many
    /// more there is room.
    fn spread(&self, shard: &Shard, now: Timestamp) -> usize {
        let old = shard.lists.load();
        let old = old.iter().flat_map(|lists| lists.iter());
        let old: Vec<_> = old.filter_map(|list| list.load().clone()).collect();
        let had: usize = old.iter().map(|list| list.len()).sum();
        let counts = |(_, revocation): &&(Arc<str>, Before)| revocation.until > now;
        let kept = || old.iter().flat_map(|list| list.iter()).filter(counts);
        let many = kept().count();
        let mut lists = Vec::new();
        lists.resize_with(many.div_ceil(LENGTH).max(1), Vec::new);
        for (name, revocation) in kept() {
            let place = self.place(name).list(lists.len());
            if let Some(list) = lists.get_mut(place) {
                list.push((name.clone(), *revocation));
            }
        }
        let lists = lists.into_iter().map(|mut list: Vec<(Arc<str>, Before)>| {
            list.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            list.shrink_to_fit();
            Slot::new((!list.is_empty()).then(|| Arc::new(list)))
        });
        // In one step: a reader has the old lists or the new ones, and a revocation that still
        // counts is in both.
        shard.lists.store(Some(Arc::new(lists.collect())));
        self.len.fetch_sub(had - many, Ordering::Release);
        many.max(LEAST_ROOM)
    }

    /// Adds revocations, sorted by name, to one list.
    fn put_on<'a>(
        &self,
        list: &List,
        revocations: Vec<(&'a str, Before)>,
        now: Timestamp,
    ) -> Vec<&'a str> {
        let old = list.load();
        let known = old.as_ref().map_or(&[][..], |list| list);
        let is_new = |(name, revocation): &(&str, Before)| {
            // A revocation that is heard again, as after each reload from Redis, must neither copy
            // the list nor wake its watches.
            find(known, name).is_none_or(|known| known.or_later(*revocation) != known)
        };
        let fresh: Vec<_> = revocations.into_iter().filter(is_new).collect();
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
        changed.shrink_to_fit();
        list.store(Some(Arc::new(changed)));
        // The addition first, so that the count never wraps below zero.
        self.len.fetch_add(has, Ordering::Release);
        self.len.fetch_sub(had, Ordering::Release);
        fresh.into_iter().map(|(name, _)| name).collect()
    }

    /// Returns the remembered revocations of one shard. A revocation that is put in during the call
    /// may be missing.
    pub(super) fn part(&self, number: usize) -> Option<Vec<(Arc<str>, Before)>> {
        let lists = self.shards.get(number)?.lists.load();
        let mut entries = Vec::new();
        for list in lists.iter().flat_map(|lists| lists.iter()) {
            if let Some(revocations) = list.load().as_ref() {
                entries.extend_from_slice(revocations);
            }
        }
        Some(entries)
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> Vec<(Arc<str>, Before)> {
        let parts = (0..).map_while(|number| self.part(number));
        parts.flatten().collect()
    }

    fn place(&self, name: &str) -> Place {
        let hash = self.hasher.hash_one(name);
        let many = u64::try_from(self.shards.len()).unwrap_or_default();
        let shard = hash.checked_rem(many).unwrap_or_default();
        Place {
            shard: usize::try_from(shard).unwrap_or_default(),
            hash: hash >> 32,
        }
    }
}

fn find(revocations: &[(Arc<str>, Before)], name: &str) -> Option<Before> {
    let place = revocations.binary_search_by(|(known, _)| (**known).cmp(name));
    let revocation = place.ok().and_then(|place| revocations.get(place));
    revocation.map(|(_, before)| *before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(until: u64) -> Before {
        Before {
            at: Timestamp::from_secs(10),
            until: Timestamp::from_secs(until),
        }
    }

    fn longest(names: &Names) -> usize {
        let lists = names.shards.iter().map(|shard| {
            let lists = shard.lists.load();
            let lists = lists.iter().flat_map(|lists| lists.iter());
            lists
                .filter_map(|list| Some(list.load().as_ref()?.len()))
                .max()
        });
        lists.flatten().max().unwrap_or_default()
    }

    fn put(names: &Names, numbers: std::ops::Range<u32>, until: u64, now: u64) {
        let texts: Vec<_> = numbers.map(|number| format!("user_{number}")).collect();
        let page: Vec<_> = texts.iter().map(|text| (&**text, before(until))).collect();
        names.put(&page, Timestamp::from_secs(now));
    }

    /// Pins: 400,000 names took 14 seconds to load, because each page copied all that were there.
    #[test]
    fn what_one_revocation_copies_does_not_grow_with_their_number() {
        for page in [1, 7, 1_000, 40_000] {
            let names = Names::new(4);
            for first in (0..40_000).step_by(page) {
                let first = u32::try_from(first).unwrap();
                let page = u32::try_from(page).unwrap();
                put(&names, first..(first + page).min(40_000), 100, 0);
            }
            assert_eq!((names.len(), names.entries().len()), (40_000, 40_000));
            assert!(longest(&names) <= 64, "{page}: {}", longest(&names));
            let ends =
                |number: u32| names.ends(&format!("user_{number}"), Timestamp::from_secs(10));
            assert!((0..40_000).all(ends), "{page}");
            assert!(!(40_000..41_000).any(ends), "{page}");
        }
    }

    #[test]
    fn a_shard_gives_back_what_has_expired_once_as_many_have_come() {
        let names = Names::new(4);
        put(&names, 0..20_000, 100, 0);
        put(&names, 20_000..60_000, 200, 100);
        assert!(names.len() <= 41_000, "{}", names.len());
        put(&names, 60_000..61_000, 300, 200);
        put(&names, 61_000..62_000, 300, 200);
        assert_eq!(names.len(), names.entries().len());
    }
}
