//! `MemoryRevocations`: the store of an application that runs in one process.
//!
//! - Readers take no lock. They wait neither for a revocation nor for the store to grow or to
//!   forget.
//! - A session that was ended by its id costs at most 48 bytes, overhead included
//!   (`benches/revocations.rs` prints it). A revocation that ends many sessions is kept by name,
//!   and costs about 125 bytes (`benches/redis`).
//! - Live connections end at once: `watchers` keeps one waker for each, for as long as it lives.
//!   Revocations by name that come together look at each of them once, which takes about 15 ms for
//!   100,000.
//! - Forgetting what has expired bounds its size. An entry leaves as new ones come, some time after
//!   the last token that it ends has expired.

use std::{fmt, future::ready, ptr, slice};

use self::{
    groups::Groups,
    ids::Ids,
    names::Before,
    sync::Arc,
    table::{End, FOR_EVER, Hasher, Id},
};
use super::{
    Lookup, Revocation, Revocations, Standing,
    target::Target,
    watchers::{Watch, Watched, Watchers},
};
use crate::store::StoreFuture;
use crate::{
    check::{self, Checking},
    clock::{Clock, Signal, SystemClock, Timestamp},
    random,
    session::{Session, SessionId},
};

mod groups;
mod ids;
mod names;
mod sync;
mod table;

/// How many tables the session ids are spread over. With ten million sessions, one revocation
/// copies at most a table of 40,000.
const ID_SHARDS: usize = 256;

/// Remembers ended sessions in this process. Clones share what they remember.
///
/// Other replicas do not know of them, and a restart forgets them. An application on several
/// machines needs a shared store behind the [`Revocations`] port.
///
/// ```
/// use tower_magic_link::{Builder, revocation::{MemoryRevocations, Target}};
///
/// # async fn example(builder: Builder) -> Result<(), Box<dyn std::error::Error>> {
/// let revocations = MemoryRevocations::default();
/// let layer = builder.revocations(revocations.clone()).build()?;
/// // Later, from an admin page:
/// layer.end_sessions(Target::Subject("user-1".to_owned())).await?;
/// assert_eq!(revocations.len(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct MemoryRevocations {
    ended: Arc<Ended>,
}

struct Ended {
    sessions: Ids,
    groups: Groups,
    /// Live connections that end with their session. No look-up reads them.
    watchers: Watchers,
}

impl Default for Ended {
    fn default() -> Self {
        // A key of this process, so that nobody can choose session ids that share a shard or a
        // group.
        let [key, other] = [random::bytes(), random::bytes()].map(u64::from_ne_bytes);
        Self {
            sessions: Ids::new(ID_SHARDS, Hasher([key, other])),
            groups: Groups::default(),
            watchers: Watchers::default(),
        }
    }
}

impl MemoryRevocations {
    /// Ends the sessions that the revocation names, and forgets what has expired by
    /// [`Revocation::at`] and by this machine's clock, whichever is earlier.
    pub fn record(&self, revocation: &Revocation) {
        // The revocation may be of a machine whose clock is hours ahead: by that alone, it would
        // delete what still holds.
        let now = revocation.at().min(SystemClock.now());
        self.record_all(slice::from_ref(revocation), now);
    }

    /// Ends the sessions that the revocations name, and forgets what has expired by `now`. Wakes
    /// the live connections that a new revocation ends.
    pub(super) fn record_all(&self, revocations: &[Revocation], now: Timestamp) {
        let Ended {
            sessions,
            groups,
            watchers,
        } = &*self.ended;
        let mut named = groups.all().map(|kind| (kind, Vec::new()));
        for revocation in revocations {
            if let Target::Session(id) = revocation.target() {
                // Recorded before anybody is woken: a watch that wakes looks the session up again.
                sessions.put(words(*id), end(revocation.until()), now.as_secs());
                watchers.wake_one(*id);
            } else if let Some((names, name)) = groups.named(revocation.target()) {
                let before = Before {
                    at: revocation.at(),
                    until: revocation.until(),
                };
                let mut kinds = named.iter_mut();
                if let Some((_, revocations)) = kinds.find(|((kind, _), _)| ptr::eq(*kind, names)) {
                    revocations.push((name, before));
                }
            }
        }
        // One write for each kind: a copy of a shard's list for each revocation would make loading
        // a large store quadratic.
        let mut are_new = false;
        for ((names, _), revocations) in &named {
            let revocations: Vec<_> = revocations
                .iter()
                .map(|(name, revocation)| (&**name, *revocation))
                .collect();
            are_new |= !names.put(&revocations, now).is_empty();
        }
        if are_new {
            watchers.wake_ended(|session| self.has_ended(session));
        }
    }

