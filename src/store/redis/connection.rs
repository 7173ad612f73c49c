//! `Connection`: a connection to the primary that holds our keys.
//!
//! - All our keys are in one cluster slot. While it moves to another node, the `ASK` of the one
//!   that is handing it over is followed. `connect` follows `MOVED`.
//! - A connection whose answer is late is dropped by its user, with everything still in flight on
//!   it.

use std::{sync::Arc, time::Duration};

use ::redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind,
    aio::{ConnectionLike, MultiplexedConnection},
    cmd, from_redis_value, pipe,
};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, sleep, timeout},
};

use super::{
    away::is_denied,
    link::{Link, Terms},
    place::Place,
};
use crate::store::{StoreError, StoreErrorKind};

/// How long a command may take, unless it blocks on purpose.
const ANSWER: Duration = Duration::from_secs(1);
/// The pause before a command is sent again whose keys are on the move.
const AGAIN: Duration = Duration::from_millis(25);

/// A connection to the primary that holds our keys.
pub(crate) struct Connection {
    link: Link,
    place: Place,
    terms: Terms,
    /// The node that the keys are moving to, by its address, while they do.
    heir: AsyncMutex<Option<(String, Arc<Link>)>>,
    /// The server's replication id, which names the history of its data: another history may lack
    /// some of our keys. Empty if the server does not show it.
    pub(crate) history: String,
    /// The server's `maxmemory-policy` when the connection was made, if it evicts keys that have no
    /// expiry.
    pub(crate) evicts: Option<String>,
}

/// What a server said of itself when the connection was made.
pub(super) struct Found {
    pub(super) history: String,
    pub(super) evicts: Option<String>,
}

impl Connection {
    pub(super) fn new(link: Link, place: Place, terms: Terms, found: Found) -> Self {
        Self {
            link,
            place,
            terms,
            heir: AsyncMutex::default(),
            history: found.history,
            evicts: found.evicts,
        }
    }

    /// Says whether it is still open. What is sent over one that is not never reaches the server.
    pub(super) fn is_open(&self) -> bool {
        self.link.is_open()
    }

    /// Says whether it may lead to the server of that history. If one of the two servers does not
    /// show its history, nobody knows.
    pub(super) fn may_be_at(&self, history: &str) -> bool {
        history.is_empty() || self.history.is_empty() || self.history == history
    }

    /// Sends a command, and waits up to a second for the answer.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.ask_within(ANSWER, command).await
    }

    /// Sends a command, and waits up to `limit` for the answer: to each of two nodes, if the keys
    /// are moving from one to the other.
    pub(crate) async fn ask_within<T: FromRedisValue>(
        &self,
        limit: Duration,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        loop {
            let mut commands = self.link.commands.clone();
            let answer = within(limit, command.query_async(&mut commands)).await;
            let answer = match answer {
                Err(Failure::Redis(error)) if is(&error, ServerErrorKind::Ask) => {
                    self.ask_heir(limit, command, &error).await
                }
                answer => answer,
            };
            match answer {
                // Some of the keys have moved, and some have not.
                Err(Failure::Redis(error)) if is(&error, ServerErrorKind::TryAgain) => {
                    if began.elapsed() >= limit {
                        return Err(failed(error));
                    }
                    sleep(AGAIN).await;
                }
                answer => return answer.map_err(StoreError::from),
            }
        }
    }

    /// Sends a command to the node that an `ASK` names.
    async fn ask_heir<T: FromRedisValue>(
        &self,
        limit: Duration,
        command: &Cmd,
        ask: &RedisError,
    ) -> Result<T, Failure> {
        let node = ask.redirect_node().map(|(node, _slot)| node);
        let node = node.ok_or_else(|| refusal("a node of the cluster named no heir"))?;
        let heir = self.heir(node).await?;
        let mut both = pipe();
        // In one write: `ASKING` holds for the next command of the connection, whoever sends it.
        both.cmd("ASKING").add_command(command.clone());
        let mut commands = heir.commands.clone();
        let answers = within(limit, commands.req_packed_commands(&both, 0, 2)).await;
        let mut answers = match answers {
            Ok(answers) => answers,
            Err(gone) => {
                *self.heir.lock().await = None;
                return Err(gone);
            }
        };
        let answer = answers.pop().ok_or_else(|| refusal("no answer"))?;
        let answer = answer.extract_error()?;
        from_redis_value(answer).map_err(|error| Failure::Redis(error.into()))
    }

    async fn heir(&self, node: &str) -> Result<Arc<Link>, RedisError> {
        let mut heir = self.heir.lock().await;
        if let Some((known, link)) = &*heir
            && known == node
            && link.is_open()
        {
            return Ok(link.clone());
        }
        let place = self.place.at_node(node);
        let place = place.ok_or_else(|| refusal("a node of the cluster has no address"))?;
        let link = self.terms.dial(&place.address, &place.greeting()).await?;
        let link = Arc::new(link);
        *heir = Some((node.to_owned(), link.clone()));
        Ok(link)
    }

    /// Returns the server's present history. Fails if the server has become a replica: a demoted
    /// primary keeps its connections open.
    pub(crate) async fn history_now(&self) -> Result<String, StoreError> {
        if self.history.is_empty() {
            return Ok(String::new());
        }
        let told = within(ANSWER, replication(&self.link.commands)).await?;
        Ok(told.unwrap_or_default())
    }

    /// Runs a script, which Redis executes atomically. If Redis does not know the script, each of
    /// the three round trips may take a second.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        let mut call = cmd("EVALSHA");
        call.arg(script.get_hash()).arg(keys.len());
        call.arg(keys).arg(arguments);
        let answer = self.ask(&call).await;
        match answer {
            Err(error) if knows_no_script(&error) => {
                self.load(script).await?;
                self.ask(&call).await
            }
            answer => answer,
        }
    }

    async fn load(&self, script: &Script) -> Result<(), StoreError> {
        let mut commands = self.link.commands.clone();
        let _: String = within(ANSWER, script.load_async(&mut commands)).await?;
        let heir = self.heir.lock().await.clone();
        if let Some((_, heir)) = heir {
            let mut commands = heir.commands.clone();
            let _: String = within(ANSWER, script.load_async(&mut commands)).await?;
        }
        Ok(())
    }
}

