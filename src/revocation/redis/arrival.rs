//! Arriving at a data set: what the follower does before it reads on.
//!
//! - A data set that is new - it was emptied, a key of it was deleted, the server restarted or
//!   failed over - may lack what the replicas know. So it is not believed to be complete before it
//!   has settled: [`Settling`].
//! - A replica says that it returns before it loads, and that it is done once it has put back what
//!   the data set lacked. Meanwhile it reads the stream, so that a revocation that is confirmed
//!   holds here at once.
//! - If much is missing, one replica puts it back without the stream, which holds the last 10,000
//!   revocations only. The others wait, load again, and put back what is missing still.

use std::{convert::Infallible, pin::pin, time::Duration};

use futures_util::future::{self, Either};
use tokio::time::sleep;

use super::{
    load::Load,
    missing::{Held, Missing},
    place::{HEARTBEAT, Member, Place, Read, Settling, read, skim},
    server::{Doing, Server, State},
    unsent::Letter,
};
use crate::{
    revocation::Revocation,
    store::{StoreError, StoreErrorKind},
};

/// How often this replica says that it still returns.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// One arrival.
pub(super) struct Arrival<'a, S> {
    pub(super) server: &'a S,
    pub(super) member: &'a Member,
    /// The other replicas of the data set that was followed last.
    pub(super) others: &'a [String],
}

