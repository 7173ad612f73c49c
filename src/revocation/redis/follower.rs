//! The follower: keeps this process's copy the same as what Redis holds.
//!
//! 1. It connects, and compares the epoch, the server's history and the number of the last
//!    revocation with those of its last connection.
//! 2. If all match, it reads on from its place in the stream. If it is too far behind for the
//!    stream, it loads everything.
//! 3. If the data set is another one - emptied, older, or behind a failover - it loads everything,
//!    and puts back what only this process knows.
//! 4. If the server takes no writes, it hands the revocations to the writer and follows all the
//!    same: a full Redis must not refuse every session.
//! 5. It waits at the stream, and gets an answer at least every 300 ms. It takes a missing answer
//!    for a lost server.
//! 6. After each answer it checks the server's history again: a demoted primary keeps its
//!    connections.

use std::{collections::HashMap, convert::Infallible, error::Error, sync::Arc, time::Duration};

use futures_util::future;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    replica::Replica,
    unsent::Letter,
    wire::{Entries, Page, Wire, member, put_arguments, revocation},
};
use crate::{
    clock::Timestamp,
    revocation::Revocation,
    store::{
        StoreError,
        redis::{Connection, Redis, jittered},
    },
};

/// How long the server holds a read when there is nothing new.
const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after that the answer may still come.
const LATE: Duration = Duration::from_secs(1);
/// The pause before a second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// After this many answers, ten seconds, it looks up the primary again: a demoted one keeps
/// answering old connections.
const ANSWERS_A_WAY: u32 = 33;
/// After following for this long, the next loss begins with the first pause again.
const STEADY: Duration = Duration::from_secs(1);
/// How many revocations one script call puts back: Redis serves no other command meanwhile.
const BATCH: usize = 250;

/// The follower's position: a data set, and the last revocation read of it.
#[derive(Debug)]
struct Place {
    epoch: Vec<u8>,
    history: String,
    seq: u64,
}

/// The server's description of its data set.
struct State {
    epoch: Option<Vec<u8>>,
    history: String,
    seq: u64,
}

impl State {
    /// Says whether this is the data set of that position.
    fn is_of(&self, place: &Place) -> bool {
        self.history == place.history && self.epoch.as_ref() == Some(&place.epoch)
    }
}

/// Follows the server for as long as the future is polled.
pub(super) async fn follow(
    redis: Redis,
    replica: Arc<Replica>,
    letters: mpsc::UnboundedSender<Letter>,
    loaded: watch::Sender<bool>,
) {
    // A drop guard: however this ends, by a panic or with the runtime, the copy stops counting as
    // fresh.
    let losing = Losing(replica);
    let replica = &losing.0;
    let wire = Wire::of(&redis);
    let mut place = None;
    let mut pause = FIRST_PAUSE;
    let mut is_first = true;
    loop {
        let began = Instant::now();
        // From the configured addresses each time: they lead to the present primary, and the last
        // one may have been demoted.
        let lost = match redis.connect().await {
            Ok(connection) => {
                let following = Following {
                    redis: &redis,
                    connection: &connection,
                    replica,
                    wire: &wire,
                    letters: &letters,
                    loaded: &loaded,
                };
                following.run(&mut place).await
            }
            Err(error) => Err(error),
        };
        let Err(error) = lost;
        let was_following = replica.is_following();
        if was_following || is_first {
            let reason = error.source().map(ToString::to_string);
            tracing::warn!(target: "tower_magic_link", kind = %error.kind(), reason, "redis is away");
        }
        is_first = false;
        pause = if was_following && began.elapsed() >= STEADY {
            FIRST_PAUSE
        } else {
            (pause * 2).min(LONGEST_PAUSE)
        };
        replica.lose();
        sleep(jittered(pause)).await;
    }
}

struct Losing(Arc<Replica>);

impl Drop for Losing {
    fn drop(&mut self) {
        self.0.lose();
    }
}

/// What following needs, over one connection.
struct Following<'a> {
    redis: &'a Redis,
    connection: &'a Connection,
    replica: &'a Replica,
    wire: &'a Wire,
    letters: &'a mpsc::UnboundedSender<Letter>,
    loaded: &'a watch::Sender<bool>,
}