    /// Returns the remembered revocations, unsorted, to fill another store with. Expired
    /// revocations may be among them; revocations that are recorded during the call may be missing.
    ///
    /// Revocations for the same target are merged into one with the latest moments. A revocation
    /// for a single session does not keep when it was given: its [`at`](Revocation::at) is 1970. An
    /// [`until`](Revocation::until) after the year 2106 has become the end of time.
    #[must_use]
    pub fn revocations(&self) -> Vec<Revocation> {
        let mut all = Vec::with_capacity(self.len());
        all.extend((0..).map_while(|number| self.part(number)).flatten());
        all
    }

    /// Returns some of the revocations, as [`revocations`](Self::revocations) does: `None` past the
    /// last part. A revocation stays in its part.
    pub(super) fn part(&self, number: usize) -> Option<Vec<Revocation>> {
        if let Some(entries) = self.ended.sessions.part(number) {
            return Some(entries.into_iter().map(ended_by).collect());
        }
        self.ended.groups.part(number.checked_sub(ID_SHARDS)?)
    }

    /// Makes a store whose parts are the same in each process.
    #[cfg(test)]
    pub(super) fn with_key(key: [u64; 2]) -> Self {
        let sessions = Ids::new(ID_SHARDS, Hasher(key));
        let ended = Arc::new(Ended {
            sessions,
            ..Ended::default()
        });
        Self { ended }
    }

    /// Returns how many live connections watch for their session's end.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.ended.watchers.len()
    }

    /// Returns how many revocations the store holds, including those that have expired but are not
    /// removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ended.sessions.len() + self.ended.groups.len()
    }

    /// Says whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn standing(&self, session: &Session) -> Standing {
        let Ended {
            sessions, groups, ..
        } = &*self.ended;
        // The id first: it is one probe of a table, and a sign-out is the usual revocation.
        if sessions.contains(words(session.id())) || !groups.is_empty() && groups.ends(session) {
            Standing::Revoked
        } else {
            Standing::Active
        }
    }
}

impl Watched for MemoryRevocations {
    fn has_ended(&self, session: &Session) -> bool {
        self.standing(session) == Standing::Revoked
    }

    fn live(&self) -> &Watchers {
        &self.ended.watchers
    }
}

fn words(id: SessionId) -> Id {
    let id = u128::from_ne_bytes(id.to_bytes());
    [id >> 64, id & u128::from(u64::MAX)].map(|word| u64::try_from(word).unwrap_or_default())
}

fn session_id([high, low]: Id) -> SessionId {
    SessionId::from_bytes((u128::from(high) << 64 | u128::from(low)).to_ne_bytes())
}

fn ended_by((id, end): (Id, End)) -> Revocation {
    let until = match end {
        FOR_EVER => u64::MAX,
        end => u64::from(end),
    };
    let target = Target::Session(session_id(id));
    Revocation::new(target, Timestamp::from_secs(0), Timestamp::from_secs(until))
}

fn end(until: Timestamp) -> End {
    // 32 bits take the place of 64 in each entry. A later end is kept too long rather than
    // forgotten.
    End::try_from(until.as_secs()).unwrap_or(FOR_EVER)
}

impl Revocations for MemoryRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        Lookup::settled(self.standing(session))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.record(revocation);
        Box::pin(std::future::ready(Ok(())))
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        Some(Box::pin(Watch::new(self.clone(), session.clone())))
    }

    fn check(&self, _now: Timestamp) -> Checking<'_> {
        Box::pin(ready(vec![check::in_memory()]))
    }
}

impl fmt::Debug for MemoryRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocations")
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(test)]
mod tests;
