//! The structures that the benchmark compares.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{RwLock, atomic::Ordering},
};

use tower_magic_link::{
    Session, SessionId,
    clock::Timestamp,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target},
};

/// What ends sessions and looks them up.
pub(super) trait Store: Sync {
    fn end(&self, id: SessionId, until: u64, now: u64);
    fn is_ended(&self, session: &Session) -> bool;
}

impl Store for MemoryRevocations {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let [now, until] = [now, until].map(Timestamp::from_secs);
        Self::record(self, &Revocation::new(Target::Session(id), now, until));
    }

    fn is_ended(&self, session: &Session) -> bool {
        matches!(
            self.look_up(session),
            Lookup::Settled(Ok(Standing::Revoked))
        )
    }
}

/// The store as it was: lock-free, swept as a whole when it has doubled.
#[derive(Default)]
struct Papaya(
    papaya::HashMap<SessionId, u64>,
    std::sync::atomic::AtomicUsize,
);

impl Store for Papaya {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let ended = self.0.pin();
        ended.update_or_insert(id, |known| until.max(*known), until);
        if ended.len() >= 2 * self.1.load(Ordering::Relaxed).max(64) {
            ended.retain(|_, until| *until > now);
            self.1.store(ended.len(), Ordering::Relaxed);
        }
    }

    fn is_ended(&self, session: &Session) -> bool {
        !self.0.is_empty() && self.0.pin().contains_key(&session.id())
    }
}

type Locked = RwLock<(HashMap<SessionId, u32>, usize)>;

/// As many locks as shards, each around a map of the standard library.
struct Locks(Vec<Locked>, RandomState);

impl Locks {
    fn new(shards: usize) -> Self {
        Self(
            (0..shards).map(|_| Locked::default()).collect(),
            RandomState::new(),
        )
    }

    fn shard(&self, id: SessionId) -> &Locked {
        match self.0.as_slice() {
            [one] => one,
            many => {
                let hash = usize::try_from(self.1.hash_one(id)).unwrap();
                many.get(hash % many.len()).unwrap()
            }
        }
    }
}

impl Store for Locks {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let [until, now] = [until, now].map(|moment| u32::try_from(moment).unwrap());
        let (ended, swept) = &mut *self.shard(id).write().unwrap();
        let known = ended.entry(id).or_default();
        *known = until.max(*known);
        if ended.len() >= 2 * *swept.max(&mut 64) {
            ended.retain(|_, until| *until > now);
            *swept = ended.len();
        }
    }

    fn is_ended(&self, session: &Session) -> bool {
        self.shard(session.id())
            .read()
            .unwrap()
            .0
            .contains_key(&session.id())
    }
}

pub(super) fn store(name: &str) -> Box<dyn Store> {
    match name {
        "memory" => Box::new(MemoryRevocations::default()),
        "papaya" => Box::new(Papaya::default()),
        "sharded locks" => Box::new(Locks::new(256)),
        "one lock" => Box::new(Locks::new(1)),
        name => panic!("no structure is called {name}"),
    }
}