/// Returns the server's history, `None` if the user may not ask. Fails if the server is a replica.
pub(super) async fn replication(
    commands: &MultiplexedConnection,
) -> Result<Option<String>, RedisError> {
    let Some(info) = info(commands, "replication").await? else {
        return Ok(None);
    };
    if field(&info, "role").is_some_and(|role| role != "master") {
        return Err(refusal("the server is a replica"));
    }
    let history = field(&info, "master_replid").unwrap_or_default();
    Ok(Some(history.to_owned()))
}

/// Returns the policy by which the server evicts keys that have no expiry. `None` if it does not,
/// or does not say.
pub(super) async fn eviction(commands: &MultiplexedConnection) -> Option<String> {
    let info = info(commands, "memory").await.ok()??;
    // Without a limit nothing is evicted, whatever the policy.
    field(&info, "maxmemory").filter(|limit| *limit != "0")?;
    let policy = field(&info, "maxmemory_policy")?;
    policy.starts_with("allkeys-").then(|| policy.to_owned())
}

/// Returns a section of the server's description of itself. `None` if the ACL of this user forbids
/// INFO: the layer goes on without the checks that need it.
async fn info(
    commands: &MultiplexedConnection,
    section: &str,
) -> Result<Option<String>, RedisError> {
    let mut commands = commands.clone();
    let mut info = cmd("INFO");
    match info.arg(section).query_async(&mut commands).await {
        Err(error) if is(&error, ServerErrorKind::NoPerm) => Ok(None),
        info => info.map(Some),
    }
}

/// Returns the value of a field of the server's description of itself.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = info.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// Why there is no answer.
enum Failure {
    Late,
    Redis(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Late => Self::new(StoreErrorKind::TimedOut),
            Failure::Redis(error) => failed(error),
        }
    }
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Failure> {
    let answer = timeout(limit, answer).await;
    Ok(answer.map_err(|_| Failure::Late)??)
}

pub(super) fn is(error: &RedisError, kind: ServerErrorKind) -> bool {
    error.kind() == ErrorKind::Server(kind)
}

fn knows_no_script(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(|error| is(error, ServerErrorKind::NoScript))
}

pub(super) fn refusal(problem: &'static str) -> RedisError {
    (ErrorKind::Client, problem).into()
}

/// Converts a failure of the client into the store's error.
pub(super) fn failed(error: RedisError) -> StoreError {
    if is_denied(&error) {
        return StoreError::caused(StoreErrorKind::Denied, error);
    }
    StoreError::unavailable(error)
}
