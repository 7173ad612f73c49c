//! `Ids`: the sessions that were ended one by one.
//!
//! - They are spread over shards. Readers of a shard take no lock; its writers take turns.
//! - A full shard gets a new table, without the expired entries and with room for a third more than
//!   remain. Forgetting, growing and shrinking are therefore one step: constant work per revocation
//!   on average, one shard's size at most. No reader waits for it.
//! - An expired entry is forgotten only when its shard is full. A shard therefore keeps at most a
//!   third more entries than it last needed, or seven more.

use super::{
    sync::{Arc, AtomicUsize, Mutex, Ordering, PoisonError, Slot},
    table::{End, Hash, Hasher, Id, Table},
};

pub(super) struct Ids {
    /// How many entries there are, over all shards. No look-up reads it.
    len: AtomicUsize,
    hasher: Hasher,
    shards: Box<[Shard]>,
}

struct Shard {
    table: Slot<Table>,
    /// How many entries the table has. The lock's holder is the shard's one writer.
    taken: Mutex<usize>,
}

impl Ids {
    pub(super) fn new(shards: usize, hasher: Hasher) -> Self {
        let shard = || Shard {
            table: Slot::new(None),
            taken: Mutex::new(0),
        };
        Self {
            len: AtomicUsize::new(0),
            hasher,
            shards: std::iter::repeat_with(shard).take(shards).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn contains(&self, id: Id) -> bool {
        let hash = self.hasher.hash(id);
        self.shard(hash).is_some_and(|shard| {
            let table = shard.table.load();
            table.as_ref().is_some_and(|table| table.contains(id, hash))
        })
    }

    /// Remembers an id until `end`, or until its known end if that is later.
    pub(super) fn put(&self, id: Id, end: End, now: u64) {
        let hash = self.hasher.hash(id);
        let Some(shard) = self.shard(hash) else {
            return;
        };
        // A writer that panicked leaves a table of whole entries. To give the shard up would lose
        // sign-outs.
        let mut taken = shard.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let table = shard.table.load();
        let table = table.as_ref();
        if let Some(table) =
            // A known id needs no room, so ending a session twice never rebuilds a full table.
            table.filter(|table| table.has_room(*taken) || table.contains(id, hash))
        {
            if table.put(id, end, hash) {
                *taken += 1;
                self.len.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        let old = table.map(|table| &**table);
        let (rebuilt, many) = Table::rebuilt(old, (id, end), self.hasher, now);
        // In one step: a reader has the old table or the new one, and an entry that still counts is
        // in both.
        shard.table.store(Some(Arc::new(rebuilt)));
        // The addition first, so that the count never wraps below zero. Under the lock, so that
        // only counted entries are subtracted.
        self.len.fetch_add(1, Ordering::Relaxed);
        self.len.fetch_sub(*taken + 1 - many, Ordering::Relaxed);
        *taken = many;
    }

    /// Returns the remembered ids of one shard. An id that is put in during the call may be
    /// missing.
    pub(super) fn part(&self, number: usize) -> Option<Vec<(Id, End)>> {
        let table = self.shards.get(number)?.table.load();
        Some(table.iter().flat_map(|table| table.entries()).collect())
    }

    #[cfg(all(test, loom))]
    pub(super) fn entries(&self) -> Vec<(Id, End)> {
        let parts = (0..).map_while(|number| self.part(number));
        parts.flatten().collect()
    }

    fn shard(&self, hash: Hash) -> Option<&Shard> {
        self.shards.get(hash.shard(self.shards.len()))
    }
}
