//! The follower: keeps this process's copy the same as what Redis holds.
//!
//! 1. It connects, and compares the data set with the one that it followed last.
//! 2. If it is the same, the follower reads on from its place in the stream. If it is too far
//!    behind for the stream, it loads everything.
//! 3. If it is another one - emptied, evicted, older, or behind a failover - the follower loads
//!    everything, and puts back what only this process knows: see `arrival`.
//! 4. If the server takes no writes, it hands the revocations to the writer and follows all the
//!    same: a full Redis must not refuse every session.
//! 5. It waits at the stream, and gets an answer at least every 300 ms. It takes a missing answer
//!    for a lost server.
//! 6. After each answer it asks for the data set's description again: a demoted primary keeps its
//!    connections.
//! 7. Beside that it looks up the primary, and gives a sign of life, every ten seconds. Reading
//!    does not wait for either.
//!
//! What makes "active" true: the description that was asked for at a moment T names the number of
//! revocations streamed, N. Once the copy has N of that data set, it is as complete as the data set
//! was at T, however long the reading took. And the data set is complete once it has settled: once
//! every replica that could know more has put that back ([`Settling`](super::place::Settling)).
//! Both hold before [`Replica::hear`] is called with T.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::future::{self, Either, OptionFuture};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    arrival::Arrival,
    heard::Heard,
    place::{HEARTBEAT, Member, Place, Read, read},
    replica::{Moment, Replica},
    server::{Doing, Server, Servers, State},
};
use crate::store::StoreError;

/// The pause before a second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How long after a look-up of the primary the next begins, and after a sign of life the next: a
/// demoted primary keeps answering old connections.
const EVERY: Duration = Duration::from_secs(10);
/// After following for this long, the next loss begins with the first pause again.
const STEADY: Duration = Duration::from_secs(1);

/// A replica that was heard of this recently is waited for: it gives a sign every ten seconds.
const LATELY: Duration = Duration::from_secs(30);

/// What outlives a connection.
#[derive(Debug, Default)]
struct Memory {
    place: Option<Place>,
    /// The replicas that were heard of while a data set was vouched for.
    members: Heard,
    /// The other ones that had been heard of lately when one was last.
    others: Vec<String>,
    /// Whether a data set was vouched for since the last failure.
    was_vouched: bool,
}

/// What a follower is made with.
pub(super) struct Follower<S> {
    pub(super) servers: S,
    pub(super) member: Member,
    pub(super) loaded: watch::Sender<bool>,
}

impl<S: Servers> Follower<S> {
    /// Follows the server for as long as the future is polled.
    pub(super) async fn follow(self) {
        // A drop guard: however this ends, by a panic or with the runtime, the copy stops counting
        // as fresh.
        let losing = Losing(self.member.replica.clone());
        let replica = &losing.0;
        let mut memory = Memory::default();
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            // From the configured addresses each time: they lead to the present primary, and the
            // last one may have been demoted.
            let lost = match self.servers.connect().await {
                Ok(server) => {
                    replica.note_eviction(server.history(), server.evicts());
                    self.stay(&server, &mut memory).await
                }
                Err(error) => error,
            };
            let was_following = replica.is_following();
            if std::mem::take(&mut memory.was_vouched) {
                replica.notes.forget_logged();
            }
            replica.notes.lose(&lost);
            pause = if was_following && began.elapsed() >= STEADY {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            replica.lose_as_logged();
            // Jittered, so that the replicas of an application do not all come back to a weak
            // server at once.
            sleep(self.servers.jittered(pause)).await;
        }
    }

    /// Follows over one connection, and returns why it was lost.
    async fn stay(&self, server: &S::Server, memory: &mut Memory) -> StoreError {
        let signs = future::join(self.look_around(), self.give_signs(server));
        let mut beside = pin!(signs);
        loop {
            let arrival = Arrival {
                server,
                member: &self.member,
                others: &memory.others,
            };
            let here = match arrival.arrive(memory.place.take()).await {
                Ok(here) => here,
                Err(error) => return error,
            };
            if let Some(lost) = self.keep(server, here, memory, beside.as_mut()).await {
                return lost;
            }
        }
    }