impl Following<'_> {
    /// Follows until the server is lost.
    async fn run(&self, place: &mut Option<Place>) -> Result<Infallible, StoreError> {
        loop {
            let mut here = self.arrive(place.take()).await?;
            let mut answers = 0;
            loop {
                answers += 1;
                let asks_the_way = answers % ANSWERS_A_WAY == 0;
                let way = async {
                    if asks_the_way {
                        self.ask_the_way().await;
                    }
                };
                let (kept, ()) = future::join(self.read(&mut here, Some(HEARTBEAT)), way).await;
                let state = match kept {
                    Ok(true) => self.state().await,
                    Ok(false) => break,
                    Err(error) => Err(error),
                };
                match state {
                    // Redis was emptied, or the server now has another history.
                    Ok(state) if !state.is_of(&here) => break,
                    // `place` stays empty, so that the next connection loads everything and puts
                    // revocations back.
                    Ok(_) if self.replica.take_doubt() => {
                        let problem = std::io::Error::other("another server is the primary now");
                        return Err(StoreError::unavailable(problem));
                    }
                    Ok(_) => self.replica.hear(),
                    Err(error) => {
                        *place = Some(here);
                        return Err(error);
                    }
                }
            }
            *place = Some(here);
        }
    }

    /// Looks up the primary again. If no server answers, the present one is kept.
    async fn ask_the_way(&self) {
        if let Ok(connection) = self.redis.connect().await {
            self.replica.note_history(&connection.history);
        }
    }

    /// Brings the copy up to date, from wherever it was left.
    async fn arrive(&self, left: Option<Place>) -> Result<Place, StoreError> {
        let mut state = self.state().await?;
        if state.epoch.is_none() {
            // An empty list of revocations only creates the epoch.
            self.put(&[]).await?;
            state = self.state().await?;
        }
        // Without a history, an older backup of the same data set would pass for the data set
        // itself.
        let is_known = !state.history.is_empty() && !self.replica.take_doubt();
        let left = left.filter(|left| is_known && state.is_of(left) && left.seq <= state.seq);
        let State {
            epoch,
            history,
            seq,
        } = state;
        let mut here = Place {
            epoch: epoch.unwrap_or_default(),
            history,
            seq,
        };
        if let Some(left) = left {
            here.seq = left.seq;
            // Read everything after our position. If the stream no longer reaches back to it, load
            // everything.
            while here.seq < seq {
                let before = here.seq;
                if !self.read(&mut here, None).await? || here.seq == before {
                    here.seq = seq;
                    self.load().await?;
                    break;
                }
            }
        } else {
            self.replica.leave_memory(&here.history);
            // Put back what only this process knows: nothing on a first load, and the writer's
            // unsent revocations are the writer's to send.
            let known = self.replica.revocations.revocations();
            // `seq` was read before the load: `ZSCAN` may miss revocations that come meanwhile, but
            // reading on from `seq` brings them.
            let held = self.load().await?;
            self.put_back(known, &held).await?;
        }
        self.replica.hear();
        self.loaded.send_replace(true);
        Ok(here)
    }

    /// Reads on from `here`. Returns `false` if revocations are missing from the stream.
    async fn read(&self, here: &mut Place, block: Option<Duration>) -> Result<bool, StoreError> {
        let limit = block.unwrap_or_default() + LATE;
        let command = self.wire.read(here.seq, block);
        let entries: Entries = self.connection.ask_within(limit, &command).await?;
        let entries = entries
            .into_iter()
            .flatten()
            .flat_map(|(_, entries)| entries);
        let mut revocations = Vec::new();
        let mut is_whole = true;
        for (id, fields) in entries {
            let seq = id.split_once('-').and_then(|(seq, _)| seq.parse().ok());
            // The script numbers revocations without gaps, so a gap means that the stream was
            // trimmed.
            is_whole = seq == Some(here.seq + 1);
            if !is_whole {
                break;
            }
            if let [_, member, _, until] = fields.as_slice() {
                revocations.extend(known(member, until));
            }
            here.seq += 1;
        }
        self.replica.hear_of(revocations);
        Ok(is_whole)
    }

    /// Reads the epoch, the history and the number of the last revocation, and notes the server's
    /// time.
    async fn state(&self) -> Result<State, StoreError> {
        let (state, time) = (self.wire.state(), Wire::time());
        let (state, time) = (self.connection.ask(&state), self.connection.ask(&time));
        let history = self.connection.history_now();
        let ((epoch, seq), (secs, _), history): ((_, Option<u64>), (u64, u64), _) =
            future::try_join3(state, time, history).await?;
        self.replica.set_server_time(secs);
        Ok(State {
            epoch,
            history,
            seq: seq.unwrap_or_default(),
        })
    }

    /// Loads every revocation, and returns them by member.
    async fn load(&self) -> Result<HashMap<Vec<u8>, Timestamp>, StoreError> {
        let mut held = HashMap::new();
        let mut cursor = "0".to_owned();
        loop {
            let (next, page): (_, Page) = self.connection.ask(&self.wire.scan(&cursor)).await?;
            let mut revocations = Vec::with_capacity(page.len());
            for (member, until) in page {
                if let Some(revocation) = known(&member, &until) {
                    held.insert(member, revocation.until());
                    revocations.push(revocation);
                }
            }
            self.replica.hear_of(revocations);
            cursor = next;
            if cursor == "0" {
                return Ok(held);
            }
        }
    }

    /// Puts back the revocations that the server lacks, except those that may be forgotten.
    async fn put_back(
        &self,
        known: Vec<Revocation>,
        held: &HashMap<Vec<u8>, Timestamp>,
    ) -> Result<(), StoreError> {
        let past = self.replica.past();
        let is_missing = |revocation: &Revocation| {
            let held = held.get(&member(revocation));
            revocation.until() > past && held.is_none_or(|until| *until < revocation.until())
        };
        let missing: Vec<_> = known.into_iter().filter(is_missing).collect();
        for (number, batch) in missing.chunks(BATCH).enumerate() {
            if self.put(batch).await.is_err() {
                for revocation in missing.into_iter().skip(number * BATCH) {
                    // The send fails only when the runtime, and the writer with it, is gone.
                    let _ = self.letters.send(Letter {
                        revocation,
                        reply: None,
                    });
                }
                // Tell a full server from a lost one: only the lost one fails here too.
                self.state().await?;
                break;
            }
        }
        Ok(())
    }

    /// Records revocations, and makes sure that there is an epoch.
    async fn put(&self, revocations: &[Revocation]) -> Result<(), StoreError> {
        let now = self.replica.now();
        let (script, keys) = self.wire.put();
        let arguments = put_arguments(revocations.iter(), now);
        let _: i64 = self.connection.run(script, keys, &arguments).await?;
        Ok(())
    }
}

/// Decodes a revocation. Logs one that this version does not know.
fn known(member: &[u8], until: &[u8]) -> Option<Revocation> {
    let revocation = revocation(member, until);
    if revocation.is_none() {
        tracing::error!(target: "tower_magic_link", "skipped a revocation of an unknown kind in redis: does another replica run a newer version?");
    }
    revocation
}