impl<S: Server> Arrival<'_, S> {
    /// Brings the copy up to date, from wherever it was left.
    pub(super) async fn arrive(&self, left: Option<Place>) -> Result<Place, StoreError> {
        let state = self.state().await?;
        // Without a history, an older backup of the same data set would pass for the data set
        // itself.
        let is_known = !state.history.is_empty() && !self.member.replica.take_doubt();
        if !is_known {
            self.member.replica.loading.forget();
        }
        let left = left.filter(|left| is_known && left.is_in(&state) && left.seq <= state.seq);
        let Some(left) = left else {
            let here = self.beside_signs(self.enter(state), None).await?;
            // Once no other sign follows it. A full server does not take it: the others wait as for
            // one that they do not know of. If it is lost on the way, the follower says it again.
            let _ = self.mark(self.doing(&here)).await;
            return Ok(here);
        };
        let doing = self.doing(&left);
        if left.settling.is_unmarked()
            && let Err(error) = self.mark(doing).await
        {
            self.member.note_refusal(&error);
        }
        self.beside_signs(self.go_on(left, &state), Some(doing))
            .await
    }

    async fn beside_signs<T>(&self, work: impl Future<Output = T>, doing: Option<Doing>) -> T {
        let (work, signs) = (pin!(work), pin!(self.give_signs(doing)));
        match future::select(work, signs).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Gives a sign of life every second, whatever it is that arriving waits for: the others
    /// believe once they have not heard of a replica that returns for five seconds.
    async fn give_signs(&self, doing: Option<Doing>) -> Infallible {
        loop {
            sleep(SIGN_OF_LIFE).await;
            let _ = self.mark(doing.unwrap_or_else(|| self.returns())).await;
        }
    }

    /// Reads everything after a place. If the stream no longer reaches back to it, loads
    /// everything.
    async fn go_on(&self, mut here: Place, state: &State) -> Result<Place, StoreError> {
        while here.seq < state.seq {
            let before = here.seq;
            let read = self.read_on(&mut here, None).await?;
            if read == Read::Gap || here.seq == before {
                self.load_whole(&mut here, None).await?;
                break;
            }
        }
        Ok(here)
    }

    /// Loads another data set, and puts back what it lacks.
    async fn enter(&self, mut state: State) -> Result<Place, StoreError> {
        let replica = &self.member.replica;
        replica.leave_memory(&state.history);
        let knows = replica.is_loaded();
        let marked = match self.mark(self.returns()).await {
            // The server is slow, and takes the mark late or never: this replica does not know
            // which. The follower arrives anew.
            Err(late) if late.kind() == StoreErrorKind::TimedOut => return Err(late),
            marked => marked,
        };
        state = self.state().await?;
        if !state.is_intact {
            let problem =
                || StoreError::unavailable(std::io::Error::other("redis takes no writes"));
            return Err(marked.err().unwrap_or_else(problem));
        }
        if let Err(error) = &marked {
            self.member.note_refusal(error);
        }
        let mut here = Place {
            epoch: state.epoch.clone(),
            history: state.history.clone(),
            restored: state.restored,
            // A process that answers from its copy applies what is streamed before it loads.
            seq: if knows { 0 } else { state.seq },
            settling: Settling::new(
                &state,
                knows.then(|| self.others.to_vec()),
                marked.map_err(drop),
            ),
            is_put_back: false,
        };
        loop {
            // Nothing to compare on a first load.
            let compares = replica.loading.compares(here.mark(), &replica.revocations);
            let mut held = compares.then(Held::default);
            self.load_whole(&mut here, held.as_mut()).await?;
            replica.loading.forget();
            let Some(mut held) = held else {
                here.is_put_back = true;
                break;
            };
            held.sort().await;
            let mut missing = Missing::of(replica, &held);
            let are_many = missing.are_more_than(self.member.few).await;
            // Loading may have taken long, and signs of life are dated by when they are seen.
            state = self.state().await?;
            self.is_the_same(&here, &state)?;
            if are_many && !here.settling.is_over(&state, self.member.settle) {
                let _ = self.mark(Doing::Restores(here.restored)).await;
                state = self.state().await?;
                self.is_the_same(&here, &state)?;
                match state.restorer_now() {
                    Some(id) if id == self.member.id && state.restored == here.restored + 1 => {
                        here.restored = state.restored;
                        self.restore(missing, &mut here).await?;
                        here.is_put_back = true;
                        break;
                    }
                    Some(_) => continue,
                    None if state.restored != here.restored => continue,
                    // It has settled, or the server takes no writes.
                    None => {}
                }
            }
            self.put_back(missing, &mut here).await?;
            break;
        }
        Ok(here)
    }

    /// Returns what this replica does at the data set, as a sign of life says it.
    fn doing(&self, here: &Place) -> Doing {
        if here.is_put_back {
            Doing::IsDone
        } else {
            self.returns()
        }
    }

    /// A replica that knows nothing keeps nobody waiting.
    fn returns(&self) -> Doing {
        if self.member.replica.revocations.is_empty() {
            Doing::Follows
        } else {
            Doing::Returns
        }
    }

    async fn mark(&self, doing: Doing) -> Result<(), StoreError> {
        let member = self.member;
        self.server.arrive(&member.id, member.settle, doing).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        let state = self.server.state().await?;
        self.member.replica.describe(&state);
        self.member.replica.notice_silence();
        Ok(state)
    }

    /// Fails if the data set has become another one meanwhile: the follower arrives anew.
    fn is_the_same(&self, here: &Place, state: &State) -> Result<(), StoreError> {
        if state.is_intact && here.epoch == state.epoch && here.history == state.history {
            return Ok(());
        }
        let problem = std::io::Error::other("the data set became another one while it was loaded");
        Err(StoreError::unavailable(problem))
    }

    /// Follows the stream while another replica puts back what all of them lack: a load that runs
    /// beside it may miss some of that. Sets the place to the moment at which a load may begin.
    async fn wait_for_the_restorer(&self, here: &mut Place) -> Result<(), StoreError> {
        loop {
            let state = self.state().await?;
            self.is_the_same(here, &state)?;
            skim(self.server, &self.member.replica, here, state.seq).await?;
            let restorer = state.restorer_now();
            if restorer.is_none_or(|id| id == self.member.id) {
                // Of before the load: reading on from here brings what comes meanwhile. And if
                // somebody begins to put back meanwhile, the place is in another data set.
                here.restored = state.restored;
                return Ok(());
            }
            // What a gap leaves out is skimmed next, or loaded.
            self.read_on(here, Some(HEARTBEAT)).await?;
        }
    }

    async fn read_on(&self, here: &mut Place, block: Option<Duration>) -> Result<Read, StoreError> {
        let read = read(self.server, &self.member.replica, here, block).await;
        // Whatever it is that arriving does, it reads the stream meanwhile.
        if read.is_ok() {
            self.member.replica.loading.goes_on();
        }
        read
    }

    /// Loads every revocation, and notes what the server holds. Begins again if the stream has lost
    /// something meanwhile: `SCAN` may miss what comes while it runs.
    async fn load_whole(
        &self,
        here: &mut Place,
        mut held: Option<&mut Held>,
    ) -> Result<(), StoreError> {
        loop {
            self.wait_for_the_restorer(here).await?;
            let note = |page: &[Revocation]| {
                if let Some(held) = &mut held {
                    held.note(page);
                }
            };
            let load = Load {
                server: self.server,
                replica: &self.member.replica,
            };
            if load.load(here, note).await? == Read::All {
                return Ok(());
            }
        }
    }

    /// Puts revocations back without the stream.
    async fn restore(&self, mut missing: Missing<'_>, here: &mut Place) -> Result<(), StoreError> {
        loop {
            let batch = missing.next(self.member.batch).await;
            if batch.is_empty() {
                return Ok(());
            }
            let restore = self.server.restore(&batch, &self.member.id);
            let (restored, streamed) = future::join(restore, self.read_on(here, None)).await;
            restored?;
            self.member.replica.notice_silence();
            if streamed? == Read::Gap {
                // What was streamed is stored too: the next load brings it.
                let problem = std::io::Error::other("fell behind the stream while putting back");
                return Err(StoreError::unavailable(problem));
            }
        }
    }

    /// Puts revocations back through the stream. What a server does not take, the writer sends.
    async fn put_back(&self, mut missing: Missing<'_>, here: &mut Place) -> Result<(), StoreError> {
        loop {
            let mut batch = missing.next(self.member.batch).await;
            if batch.is_empty() {
                here.is_put_back = true;
                return Ok(());
            }
            let now = self.member.replica.now();
            if self.server.put(&batch, now).await.is_err() {
                while !batch.is_empty() {
                    for revocation in batch {
                        // The send fails only when the runtime, and the writer with it, is gone.
                        let _ = self.member.letters.send(Letter {
                            revocation,
                            reply: None,
                        });
                    }
                    batch = missing.next(self.member.batch).await;
                }
                // Tell a full server from a lost one: only the lost one fails here too.
                self.state().await?;
                return Ok(());
            }
            // The stream is read as it grows, so that it is not overrun by what is put back.
            if self.read_on(here, None).await? == Read::Gap {
                // All that is streamed is stored too.
                self.load_whole(here, None).await?;
            }
        }
    }
}
