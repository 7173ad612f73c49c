//! `Table`: session ids, and when each may be forgotten, in 21 bytes a place.
//!
//! - One writer at a time adds entries, while any number of readers read: the id is stored before
//!   its tag publishes it. Nothing is removed; the table's successor leaves out what may be
//!   forgotten ([`Table::rebuilt`]).
//! - Eight places form a group, whose tags share one word. A tag has the high bit for a taken
//!   place, and seven bits of the hash. For a session that was not ended, which most are, the tags
//!   alone almost always answer: at a byte a place they stay in the processor's cache.
//! - At most seven places of eight are taken, so that a search soon meets a group with a free
//!   place, and ends there.

use super::sync::{AtomicU32, AtomicU64, Ordering};

/// A session's id, in two words.
pub(super) type Id = [u64; 2];

/// When an entry may be forgotten, in seconds since 1970. An end past the year 2106 is kept for
/// ever: [`FOR_EVER`].
pub(super) type End = u32;

/// The end that never comes.
pub(super) const FOR_EVER: End = End::MAX;

/// How many places a group has.
const PLACES: usize = 8;
/// How many of a group's places may be taken, on average over the table.
const TAKEN: usize = 7;
const EVERY_LOW_BIT: u64 = 0x0101_0101_0101_0101;
const EVERY_HIGH_BIT: u64 = 0x8080_8080_8080_8080;

/// Hashes ids with a random key. This crate's ids are random already; an application's or a test's
/// may not be.
#[derive(Clone, Copy)]
pub(super) struct Hasher(pub(super) [u64; 2]);

impl Hasher {
    /// Multiplies twice: once clusters when ids are sequential and the key is unlucky.
    pub(super) fn hash(self, id: Id) -> Hash {
        let [[first, second], [key, other]] = [id, self.0];
        let once = folded(first ^ key, second ^ other);
        Hash(folded(once ^ other, GOLDEN))
    }
}

/// 2^64 divided by the golden ratio: its bits have no pattern.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns the exclusive or of the two halves of a product.
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    let [low, high] = [product & u128::from(u64::MAX), product >> 64];
    u64::try_from(low ^ high).unwrap_or_default()
}

/// A hash: 32 bits choose the group, seven are the tag, and the highest 24 choose the shard.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    /// Returns a number below `many`, from the highest bits, which a table does not use.
    pub(super) fn shard(self, many: usize) -> usize {
        share(self.0 >> 40, 24, many)
    }

    fn group(self, many: usize) -> usize {
        share(self.0 & u64::from(u32::MAX), 32, many)
    }

    fn tag(self) -> u64 {
        0x80 | (self.0 >> 32) & 0x7f
    }
}

/// Maps a number of `bits` bits evenly onto the numbers below `many`, which is less than 2^32.
fn share(number: u64, bits: u32, many: usize) -> usize {
    let many = u64::try_from(many).unwrap_or_default();
    usize::try_from((number * many) >> bits).unwrap_or_default()
}

pub(super) struct Table {
    tags: Box<[AtomicU64]>,
    ids: Box<[[AtomicU64; 2]]>,
    ends: Box<[AtomicU32]>,
}

impl Table {
    /// Returns a table with the unexpired entries of `old`, the new entry, and room for a third
    /// more; and its count.
    pub(super) fn rebuilt(
        old: Option<&Self>,
        entry: (Id, End),
        hasher: Hasher,
        now: u64,
    ) -> (Self, usize) {
        let counts = |end: End| end == FOR_EVER || u64::from(end) > now;
        let kept = || {
            let entries = old.into_iter().flat_map(Self::entries);
            entries.filter(move |(_, end)| counts(*end))
        };
        let many = kept().count() + 1;
        let mut draft = Draft::with_groups((many + many / 3).div_ceil(TAKEN));
        for (id, end) in kept().chain([entry]) {
            draft.put(id, end, hasher.hash(id));
        }
        (draft.finish(), many)
    }

    /// Says whether one more entry leaves enough places free, when there are `many` entries.
    pub(super) fn has_room(&self, many: usize) -> bool {
        many < self.tags.len() * TAKEN
    }

    pub(super) fn contains(&self, id: Id, hash: Hash) -> bool {
        self.search(id, hash).is_ok()
    }

