//! `Unsent`: revocations that Redis has not stored yet, one for each target.
//!
//! - Those for which a caller waits go first: after a long outage, a new sign-out is confirmed
//!   before the thousands that came meanwhile. Among themselves they are first in, first out, and
//!   so are the others.
//! - A revocation for a target that is here already is merged into it, with the later of each
//!   moment, and both callers get its result.
//! - Memory is therefore bounded by the number of targets, not by how often `revoke` is called. A
//!   target takes about 400 bytes.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use crate::{clock::Timestamp, revocation::Revocation, store::StoreErrorKind};

/// A revocation on its way to the writer.
pub(super) struct Letter {
    pub(super) revocation: Revocation,
    /// The caller's end of the answer. `None` once the caller got a failure.
    pub(super) reply: Option<oneshot::Sender<Result<(), StoreErrorKind>>>,
}

type Reply = oneshot::Sender<Result<(), StoreErrorKind>>;

#[derive(Default)]
pub(super) struct Unsent {
    /// The targets' keys, in the order in which they are sent.
    queue: BTreeMap<Place, String>,
    revocations: HashMap<String, Entry>,
    numbered: u64,
    /// Up to when what has expired is forgotten.
    forgotten: Option<Timestamp>,
}

struct Entry {
    revocation: Revocation,
    replies: Vec<Reply>,
    place: Place,
}

/// A place in the queue. The order of the fields is that of the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    urgency: Urgency,
    number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// A caller waits.
    Awaited,
    /// It is sent again, for the other replicas.
    Kept,
}

impl Unsent {
    pub(super) fn push(&mut self, Letter { revocation, reply }: Letter) {
        let key = revocation.target().key();
        let urgency = match reply {
            Some(_) => Urgency::Awaited,
            None => Urgency::Kept,
        };
        if let Some(known) = self.revocations.get_mut(&key) {
            known.revocation = Revocation::new(
                revocation.target().clone(),
                revocation.at().max(known.revocation.at()),
                revocation.until().max(known.revocation.until()),
            );
            known.replies.extend(reply);
            if urgency < known.place.urgency {
                self.queue.remove(&known.place);
                known.place.urgency = urgency;
                self.queue.insert(known.place, key);
            }
        } else {
            let number = self.numbered;
            self.numbered += 1;
            let place = Place { urgency, number };
            self.queue.insert(place, key.clone());
            let replies = reply.into_iter().collect();
            let entry = Entry {
                revocation,
                replies,
                place,
            };
            self.revocations.insert(key, entry);
        }
    }

    /// Lets those go later whose callers have all stopped waiting.
    fn leave_the_gone(&mut self) {
        let gone = |key: &String| {
            let entry = self.revocations.get(key);
            entry.is_some_and(|entry| entry.replies.iter().all(oneshot::Sender::is_closed))
        };
        let awaited = self.queue.iter();
        let awaited = awaited.take_while(|(place, _)| place.urgency == Urgency::Awaited);
        let gone: Vec<_> = awaited
            .filter(|(_, key)| gone(key))
            .map(|(place, _)| *place)
            .collect();
        for place in gone {
            self.keep(place, StoreErrorKind::TimedOut);
        }
    }

    /// Answers the first `count` revocations as stored, and removes them.
    pub(super) fn sent(&mut self, count: usize) {
        for _ in 0..count {
            let Some((_, key)) = self.queue.pop_first() else {
                return;
            };
            if let Some(entry) = self.revocations.remove(&key) {
                answer(entry.replies, Ok(()));
            }
        }
    }

    /// Forgets expired revocations for which no caller waits, and lets those go later whose callers
    /// have stopped waiting. It looks at all of them, and so does nothing if that moment is the
    /// last one's.
    pub(super) fn forget(&mut self, past: Timestamp) {
        if self.forgotten.replace(past) == Some(past) {
            return;
        }
        self.leave_the_gone();
        let queue = &mut self.queue;
        self.revocations.retain(|_, entry| {
            // A caller who waits gets an answer, even if the session has expired meanwhile.
            let counts = !entry.replies.is_empty() || entry.revocation.until() > past;
            if !counts {
                queue.remove(&entry.place);
            }
            counts
        });
    }

