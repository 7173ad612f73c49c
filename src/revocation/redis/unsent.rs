//! `Unsent`: revocations that Redis has not stored yet, one for each target.
//!
//! - First in, first out. A revocation for a target that is waiting already is merged into the
//!   waiting one, with the later of each moment, and both callers get its result.
//! - Memory is therefore bounded by the number of targets, not by how often `revoke` is called.

use std::collections::{HashMap, VecDeque};

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
    /// The targets' keys, in the order in which they came.
    queue: VecDeque<String>,
    revocations: HashMap<String, (Revocation, Vec<Reply>)>,
}

impl Unsent {
    pub(super) fn push(&mut self, Letter { revocation, reply }: Letter) {
        let key = revocation.target().key();
        if let Some((known, replies)) = self.revocations.get_mut(&key) {
            *known = Revocation::new(
                revocation.target().clone(),
                revocation.at().max(known.at()),
                revocation.until().max(known.until()),
            );
            replies.extend(reply);
        } else {
            self.queue.push_back(key.clone());
            self.revocations
                .insert(key, (revocation, reply.into_iter().collect()));
        }
    }

    /// Answers the first `count` revocations as stored, and removes them.
    pub(super) fn sent(&mut self, count: usize) {
        for key in self.queue.drain(..count.min(self.queue.len())) {
            let (_, replies) = self.revocations.remove(&key).unzip();
            answer(replies.unwrap_or_default(), Ok(()));
        }
    }

    /// Forgets expired revocations for which no caller waits.
    pub(super) fn forget(&mut self, past: Timestamp) {
        let before = self.revocations.len();
        let counts = |revocation: &Revocation, replies: &Vec<Reply>| {
            // A caller who waits gets an answer, even if the session has expired meanwhile.
            !replies.is_empty() || revocation.until() > past
        };
        self.revocations
            .retain(|_, (revocation, replies)| counts(revocation, replies));
        if self.revocations.len() < before {
            self.queue.retain(|key| self.revocations.contains_key(key));
        }
    }

    /// Fails every waiting caller. The revocations stay, to be sent again.
    pub(super) fn failed(&mut self, kind: StoreErrorKind) {
        for (_, replies) in self.revocations.values_mut() {
            answer(std::mem::take(replies), Err(kind));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the first `count` revocations, or all if there are fewer.
    pub(super) fn first(&self, count: usize) -> impl Iterator<Item = &Revocation> {
        let revocations = self
            .queue
            .iter()
            .filter_map(|key| self.revocations.get(key));
        revocations.map(|(revocation, _)| revocation).take(count)
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