    /// Reads on for as long as it is the same data set and its stream is whole. What goes on beside
    /// that never ends.
    async fn keep(
        &self,
        server: &S::Server,
        mut here: Place,
        memory: &mut Memory,
        mut beside: Pin<&mut (impl Future<Output = (Infallible, Infallible)> + Send)>,
    ) -> Option<StoreError> {
        loop {
            let asked = self.member.replica.moment();
            let state = match server.state().await {
                Ok(state) => state,
                Err(error) => {
                    memory.place = Some(here);
                    return Some(error);
                }
            };
            self.member.replica.describe(&state);
            if !here.is_in(&state) {
                return None;
            }
            if self.member.replica.take_doubt() {
                // The place is forgotten, so that the next connection loads everything and puts
                // revocations back.
                let problem = std::io::Error::other("another server is the primary now");
                return Some(StoreError::unavailable(problem));
            }
            let is_settled = here.settling.is_over(&state, self.member.settle);
            // A data set that nobody has marked is waited for, however well the server answers.
            if is_settled || state.of == state.history {
                self.member.replica.loading.goes_on();
            }
            self.member
                .replica
                .notes
                .behind(state.seq.saturating_sub(here.seq));
            let is_complete = here.seq >= state.seq;
            if is_settled && is_complete {
                self.vouch(asked, &state, memory);
            }
            self.member.replica.notice_silence();
            // The mark was lost on its way, and the other replicas wait for it.
            let owed = here.is_put_back && state.awaits(&self.member.id);
            let owed = OptionFuture::from(owed.then(|| self.mark(server, Doing::IsDone)));
            let kept = {
                let kept = pin!(future::join(
                    self.read_to(server, &mut here, state.seq),
                    owed
                ));
                match future::select(kept, beside.as_mut()).await {
                    Either::Left(((kept, _), _)) => kept,
                    Either::Right(((never, _), _)) => match never {},
                }
            };
            match kept {
                Ok(Read::All) => {}
                Ok(Read::Gap) => {
                    memory.place = Some(here);
                    return None;
                }
                Err(error) => {
                    memory.place = Some(here);
                    return Some(error);
                }
            }
            if is_settled && !is_complete {
                self.vouch(asked, &state, memory);
            }
        }
    }

    /// Waits at the stream, and reads on at least to `seq`.
    async fn read_to(
        &self,
        server: &S::Server,
        here: &mut Place,
        seq: u64,
    ) -> Result<Read, StoreError> {
        loop {
            let before = here.seq;
            let told = read(server, &self.member.replica, here, Some(HEARTBEAT)).await?;
            if told == Read::Gap || here.seq >= seq {
                return Ok(told);
            }
            if here.seq == before {
                // What the description counted is not there: the stream was deleted.
                return Ok(Read::Gap);
            }
        }
    }

    /// Notes that the copy is as complete as the server's data was at that moment.
    fn vouch(&self, asked: Moment, state: &State, memory: &mut Memory) {
        memory.members.note(&state.members, state.time, LATELY);
        let others = memory.members.within(LATELY);
        let others = others.filter(|id| **id != self.member.id);
        memory.others = others.cloned().collect();
        memory.was_vouched = true;
        self.member.replica.hear(asked);
        self.loaded.send_replace(true);
    }

    /// Looks up the primary, again and again. If no server answers, the present one is kept.
    async fn look_around(&self) -> Infallible {
        loop {
            sleep(EVERY).await;
            if let Ok(other) = self.servers.look_up().await {
                let replica = &self.member.replica;
                replica.note_history(other.history());
                replica.note_eviction(other.history(), other.evicts());
            }
        }
    }

    /// Tells the others that this replica is there, again and again.
    async fn give_signs(&self, server: &S::Server) -> Infallible {
        loop {
            sleep(EVERY).await;
            // A full server does not take it. The others then wait for this replica no longer than
            // for one they do not know of.
            let given = self.mark(server, Doing::Follows).await;
            if let Err(error) = given
                && !self.member.replica.is_following()
            {
                self.member.note_refusal(&error);
            }
        }
    }

    async fn mark(&self, server: &S::Server, doing: Doing) -> Result<(), StoreError> {
        let Member { id, settle, .. } = &self.member;
        server.arrive(id, *settle, doing).await
    }
}

struct Losing(Arc<Replica>);

impl Drop for Losing {
    fn drop(&mut self) {
        self.0.lose();
    }
}
