//! Where a follower is: a data set, a place in its stream, and whether it is complete.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{
    heard::Heard,
    loading::Mark,
    replica::Replica,
    server::{PATIENCE, Server, State},
    unsent::Letter,
};
use crate::store::StoreError;

/// How long the server holds a read when there is nothing new.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(300);
/// What following and arriving need of this process.
pub(super) struct Member {
    pub(super) replica: Arc<Replica>,
    pub(super) letters: mpsc::UnboundedSender<Letter>,
    pub(super) settle: Duration,
    /// How many missing revocations are put back through the stream.
    pub(super) few: usize,
    /// How many revocations one call puts back: Redis serves no other command meanwhile.
    pub(super) batch: usize,
    /// This replica's name among the others.
    pub(super) id: String,
}

impl Member {
    /// Notes that the server has refused this replica's mark, again after whatever else has failed
    /// meanwhile: where nobody has marked the data set, that is why it is not believed.
    pub(super) fn note_refusal(&self, refused: &StoreError) {
        let Replica { notes, .. } = &*self.replica;
        // Who knew an earlier data set goes on from its copy, and a single process at once.
        match self.replica.is_loaded() || self.settle.is_zero() {
            true => notes.fail(refused),
            false => notes.refuse_mark(refused),
        }
    }
}

/// The follower's position: a data set, and the last revocation read of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) epoch: String,
    pub(super) history: String,
    pub(super) restored: u64,
    pub(super) seq: u64,
    pub(super) settling: Settling,
    /// Whether the data set holds all that this replica knew when it arrived. `false` if the server
    /// did not take it, and the writer has it to send.
    pub(super) is_put_back: bool,
}

impl Place {
    pub(super) fn mark(&self) -> Mark<'_> {
        Mark {
            epoch: &self.epoch,
            history: &self.history,
            restored: self.restored,
            seq: self.seq,
        }
    }

    /// Says whether this is a position in that data set.
    pub(super) fn is_in(&self, state: &State) -> bool {
        state.is_intact
            && self.history == state.history
            && self.epoch == state.epoch
            && self.restored == state.restored
    }
}

/// Whether a data set is complete: whether every replica that could know more than it holds has had
/// the time to put that back.
///
/// A replica that knew an earlier data set knows who else did. Once all of these are done, it
/// believes. A replica that knows of no other waits for the time of
/// [`Redis::settle`](crate::store::Redis::settle) since the data set was seen first, and for
/// replicas that return.
///
/// A server that takes no writes cannot say when it was seen first, nor take what it lacks. After a
/// failover to such a server, a replica that knew the earlier data set goes on from its own copy,
/// once that time has passed since it arrived. A replica that knew none believes nothing there:
/// nobody can put back what it would lack.
#[derive(Debug)]
pub(super) struct Settling {
    arrived: Instant,
    /// The replicas of the earlier data set. `None` if this replica knew none.
    awaits: Option<Vec<String>>,
    is_over: bool,
    /// Whether the server refused the mark of when this data set was seen first.
    is_unmarked: bool,
    since: Since,
    returning: Heard,
}

/// Since when a data set is settling.
#[derive(Debug)]
struct Since {
    /// By the server's clock, in milliseconds.
    date: u64,
    seen: Instant,
    /// How long ago that was when it was seen.
    age: Duration,
}

impl Since {
    fn of(state: &State) -> Self {
        Self {
            date: state.since,
            seen: Instant::now(),
            age: Duration::from_millis(state.time.saturating_sub(state.since)),
        }
    }
}

impl Settling {
    /// Begins with the data set's description.
    pub(super) fn new(state: &State, awaits: Option<Vec<String>>, marked: Result<(), ()>) -> Self {
        let mut settling = Self {
            arrived: Instant::now(),
            awaits,
            is_over: false,
            is_unmarked: marked.is_err(),
            since: Since::of(state),
            returning: Heard::default(),
        };
        settling.note(state);
        settling
    }

    /// Says whether the server refused the mark of this replica.
    pub(super) const fn is_unmarked(&self) -> bool {
        self.is_unmarked
    }

    /// Notes what a description says, by this process's own clock: the server's may be set.
    fn note(&mut self, state: &State) {
        if self.since.date != state.since {
            self.since = Since::of(state);
        }
        self.returning.note(&state.returning, state.time, PATIENCE);
    }

    /// Says whether it is over, which it stays.
    pub(super) fn is_over(&mut self, state: &State, settle: Duration) -> bool {
        self.note(state);
        // Until a data set is marked, its marks are those of the earlier one.
        let is_marked = state.of == state.history;
        let mut awaited = self.awaits.iter().flatten();
        let are_back =
            self.awaits.is_some() && awaited.all(|id| is_marked && state.done.contains(id));
        self.is_over |= are_back || !self.is_awaited(state) && self.has_settled(state, settle);
        self.is_over
    }

