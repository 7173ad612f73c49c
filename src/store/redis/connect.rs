//! How `Redis` connects to the primary that holds our keys.
//!
//! - All our keys are in one cluster slot, so support for a cluster is to follow the `MOVED` of a
//!   node that does not hold them. A Sentinel names the primary.
//! - A replica is refused: its data may be old, and it takes no writes.

use ::redis::{RedisError, ServerErrorKind, cmd};
use futures_util::future;

use super::{
    Redis,
    connection::{Connection, Found, eviction, failed, is, refusal, replication},
    link::{Link, Step},
    place::Place,
};
use crate::store::{StoreError, StoreErrorKind};

/// How many servers one attempt may dial, following `MOVED`.
const MOST_MOVES: usize = 3;

impl Redis {
    /// Connects to the primary that holds our keys. Tries every configured address at once, and
    /// takes the first that leads there.
    ///
    /// If the caller gives up, the attempt goes on, and the next call takes it over.
    pub(crate) async fn connect(&self) -> Result<Connection, StoreError> {
        let redis = self.clone();
        self.attempts.join(async move { redis.reach().await }).await
    }

    /// Does the same. If the caller gives up, so does the attempt.
    pub(crate) async fn reach(&self) -> Result<Connection, StoreError> {
        let attempts = self.places.iter();
        let attempts =
            attempts.map(|place| Box::pin(async { self.follow(place).await.map_err(unreached) }));
        // At once and not in turn: a dead address would cost its whole second before the next is
        // tried.
        let mut attempts: Vec<_> = attempts.collect();
        let mut lost = StoreError::new(StoreErrorKind::Unavailable);
        while !attempts.is_empty() {
            let (made, _, others) = future::select_all(attempts).await;
            match made {
                Ok(connection) => return Ok(connection),
                // A login that was refused stays the reason: a dead address fails later.
                Err(error) if lost.kind() != StoreErrorKind::Denied => lost = error,
                Err(_) => {}
            }
            attempts = others;
        }
        Err(lost)
    }

    async fn follow(&self, place: &Place) -> Result<Connection, RedisError> {
        let mut place = match &self.sentinels_of {
            Some(name) => self.primary(place, name).await?,
            None => place.clone(),
        };
        // Nodes whose maps of the cluster differ may point at each other for ever.
        for _ in 0..MOST_MOVES {
            let terms = &self.terms;
            let link = terms.dial(&place.address, &place.greeting()).await?;
            match terms.step(Step::Check, self.find(&place, &link)).await {
                Ok(found) => {
                    return Ok(Connection::new(link, place, terms.clone(), found));
                }
                Err(error) if is(&error, ServerErrorKind::Moved) => {
                    let node = error.redirect_node().map(|(node, _slot)| node);
                    place = node.and_then(|node| place.at_node(node)).ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal("redirected too often between cluster nodes"))
    }

    /// Checks that this server holds our keys, and that it is the primary. Returns what it says
    /// of itself.
    async fn find(&self, place: &Place, link: &Link) -> Result<Found, RedisError> {
        let mut commands = link.commands.clone();
        let mut exists = cmd("EXISTS");
        // Any command with one of our keys makes a cluster node answer `MOVED` if it lacks them.
        exists.arg(self.key("state"));
        let told = replication(&link.commands);
        // Asked together, in one round trip.
        let held = exists.query_async::<i64>(&mut commands);
        let (held, told, evicts) = future::join3(held, told, eviction(&link.commands)).await;
        match held {
            // It hands our keys over, and is the one to ask until it has.
            Err(error) if is(&error, ServerErrorKind::Ask) => {}
            held => _ = held?,
        }
        let history = told?;
        if history.is_none() {
            self.without_info.call_once(|| {
                tracing::warn!(target: "tower_magic_link", server = %place, "the user of redis may not run INFO: a primary that was replaced and keeps running is not noticed while it keeps its connections, for 45 seconds or more; add +info to the user's ACL");
            });
        }
        let history = history.unwrap_or_default();
        Ok(Found { history, evicts })
    }

    /// Asks a Sentinel for the primary.
    async fn primary(&self, sentinel: &Place, name: &str) -> Result<Place, RedisError> {
        // Its own login: the credentials of the URL are the server's, not the Sentinel's.
        let greeting = self.sentinel_login.greeting();
        let link = self.terms.dial(&sentinel.address, &greeting).await?;
        let mut commands = link.commands.clone();
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(name);
        let answer = question.query_async::<Option<(String, u16)>>(&mut commands);
        let answer = self.terms.step(Step::Sentinel, answer).await?;
        let (host, port) = answer.ok_or_else(|| refusal("the Sentinel knows no such primary"))?;
        Ok(sentinel.beside(&host, port))
    }
}

/// Converts why no connection came up, and says which step was late.
fn unreached(error: RedisError) -> StoreError {
    if !error.is_timeout() {
        return failed(error);
    }
    StoreError {
        kind: StoreErrorKind::TimedOut,
        source: Some(error.into()),
    }
}
