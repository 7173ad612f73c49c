//! `Names`: orders that end many sessions, by a name that those have in common.
//!
//! - They are spread over shards, each a sorted list. Readers take no lock; an order replaces its shard's list by a copy, in which it stands and
//!   what has expired does not.

use std::hash::{BuildHasher, RandomState};

use super::sync::{Arc, AtomicUsize, Mutex, Ordering, PoisonError, Slot};
use crate::clock::Timestamp;

/// Sessions up to a moment are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
}

pub(super) struct Names {
    /// How many orders there are, over all shards.
    len: AtomicUsize,
    shards: Box<[Shard]>,
    hasher: RandomState,
}

struct Shard {
    orders: Slot<Vec<(Arc<str>, Before)>>,
    writer: Mutex<()>,
}

impl Names {
    pub(super) fn new(shards: usize) -> Self {
        let shard = || Shard {
            orders: Slot::new(None),
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

    /// Says whether an order ends what began at `began` and has this name.
    pub(super) fn end(&self, name: &str, began: Timestamp) -> bool {
        self.shard(name).is_some_and(|shard| {
            let orders = shard.orders.load();
            orders.as_ref().is_some_and(|orders| {
                let place = orders.binary_search_by(|(known, _)| (**known).cmp(name));
                let order = place.ok().and_then(|place| orders.get(place));
                order.is_some_and(|(_, before)| began <= before.at)
            })
        })
    }

    /// Remembers an order; of two for one name, the later of each moment.
    pub(super) fn put(&self, name: &str, order: Before, now: Timestamp) {
        let Some(shard) = self.shard(name) else {
            return;
        };
        let _writer = shard.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = shard.orders.load();
        let known = orders.as_ref().map_or(&[][..], |orders| orders);
        let place = known.binary_search_by(|(known, _)| (**known).cmp(name));
        let (before, order, after) = match place {
            Ok(place) => {
                let (before, rest) = known.split_at(place);
                let Some(((name, known), after)) = rest.split_first() else {
                    return;
                };
                let order = Before {
                    at: order.at.max(known.at),
                    until: order.until.max(known.until),
                };
                (before, (name.clone(), order), after)
            }
            Err(place) => {
                let (before, after) = known.split_at(place);
                (before, (Arc::from(name), order), after)
            }
        };
        let counts = |(_, order): &&(Arc<str>, Before)| order.until > now;
        let mut changed = Vec::with_capacity(known.len() + 1);
        changed.extend(before.iter().filter(counts).cloned());
        changed.push(order);
        changed.extend(after.iter().filter(counts).cloned());
        let (had, has) = (known.len(), changed.len());
        shard.orders.store(Some(Arc::new(changed)));
        self.len.fetch_add(has, Ordering::Release);
        self.len.fetch_sub(had, Ordering::Release);
    }

    /// Returns what is remembered. What is put in meanwhile may be missing.
    pub(super) fn entries(&self) -> Vec<(Arc<str>, Before)> {
        let mut entries = Vec::with_capacity(self.len());
        for shard in &self.shards {
            if let Some(orders) = shard.orders.load().as_ref() {
                entries.extend_from_slice(orders);
            }
        }
        entries
    }

    fn shard(&self, name: &str) -> Option<&Shard> {
        let many = u64::try_from(self.shards.len()).unwrap_or_default();
        let shard = self.hasher.hash_one(name).checked_rem(many)?;
        self.shards.get(usize::try_from(shard).unwrap_or_default())
    }
}