    /// Says whether a replica that knows more may still put it back.
    fn is_awaited(&self, state: &State) -> bool {
        let mut returning = self.returning.within(PATIENCE);
        returning.any(|id| state.returning.contains_key(id))
    }

    /// Says whether every replica that knows more has had the time to come.
    fn has_settled(&self, state: &State, settle: Duration) -> bool {
        if state.of == state.history {
            return self.since.age + self.since.seen.elapsed() >= settle;
        }
        // Nobody has marked it. Where a single process is the only one, nobody knows more.
        let may_go_on = self.awaits.is_some() || settle.is_zero();
        self.is_unmarked && may_go_on && self.arrived.elapsed() >= settle
    }
}

/// What a reading of the stream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    All,
    /// Some revocations are no longer in the stream.
    Gap,
}

/// Applies all that is streamed up to a revocation, and leaves out what the stream no longer has:
/// for a place from which everything is loaded next. Until that load comes to them, a process that
/// answers from its copy would not know what was confirmed meanwhile.
pub(super) async fn skim<S: Server>(
    server: &S,
    replica: &Replica,
    here: &mut Place,
    seq: u64,
) -> Result<(), StoreError> {
    while here.seq < seq {
        let streamed = server.read(here.seq, None).await?;
        let last = streamed.iter().filter_map(|streamed| streamed.seq).max();
        let revocations = streamed.into_iter();
        let revocations = revocations.filter_map(|streamed| streamed.revocation);
        replica.hear_of(revocations.collect());
        replica.loading.goes_on();
        // What was counted and is not streamed any more is stored.
        here.seq = last.unwrap_or(seq).clamp(here.seq + 1, seq);
    }
    Ok(())
}

/// Reads on from a place, and applies what it reads.
pub(super) async fn read<S: Server>(
    server: &S,
    replica: &Replica,
    here: &mut Place,
    block: Option<Duration>,
) -> Result<Read, StoreError> {
    let mut revocations = Vec::new();
    let mut read = Read::All;
    for streamed in server.read(here.seq, block).await? {
        // The script numbers revocations without gaps, so a gap means that the stream was trimmed.
        if streamed.seq != Some(here.seq + 1) {
            read = Read::Gap;
            break;
        }
        revocations.extend(streamed.revocation);
        here.seq += 1;
    }
    replica.hear_of(revocations);
    Ok(read)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Pins: a data set was believed as soon as Redis's clock had been set ahead, and for a minute
    /// not at all if it had been set back.
    #[tokio::test(start_paused = true)]
    async fn a_data_set_settles_wherever_the_servers_clock_is_set() {
        let settle = Duration::from_secs(10);
        let mut state = State {
            time: 1_000_000,
            since: 998_000,
            ..State::default()
        };
        let mut settling = Settling::new(&state, None, Ok(()));
        for (name, time) in [("ahead", 1_060_000), ("back", 940_000)] {
            state.time = time;
            assert!(!settling.is_over(&state, settle), "{name}");
        }
        state.returning.insert("a".to_owned(), state.time);
        advance(Duration::from_secs(8)).await;
        assert!(!settling.is_over(&state, settle), "one returns");
        advance(Duration::from_secs(5)).await;
        assert!(settling.is_over(&state, settle), "that one is gone");
    }

    /// Pins: if the first mark failed, a replica believed after the time of settling, although
    /// another one had marked the data set meanwhile and was putting back.
    #[tokio::test(start_paused = true)]
    async fn a_data_set_that_was_not_marked_is_believed_only_while_nobody_else_can_mark_it() {
        let settle = Duration::from_secs(3);
        let others = || Some(vec!["a".to_owned()]);
        // What the earlier data set said of the other one is there still.
        let refuses = |time| State {
            time,
            history: "new".to_owned(),
            of: "old".to_owned(),
            done: vec!["a".to_owned()],
            ..State::default()
        };
        let marked = |time| State {
            of: "new".to_owned(),
            since: 1_000_000,
            done: Vec::new(),
            returning: [("a".to_owned(), time)].into(),
            ..refuses(time)
        };
        for (name, knew, takes_writes, want) in [
            ("it goes on from its copy", others(), false, true),
            ("it knew nothing", None, false, false),
            ("another one puts back", others(), true, false),
            (
                "another one puts back, and it knew nothing",
                None,
                true,
                false,
            ),
        ] {
            let mut settling = Settling::new(&refuses(1_000_000), knew, Err(()));
            for second in 1..=10 {
                advance(Duration::from_secs(1)).await;
                let time = 1_000_000 + 1_000 * second;
                let state = if takes_writes {
                    marked(time)
                } else {
                    refuses(time)
                };
                let is_over = settling.is_over(&state, settle);
                assert_eq!(is_over, want && second >= 3, "{name}, {second}");
            }
        }
        let mut settling = Settling::new(&refuses(1_000_000), None, Err(()));
        assert!(
            settling.is_over(&refuses(1_000_000), Duration::ZERO),
            "a single process"
        );
    }
}