    /// Fails every waiting caller. The revocations stay, to be sent again.
    pub(super) fn failed(&mut self, kind: StoreErrorKind) {
        while let Some((first, _)) = self.queue.first_key_value()
            && first.urgency == Urgency::Awaited
        {
            let first = *first;
            self.keep(first, kind);
        }
    }

    /// Fails the callers of one revocation, which stays.
    fn keep(&mut self, mut place: Place, kind: StoreErrorKind) {
        let Some(key) = self.queue.remove(&place) else {
            return;
        };
        place.urgency = Urgency::Kept;
        if let Some(entry) = self.revocations.get_mut(&key) {
            entry.place = place;
            answer(std::mem::take(&mut entry.replies), Err(kind));
        }
        self.queue.insert(place, key);
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the first `count` revocations, or all if there are fewer.
    pub(super) fn first(&self, count: usize) -> impl Iterator<Item = &Revocation> {
        let entries = self
            .queue
            .values()
            .filter_map(|key| self.revocations.get(key));
        entries.map(|entry| &entry.revocation).take(count)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if !self.is_empty() {
            let revocations = self.queue.len();
            tracing::warn!(target: "tower_magic_link", revocations, "revocations were dropped before redis stored them: other replicas may not know of them");
        }
    }
}

fn answer(replies: Vec<Reply>, taken: Result<(), StoreErrorKind>) {
    for reply in replies {
        // The caller may have stopped waiting.
        let _ = reply.send(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Target;

    type Answer = oneshot::Receiver<Result<(), StoreErrorKind>>;

    fn revocation(target: Target, at: u64, until: u64) -> Revocation {
        let [at, until] = [at, until].map(Timestamp::from_secs);
        Revocation::new(target, at, until)
    }

    fn subject(name: &str) -> Target {
        Target::Subject(name.to_owned())
    }

    fn push(unsent: &mut Unsent, revocation: Revocation) -> Answer {
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        unsent.push(Letter { revocation, reply });
        answer
    }

    fn first(unsent: &Unsent, count: usize) -> Vec<Revocation> {
        unsent.first(count).cloned().collect()
    }

    #[test]
    fn revocations_for_one_target_wait_as_one_at_the_place_of_the_first() {
        let mut unsent = Unsent::default();
        let mut answers = vec![push(&mut unsent, revocation(subject("a"), 20, 500))];
        answers.push(push(&mut unsent, revocation(subject("b"), 20, 500)));
        for second in 0..1_000 {
            answers.push(push(
                &mut unsent,
                revocation(subject("a"), second, 900 - second / 2),
            ));
        }
        assert_eq!((unsent.queue.len(), unsent.revocations.len()), (2, 2));
        let both = [
            revocation(subject("a"), 999, 900),
            revocation(subject("b"), 20, 500),
        ];
        assert_eq!(first(&unsent, 10), both);
        unsent.failed(StoreErrorKind::TimedOut);
        for answer in &mut answers {
            assert_eq!(answer.try_recv(), Ok(Err(StoreErrorKind::TimedOut)));
        }
        assert_eq!(first(&unsent, 10), both, "they are sent again");
    }

    /// Pins: after an outage, a sign-out waited behind all revocations that had come meanwhile, and
    /// was told after two seconds that it was not recorded.
    #[test]
    fn a_revocation_for_which_somebody_waits_goes_before_those_that_nobody_waits_for() {
        let mut unsent = Unsent::default();
        let kept = |number: u64| revocation(subject(&format!("kept {number}")), 1, 9);
        for number in 0..1_000 {
            drop(push(&mut unsent, kept(number)));
        }
        unsent.failed(StoreErrorKind::Unavailable);
        let mut one = push(&mut unsent, revocation(subject("one"), 1, 9));
        // Somebody waits for one of the old ones again.
        let mut two = push(&mut unsent, kept(700));
        let reply = None;
        let missing = revocation(subject("missing"), 1, 9);
        unsent.push(Letter {
            revocation: missing,
            reply,
        });
        assert_eq!(unsent.len(), 1_002);
        let ids = |unsent: &Unsent, count| -> Vec<_> {
            let first = first(unsent, count).into_iter();
            first
                .map(|revocation| revocation.target().id().into_owned())
                .collect()
        };
        assert_eq!(ids(&unsent, 4), ["kept 700", "one", "kept 0", "kept 1"]);
        // Nobody waits for this one any more.
        drop(push(&mut unsent, revocation(subject("gone"), 1, 9)));
        assert_eq!(ids(&unsent, 3), ["kept 700", "one", "gone"]);
        unsent.forget(Timestamp::from_secs(2));
        assert_eq!(ids(&unsent, 3), ["kept 700", "one", "kept 0"]);
        unsent.sent(2);
        for answer in [&mut one, &mut two] {
            assert_eq!(answer.try_recv(), Ok(Ok(())));
        }
        assert_eq!(ids(&unsent, 2), ["kept 0", "kept 1"]);
        assert_eq!(ids(&unsent, 9_999)[999..], ["missing", "gone"]);
        assert_eq!(unsent.len(), 1_001);
    }

    #[test]
    fn who_joins_a_revocation_hears_what_becomes_of_it() {
        let mut unsent = Unsent::default();
        let address = |name: &str| Target::Address(name.to_owned());
        let mut a = push(&mut unsent, revocation(address("ada@example.com"), 1, 9));
        let mut b = push(&mut unsent, revocation(subject("b"), 1, 9));
        let mut joined = push(&mut unsent, revocation(address("ADA@example.com"), 2, 9));
        assert_eq!(first(&unsent, 1).len(), 1);
        unsent.sent(1);
        for answer in [&mut a, &mut joined] {
            assert_eq!(answer.try_recv(), Ok(Ok(())));
        }
        assert!(b.try_recv().is_err(), "it waits");
        assert_eq!(first(&unsent, 10), [revocation(subject("b"), 1, 9)]);
        // What was sent is no longer there to be joined.
        let mut again = push(&mut unsent, revocation(address("ada@example.com"), 1, 9));
        unsent.sent(1);
        assert_eq!(b.try_recv(), Ok(Ok(())));
        assert!(again.try_recv().is_err() && !unsent.is_empty());
        unsent.sent(1);
        assert_eq!(again.try_recv(), Ok(Ok(())));
        assert!(unsent.is_empty());
    }

    #[test]
    fn what_has_ended_is_forgotten_unless_somebody_waits_for_it() {
        let mut unsent = Unsent::default();
        for name in ["a", "b", "c"] {
            drop(push(&mut unsent, revocation(subject(name), 1, 100)));
        }
        unsent.failed(StoreErrorKind::TimedOut);
        let mut waits = push(&mut unsent, revocation(subject("b"), 1, 50));
        drop(push(&mut unsent, revocation(subject("c"), 1, 101)));
        unsent.failed(StoreErrorKind::TimedOut);
        let mut again = push(&mut unsent, revocation(subject("b"), 1, 50));
        unsent.forget(Timestamp::from_secs(99));
        assert_eq!(first(&unsent, 9).len(), 3);
        unsent.forget(Timestamp::from_secs(100));
        assert_eq!(
            first(&unsent, 9),
            [
                revocation(subject("b"), 1, 100),
                revocation(subject("c"), 1, 101)
            ]
        );
        assert_eq!(waits.try_recv(), Ok(Err(StoreErrorKind::TimedOut)));
        assert!(again.try_recv().is_err(), "it waits");
        unsent.sent(2);
        assert_eq!(again.try_recv(), Ok(Ok(())));
        assert!(unsent.is_empty() && unsent.queue.is_empty());
    }
}