    /// Adds an entry, for which there must be room, or moves its end, never to an earlier one.
    /// Returns whether it is new. For one writer at a time.
    pub(super) fn put(&self, id: Id, end: End, hash: Hash) -> bool {
        let (place, is_new) = match self.search(id, hash) {
            Ok(place) => (place, false),
            Err(Some(place)) => (place, true),
            Err(None) => return false,
        };
        // The end before the tag: a reader that sees the entry must see its end too.
        if let Some(known) = self.ends.get(place) {
            known.fetch_max(end, Ordering::Relaxed);
        }
        if is_new {
            let words = self.ids.get(place).into_iter().flatten();
            for (word, value) in words.zip(id) {
                word.store(value, Ordering::Relaxed);
            }
            if let Some(tags) = self.tags.get(place / PLACES) {
                // Release: a reader that sees the tag also sees the id.
                tags.fetch_or(hash.tag() << (place % PLACES * 8), Ordering::Release);
            }
        }
        is_new
    }

    /// Returns every entry. One that is added during the call may be missing.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Id, End)> {
        let places = self.ids.iter().zip(&self.ends);
        let taken = self.tags.iter().flat_map(|tags| {
            let tags = tags.load(Ordering::Acquire);
            (0..PLACES).map(move |place| tags >> (place * 8) & 0x80 != 0)
        });
        taken
            .zip(places)
            .filter(|(is_taken, _)| *is_taken)
            .map(|(_, ([first, second], end))| {
                let id = [
                    first.load(Ordering::Relaxed),
                    second.load(Ordering::Relaxed),
                ];
                (id, end.load(Ordering::Relaxed))
            })
    }

    /// Returns the id's place, or else the free place in which it belongs.
    fn search(&self, id: Id, hash: Hash) -> Result<usize, Option<usize>> {
        let mut group = hash.group(self.tags.len());
        for _ in 0..self.tags.len() {
            let Some(tags) = self.tags.get(group) else {
                break;
            };
            let tags = tags.load(Ordering::Acquire);
            for place in Matches::of(tags, hash.tag()) {
                let place = group * PLACES + place;
                if self.holds(place, id) {
                    return Ok(place);
                }
            }
            // A group with a free place ends the search: no entry ever moves out of a group, so
            // none was pushed past it.
            if let Some(place) = first_free(tags) {
                return Err(Some(group * PLACES + place));
            }
            group += 1;
            if group == self.tags.len() {
                group = 0;
            }
        }
        Err(None)
    }

    fn holds(&self, place: usize, [first, second]: Id) -> bool {
        self.ids.get(place).is_some_and(|[one, other]| {
            one.load(Ordering::Relaxed) == first && other.load(Ordering::Relaxed) == second
        })
    }
}

/// The places of a group with one tag. The place after a true match may match falsely, so the
/// caller compares the id.
struct Matches(u64);

impl Matches {
    const fn of(tags: u64, tag: u64) -> Self {
        // The usual test for a zero byte. A free place's tag lacks the high bit, so it never
        // matches.
        let differing = tags ^ tag.wrapping_mul(EVERY_LOW_BIT);
        Self(differing.wrapping_sub(EVERY_LOW_BIT) & !differing & EVERY_HIGH_BIT)
    }
}

impl Iterator for Matches {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = first_byte(self.0)?;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

fn first_free(tags: u64) -> Option<usize> {
    first_byte(!tags & EVERY_HIGH_BIT)
}

fn first_byte(bits: u64) -> Option<usize> {
    (bits != 0).then(|| usize::try_from(bits.trailing_zeros() / 8).unwrap_or_default())
}

/// A table that no reader sees yet, so that filling it needs no atomics.
struct Draft {
    tags: Vec<u64>,
    ids: Vec<Id>,
    ends: Vec<End>,
}

impl Draft {
    fn with_groups(groups: usize) -> Self {
        Self {
            tags: vec![0; groups],
            ids: vec![[0; 2]; groups * PLACES],
            ends: vec![0; groups * PLACES],
        }
    }

    /// Adds an entry that is not there yet. There must be room.
    fn put(&mut self, id: Id, end: End, hash: Hash) {
        let home = hash.group(self.tags.len());
        let (before, after) = self.tags.split_at_mut(home);
        let groups = (home..).zip(after).chain((0..).zip(before));
        for (group, tags) in groups {
            let Some(free) = first_free(*tags) else {
                continue;
            };
            *tags |= hash.tag() << (free * 8);
            let place = group * PLACES + free;
            if let (Some(ids), Some(ends)) = (self.ids.get_mut(place), self.ends.get_mut(place)) {
                (*ids, *ends) = (id, end);
            }
            return;
        }
    }

    fn finish(self) -> Table {
        let words = |id: Id| id.map(AtomicU64::new);
        Table {
            tags: self.tags.into_iter().map(AtomicU64::new).collect(),
            ids: self.ids.into_iter().map(words).collect(),
            ends: self.ends.into_iter().map(AtomicU32::new).collect(),
        }
    }
}
