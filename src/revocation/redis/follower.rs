//! The follower: keeps this process's copy the same as what Redis holds.
//!
//! 1. It connects, and compares the epoch, the server's history and the number of the last order
//!    with those that it left.
//! 2. All as it was: it reads on from its place in the stream. Too far behind: it loads everything.
//! 3. Another memory - empty, older, or a failover's: it loads everything, and puts back what only
//!    this process knows.
//! 4. What it cannot put back, because the server takes no writes, it hands to the writer: that is
//!    no reason to vouch for nobody.
//! 5. It waits at the stream, and hears at least every 300 ms: an answer that does not come is a
//!    server that is gone.
//! 6. Each time it asks again whose history this is: a server may come to follow another, and keep
//!    its connections.

use std::{collections::HashMap, convert::Infallible, error::Error, sync::Arc, time::Duration};

use futures_util::future;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    replica::Replica,
    unsent::Letter,
    wire::{Entries, Page, Wire, member, order, put_arguments},
};
use crate::{
    clock::Timestamp,
    revocation::Revocation,
    store::{
        StoreError,
        redis::{Connection, Redis, jittered},
    },
};

/// How long the server holds a question when there is nothing new.
const HEARTBEAT: Duration = Duration::from_millis(300);
/// How much later its answer may come.
const LATE: Duration = Duration::from_secs(1);
/// The pause before a second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// After this many answers, ten seconds, it looks up the primary again: a demoted one keeps
/// answering old connections.
const ANSWERS_A_WAY: u32 = 33;
/// Whoever followed for this long begins with the first pause again.
const STEADY: Duration = Duration::from_secs(1);
/// How many orders are put back in one step.
const BATCH: usize = 250;

/// Where the follower is.
#[derive(Debug)]
struct Place {
    epoch: Vec<u8>,
    history: String,
    seq: u64,
}

/// What the server says of its memory.
struct State {
    epoch: Option<Vec<u8>>,
    history: String,
    seq: u64,
}

impl State {
    /// Says whether this is the memory of that place.
    fn is_of(&self, place: &Place) -> bool {
        self.history == place.history && self.epoch.as_ref() == Some(&place.epoch)
    }
}

/// Follows the server for as long as it is polled.
pub(super) async fn follow(
    redis: Redis,
    replica: Arc<Replica>,
    letters: mpsc::UnboundedSender<Letter>,
    loaded: watch::Sender<bool>,
) {
    // However this ends - by a panic, with the runtime - what is known here is no longer fresh.
    let losing = Losing(replica);
    let replica = &losing.0;
    let wire = Wire::of(&redis);
    let mut place = None;
    let mut pause = FIRST_PAUSE;
    let mut is_first = true;
    loop {
        let began = Instant::now();
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

/// One connection's worth of following.
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
                    // It was emptied under us, or has another's history.
                    Ok(state) if !state.is_of(&here) => break,
                    // Nor is it taken for the memory that it was.
                    Ok(_) if self.replica.take_doubt() => {
                        let problem = std::io::Error::other("the way leads to another server");
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

    /// Asks where the way leads now. Where nobody tells, it is taken to lead here.
    async fn ask_the_way(&self) {
        if let Ok(connection) = self.redis.connect().await {
            self.replica.note_history(&connection.history);
        }
    }

    /// Makes the copy whole, from wherever it was left.
    async fn arrive(&self, left: Option<Place>) -> Result<Place, StoreError> {
        let mut state = self.state().await?;
        if state.epoch.is_none() {
            self.put(&[]).await?;
            state = self.state().await?;
        }
        // Without a history nobody can tell whether it is the same memory.
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
            // All that it holds behind our place, unless it holds less than that.
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
            // What only we know is put back; of a first load that is nothing, and what could not be
            // written is the writer's.
            let known = self.replica.orders.orders();
            let held = self.load().await?;
            self.put_back(known, &held).await?;
        }
        self.replica.hear();
        self.loaded.send_replace(true);
        Ok(here)
    }

    /// Reads on. `false` says that orders are missing.
    async fn read(&self, here: &mut Place, block: Option<Duration>) -> Result<bool, StoreError> {
        let limit = block.unwrap_or_default() + LATE;
        let command = self.wire.read(here.seq, block);
        let entries: Entries = self.connection.ask_within(limit, &command).await?;
        let entries = entries
            .into_iter()
            .flatten()
            .flat_map(|(_, entries)| entries);
        let mut orders = Vec::new();
        let mut is_whole = true;
        for (id, fields) in entries {
            let seq = id.split_once('-').and_then(|(seq, _)| seq.parse().ok());
            is_whole = seq == Some(here.seq + 1);
            if !is_whole {
                break;
            }
            if let [_, member, _, until] = fields.as_slice() {
                orders.extend(known(member, until));
            }
            here.seq += 1;
        }
        self.replica.hear_of(orders);
        Ok(is_whole)
    }

    /// Asks for the epoch, the history and the number of the last order, and for the time on the
    /// way.
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

    /// Loads everything, and returns what there was.
    async fn load(&self) -> Result<HashMap<Vec<u8>, Timestamp>, StoreError> {
        let mut held = HashMap::new();
        let mut cursor = "0".to_owned();
        loop {
            let (next, page): (_, Page) = self.connection.ask(&self.wire.scan(&cursor)).await?;
            let mut orders = Vec::with_capacity(page.len());
            for (member, until) in page {
                if let Some(order) = known(&member, &until) {
                    held.insert(member, order.until());
                    orders.push(order);
                }
            }
            self.replica.hear_of(orders);
            cursor = next;
            if cursor == "0" {
                return Ok(held);
            }
        }
    }

    /// Puts orders back that the server does not hold, save those that may be forgotten.
    async fn put_back(
        &self,
        known: Vec<Revocation>,
        held: &HashMap<Vec<u8>, Timestamp>,
    ) -> Result<(), StoreError> {
        let past = self.replica.past();
        let is_missing = |order: &Revocation| {
            let held = held.get(&member(order));
            order.until() > past && held.is_none_or(|until| *until < order.until())
        };
        let missing: Vec<_> = known.into_iter().filter(is_missing).collect();
        for (number, batch) in missing.chunks(BATCH).enumerate() {
            if self.put(batch).await.is_err() {
                for order in missing.into_iter().skip(number * BATCH) {
                    // Without a writer there is no runtime.
                    let _ = self.letters.send(Letter { order, reply: None });
                }
                // It may be gone as well.
                self.state().await?;
                break;
            }
        }
        Ok(())
    }

    /// Puts orders in, and makes sure that there is an epoch.
    async fn put(&self, orders: &[Revocation]) -> Result<(), StoreError> {
        let now = self.replica.now();
        let (script, keys) = self.wire.put();
        let arguments = put_arguments(orders.iter(), now);
        let _: i64 = self.connection.run(script, keys, &arguments).await?;
        Ok(())
    }
}

/// Reads an order. One that this version does not know is said in the log.
fn known(member: &[u8], until: &[u8]) -> Option<Revocation> {
    let order = order(member, until);
    if order.is_none() {
        tracing::error!(target: "tower_magic_link", "an order in redis is of an unknown kind: is another replica newer?");
    }
    order
}
