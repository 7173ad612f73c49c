//! What following asks of a server, and how Redis answers it.
//!
//! - [`Server`] is one connection and [`Servers`] makes them: the tests' simulation has others.
//! - [`State`] is the server's own description of its data set, at one moment of its own clock.

use std::{
    collections::HashMap,
    sync::{Arc, Once},
    time::Duration,
};

use futures_util::future;

use super::wire::{Entries, Page, Wire, name, put_arguments, restore_arguments, revocation};
use crate::{
    clock::Timestamp,
    revocation::Revocation,
    store::{
        StoreError,
        redis::{Connection, Redis, jittered},
    },
};

/// A replica that returns, and that the server has not heard of for this long, is gone: `PATIENCE`
/// of the scripts.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long after a blocking read's own limit the answer may still come.
pub(super) const LATE: Duration = Duration::from_secs(1);

/// Makes connections.
pub(super) trait Servers: Send + Sync + 'static {
    type Server: Server;

    fn connect(&self) -> impl Future<Output = Result<Self::Server, StoreError>> + Send;

    /// Does the same, to see where it leads. If the caller gives up, so does the attempt: nobody
    /// takes it over.
    fn look_up(&self) -> impl Future<Output = Result<Self::Server, StoreError>> + Send {
        self.connect()
    }

    /// Returns a random share of a pause.
    fn jittered(&self, pause: Duration) -> Duration {
        jittered(pause)
    }
}

/// A connection to the server that holds the revocations.
pub(super) trait Server: Send + Sync {
    /// Returns the history of the server's data when the connection was made. Empty if the server
    /// does not show it.
    fn history(&self) -> &str;

    /// Returns the policy by which the server evicted keys without an expiry when the connection
    /// was made, if it did.
    fn evicts(&self) -> Option<&str>;

    /// Describes the data set.
    fn state(&self) -> impl Future<Output = Result<State, StoreError>> + Send;

