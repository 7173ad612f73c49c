//! `Missing`: the revocations that this process knows and a server lacks.
//!
//! - Neither side is copied. Of what the server holds, eight bytes stand for each revocation; what
//!   this process knows is read part by part.
//! - The runtime's other tasks have turns meanwhile.

use std::{
    hash::{BuildHasher, RandomState},
    mem,
};

use tokio::task::yield_now;

use super::{
    replica::Replica,
    wire::{LAST_SECOND, member},
};
use crate::{clock::Timestamp, revocation::Revocation};

/// How many lists the digests are spread over, by their first byte: each is sorted in one go.
const LISTS: usize = 256;
/// How many revocations are compared before other tasks of the runtime have a turn.
const TURN: usize = 1_000;

/// What a server holds: for each revocation and its end, a hash under a key of this value's own.
///
/// Among a million of them, one that the server lacks is taken for held once in 10^13 times, and
/// nobody can choose which.
#[derive(Default)]
pub(super) struct Held {
    key: RandomState,
    lists: Vec<Vec<u64>>,
}

impl Held {
    /// Notes what the server holds.
    pub(super) fn note(&mut self, page: &[Revocation]) {
        self.lists.resize_with(LISTS, Vec::new);
        for revocation in page {
            let digest = self.digest(revocation);
            if let Some(list) = self.lists.get_mut(list(digest)) {
                list.push(digest);
            }
        }
    }

    /// Makes ready to be asked.
    pub(super) async fn sort(&mut self) {
        for list in &mut self.lists {
            list.sort_unstable();
            yield_now().await;
        }
    }

    fn has(&self, revocation: &Revocation) -> bool {
        let digest = self.digest(revocation);
        let list = self.lists.get(list(digest));
        list.is_some_and(|list| list.binary_search(&digest).is_ok())
    }

    fn digest(&self, revocation: &Revocation) -> u64 {
        let until = revocation.until().as_secs().min(LAST_SECOND);
        self.key.hash_one((until, member(revocation)))
    }
}

fn list(digest: u64) -> usize {
    let [first, ..] = digest.to_be_bytes();
    usize::from(first)
}

/// The revocations that a server lacks, except those that may be forgotten: those of the present,
/// and not of when it was loaded. What came meanwhile may be among them.
pub(super) struct Missing<'a> {
    replica: &'a Replica,
    held: &'a Held,
    past: Timestamp,
    part: usize,
    found: Vec<Revocation>,
}

impl<'a> Missing<'a> {
    pub(super) fn of(replica: &'a Replica, held: &'a Held) -> Self {
        Self {
            replica,
            held,
            past: replica.past(),
            part: 0,
            found: Vec::new(),
        }
    }

    /// Says whether there are more than that, without looking at more than it takes to know.
    pub(super) async fn are_more_than(&mut self, few: usize) -> bool {
        self.find(few + 1).await;
        self.found.len() > few
    }

    /// Returns up to `most` of those that were not returned yet. None is left if there is none.
    pub(super) async fn next(&mut self, most: usize) -> Vec<Revocation> {
        self.find(most).await;
        let rest = self.found.split_off(most.min(self.found.len()));
        mem::replace(&mut self.found, rest)
    }

    async fn find(&mut self, many: usize) {
        while self.found.len() < many {
            let Some(part) = self.replica.revocations.part(self.part) else {
                return;
            };
            self.part += 1;
            for some in part.chunks(TURN) {
                let is_missing = |revocation: &&Revocation| {
                    revocation.until() > self.past && !self.held.has(revocation)
                };
                self.found.extend(some.iter().filter(is_missing).cloned());
                yield_now().await;
            }
        }
    }
}