    /// Notes what a replica does here. If the data set is not whole, it becomes another one.
    fn arrive(
        &self,
        id: &str,
        settle: Duration,
        doing: Doing,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads the streamed revocations after one, up to a number of the server's choice. Waits up to
    /// `block` for the first.
    fn read(
        &self,
        behind: u64,
        block: Option<Duration>,
    ) -> impl Future<Output = Result<Vec<Streamed>, StoreError>> + Send;

    /// Reads a page of all revocations, of about so many. The first cursor and the last are `0`.
    fn scan(
        &self,
        cursor: String,
        count: u32,
    ) -> impl Future<Output = Result<(String, Vec<Revocation>), StoreError>> + Send;

    /// Stores revocations, and streams those that are new.
    fn put(
        &self,
        revocations: &[Revocation],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores revocations without streaming them. Fails unless the replica is the restorer.
    fn restore(
        &self,
        revocations: &[Revocation],
        id: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a replica does at a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It knows nothing yet, or only follows.
    Follows,
    /// It knows an earlier data set, and will put back what this one lacks.
    Returns,
    /// It asks to be the one that puts back without the stream. It has loaded what was there after
    /// revocations had been put back so for this many times.
    Restores(u64),
    /// It has put back what it knew.
    IsDone,
}

/// A revocation of the stream. `None` if it is of a kind that only a later version knows.
pub(super) struct Streamed {
    pub(super) seq: Option<u64>,
    pub(super) revocation: Option<Revocation>,
}

/// A server's description of its data set.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Whether every key carries the epoch.
    pub(super) is_intact: bool,
    pub(super) epoch: String,
    /// The history of the server now.
    pub(super) history: String,
    /// The history at which the data set was marked last.
    pub(super) of: String,
    /// How many revocations were streamed.
    pub(super) seq: u64,
    /// How many members the set of all revocations has.
    pub(super) entries: u64,
    /// How often revocations were put back without the stream.
    pub(super) restored: u64,
    /// Since when the data set is at this history, and the present, in milliseconds by the server's
    /// clock.
    pub(super) since: u64,
    pub(super) time: u64,
    /// Who puts back without the stream.
    pub(super) restorer: Option<String>,
    /// When each replica that returns was heard of last.
    pub(super) returning: HashMap<String, u64>,
    /// The replicas that have put back what they knew.
    pub(super) done: Vec<String>,
    /// When each replica was heard of last.
    pub(super) members: HashMap<String, u64>,
}

impl State {
    /// Returns who puts back without the stream now.
    pub(super) fn restorer_now(&self) -> Option<&str> {
        self.restorer.as_deref().filter(|id| self.awaits(id))
    }

    /// Says whether others wait until this replica has put back what it knows.
    pub(super) fn awaits(&self, id: &str) -> bool {
        let heard = self.returning.get(id);
        heard.is_some_and(|heard| self.is_recent(*heard))
    }

    fn is_recent(&self, heard: u64) -> bool {
        // Of a clock that was set back, a sign may be of the future.
        Duration::from_millis(self.time.abs_diff(heard)) < PATIENCE
    }

    fn parse(words: Vec<String>, history: String) -> Self {
        let mut words = words.into_iter();
        let mut state = Self {
            is_intact: words.next().as_deref() == Some("intact"),
            time: words.next().map_or(0, |time| number(&time)),
            history,
            ..Self::default()
        };
        while let (Some(field), Some(value)) = (words.next(), words.next()) {
            match field.split_once(':') {
                Some(("m", id)) => _ = state.members.insert(id.to_owned(), number(&value)),
                Some(("b", id)) => _ = state.returning.insert(id.to_owned(), number(&value)),
                Some(("d", id)) => state.done.push(id.to_owned()),
                _ => match field.as_str() {
                    "epoch" => state.epoch = value,
                    "of" => state.of = value,
                    "seq" => state.seq = number(&value),
                    "entries" => state.entries = number(&value),
                    "restored" => state.restored = number(&value),
                    "since" => state.since = number(&value),
                    "restorer" => state.restorer = Some(value),
                    _ => {}
                },
            }
        }
        state
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// A Redis, and how revocations are encoded there.
pub(super) struct RedisServers {
    redis: Redis,
    wire: Arc<Wire>,
}

impl RedisServers {
    pub(super) fn new(redis: Redis) -> Self {
        let wire = Arc::new(Wire::of(&redis));
        Self { redis, wire }
    }
}

impl Servers for RedisServers {
    type Server = RedisServer;

    async fn connect(&self) -> Result<RedisServer, StoreError> {
        Ok(RedisServer {
            connection: self.redis.connect().await?,
            wire: self.wire.clone(),
        })
    }

    async fn look_up(&self) -> Result<RedisServer, StoreError> {
        Ok(RedisServer {
            connection: self.redis.reach().await?,
            wire: self.wire.clone(),
        })
    }
}

/// A connection to a Redis.
pub(super) struct RedisServer {
    connection: Connection,
    wire: Arc<Wire>,
}

impl Server for RedisServer {
    fn history(&self) -> &str {
        &self.connection.history
    }

    fn evicts(&self) -> Option<&str> {
        self.connection.evicts.as_deref()
    }

    async fn state(&self) -> Result<State, StoreError> {
        let words = self.connection.run(&self.wire.state, &self.wire.keys, &[]);
        let history = self.connection.history_now();
        // Asked together, in one round trip: this follows each answer of the stream.
        let (words, history) = future::try_join(words, history).await?;
        // The scripts mark the data set with the history of the connection. After a change of it, a
        // new connection arrives anew; the old one would mark what no longer is.
        if history != self.connection.history {
            let problem = std::io::Error::other("the server has another history now");
            return Err(StoreError::unavailable(problem));
        }
        Ok(State::parse(words, history))
    }

    async fn arrive(&self, id: &str, settle: Duration, doing: Doing) -> Result<(), StoreError> {
        let (doing, restored) = match doing {
            Doing::Follows => ("new", 0),
            Doing::Returns => ("returns", 0),
            Doing::Restores(restored) => ("restores", restored),
            Doing::IsDone => ("done", 0),
        };
        let (epoch, settle) = (name(), settle.as_millis().to_string());
        let history = self.connection.history.as_str();
        let restored = restored.to_string();
        let words = [&epoch, history, id, &settle, doing, &restored];
        let words = words.map(|word| word.as_bytes().to_vec());
        let (script, keys) = (&self.wire.arrive, &self.wire.keys);
        let _: i64 = self.connection.run(script, keys, &words).await?;
        Ok(())
    }

    async fn read(
        &self,
        behind: u64,
        block: Option<Duration>,
    ) -> Result<Vec<Streamed>, StoreError> {
        // A blocked read is silent on purpose; only what comes after it is late.
        let limit = block.unwrap_or_default() + LATE;
        let command = self.wire.read(behind, block);
        let entries: Entries = self.connection.ask_within(limit, &command).await?;
        let entries = entries
            .into_iter()
            .flatten()
            .flat_map(|(_, entries)| entries);
        let streamed = entries.map(|(id, fields)| Streamed {
            seq: id.split_once('-').and_then(|(seq, _)| seq.parse().ok()),
            revocation: match fields.as_slice() {
                [_, member, _, until] => known(member, until),
                _ => None,
            },
        });
        Ok(streamed.collect())
    }

    async fn scan(
        &self,
        cursor: String,
        count: u32,
    ) -> Result<(String, Vec<Revocation>), StoreError> {
        let scan = self.wire.scan(&cursor, count);
        let (next, page): (_, Page) = self.connection.ask(&scan).await?;
        let revocations = page
            .iter()
            .filter_map(|(member, until)| known(member, until));
        Ok((next, revocations.collect()))
    }

    async fn put(&self, revocations: &[Revocation], now: Timestamp) -> Result<(), StoreError> {
        let words = put_arguments(revocations.iter(), now, &self.connection.history);
        let (script, keys) = (&self.wire.put, &self.wire.keys);
        let _: i64 = self.connection.run(script, keys, &words).await?;
        Ok(())
    }

    async fn restore(&self, revocations: &[Revocation], id: &str) -> Result<(), StoreError> {
        let words = restore_arguments(revocations, id);
        let (script, keys) = (&self.wire.restore, &self.wire.keys);
        let _: i64 = self.connection.run(script, keys, &words).await?;
        Ok(())
    }
}

/// Whether the log says that there are revocations of an unknown kind. Once: a load would say it
/// for each of them.
static UNKNOWN: Once = Once::new();

/// Decodes a revocation. Logs that there is one that this version does not know.
fn known(member: &[u8], until: &[u8]) -> Option<Revocation> {
    // The epoch, which stands among the revocations.
    if member.starts_with(b"!") {
        return None;
    }
    let revocation = revocation(member, until);
    if revocation.is_none() {
        UNKNOWN.call_once(|| {
            tracing::error!(target: "tower_magic_link", "skipped a revocation of an unknown kind in redis: does another replica run a newer version?");
        });
    }
    revocation
}
