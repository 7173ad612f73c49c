//! `RedisRevocations`: ended sessions, shared by every replica of an application and looked up
//! without a round trip.
//!
//! - `wire` encodes revocations, `load` reads all of them, `follower` keeps this process's copy
//!   (`replica`) up to date, and `writer` sends revocations to Redis.
//! - A revocation given in this process takes effect here at once, even if Redis never gets it.
//!
//! The invariant: no replica admits a session later than the grace, and the 2.5 seconds for which a
//! copy counts as followed, after any replica confirmed its end; and no live session is refused
//! while the store answers. What makes it true is that a copy is dated by the moment of a question
//! that the server answered, is that old only if it has all that was streamed by then, and counts
//! only if the data set itself is complete: every key carries the data set's name, and a new data
//! set is believed once every replica that could know more has put that back. `simulation` plays
//! schedules of faults against it. It leaves out what no store without a disk can hold: Redis loses
//! its data while the only process that knows of a revocation is cut off or ends; or Redis's clock
//! is set ahead while a data set is new, and a replica arrives after that.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::{Instant, timeout},
};

use super::{Lookup, Revocation, Revocations};
use crate::store::{StoreError, StoreErrorKind, StoreFuture};
use crate::{
    check::Checking,
    clock::{Signal, Timestamp},
    event::Listener,
    session::Session,
    store::redis::Redis,
};

mod arrival;
mod check;
mod follower;
mod heard;
mod last_error;
mod load;
mod loading;
mod missing;
mod notes;
mod place;
mod replica;
mod server;
#[cfg(test)]
mod simulation;
mod status;
mod unsent;
mod wire;
mod writer;

use self::{
    follower::Follower, place::Member, replica::Replica, server::RedisServers, unsent::Letter,
};
pub use self::{
    last_error::LastError,
    status::{Phase, Status},
};

/// How many missing revocations are put back through the stream, which keeps the last 10,000.
const FEW: usize = 1_000;
/// How many of them one call puts back.
const BATCH: usize = 250;
/// How long the first load may stand still.
const STILL: Duration = Duration::from_secs(30);
/// How often it is checked whether the first load goes on.
const CHECK: Duration = Duration::from_millis(250);

/// Remembers ended sessions in a Redis that the replicas of an application share. Each replica
/// holds a local copy of all of them and follows new ones, so that a look-up needs no round trip.
/// Clones share everything.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_magic_link::{
///     KeyRing, MagicLinkLayer, revocation::RedisRevocations, store::Redis,
///     throttle::RedisThrottle,
/// };
/// # use tower_magic_link::{SigningKey, testing::StubProvider as Provider};
///
/// let redis = Redis::new("redis://127.0.0.1")?;
/// let layer = MagicLinkLayer::builder(Provider::new(), KeyRing::from_env()?)
///     .public_url("https://app.example.com")
///     .revocations(RedisRevocations::connect(&redis).await?)
///     .throttle(RedisThrottle::new(&redis))
///     .build()?;
/// # Ok(()) }
/// ```
///
/// # When Redis is away
///
/// Look-ups are answered from the local copy for the [grace](Redis::grace). After that they answer
/// [`StoreError`], except for sessions that are known to have ended. A revocation takes effect in
/// this process at once, and `revoke` returns [`StoreError`] within 1.5 seconds if Redis has not
/// stored it. It takes up to three seconds if Redis stops as it stores an earlier one. One of
/// thousands that are given at once waits for its turn. The guide has the [whole
/// table](crate::guide::running_more_than_one#during-an-outage).
///
/// A process that starts during an outage knows nothing: [`RedisRevocations::connect`] fails, and a
/// store made by [`RedisRevocations::connect_later`] answers [`StoreError`] until Redis is back.
///
/// # What it costs
///
/// In Redis: about 120 bytes for each ended session until its token would have expired, and a
/// stream of the last 10,000 revocations. An entry leaves with the first revocation that comes a
/// minute or more after its time. In this process: as much as a
/// [`MemoryRevocations`](crate::revocation::MemoryRevocations) of the same sessions. Entries leave
/// as new ones come, from a minute after their time by both this machine's clock and Redis's. Each
/// replica holds two connections, and sends Redis about thirteen small commands a second.
///
/// # Tasks
///
/// It spawns two tasks on the tokio runtime in which it was made. They end with the last clone.
#[derive(Clone)]
pub struct RedisRevocations(Arc<Handle>);

struct Handle {
    redis: Redis,
    replica: Arc<Replica>,
    letters: mpsc::UnboundedSender<Letter>,
    follower: AbortHandle,
    loaded: watch::Receiver<bool>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The writer ends by itself, once it has sent its revocations or an attempt has failed.
        self.follower.abort();
    }
}

impl RedisRevocations {
    /// Connects, and loads the sessions that have ended so far. If the data in Redis is new, this
    /// takes as long as the [settling](Redis::settle).
    ///
    /// A load that goes on has no limit: a million revocations take a second or two from a server
    /// nearby, and some ten seconds at a round trip of 80 ms. To bound it without losing what has
    /// been loaded, use [`connect_later`](Self::connect_later) and a timeout around
    /// [`first_load`](Self::first_load): dropping the future of `connect` drops the copy.
    ///
    /// # Errors
    ///
    /// When Redis cannot be reached in its [time](Redis::connect_timeout), and as
    /// [`first_load`](Self::first_load).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn connect(redis: &Redis) -> Result<Self, StoreError> {
        // Connect once here, so that the caller gets the reason: the follower would only log it and
        // try again.
        drop(redis.connect().await?);
        let store = Self::connect_later(redis);
        store.first_load().await?;
        Ok(store)
    }

    /// Connects in the background. Look-ups fail until Redis has been reached and loaded. For an
    /// application that has to start while Redis is away. [`status`](Self::status) says how far it
    /// is, and [`first_load`](Self::first_load) waits for it.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn connect_later(redis: &Redis) -> Self {
        let replica = Arc::new(Replica::new(redis.grace_period()));
        // Unbounded, because `record` has taken the revocation already. The writer merges what
        // waits by its target.
        let (letters, inbox) = mpsc::unbounded_channel();
        let (loaded, is_loaded) = watch::channel(false);
        let follower = Follower {
            servers: RedisServers::new(redis.clone()),
            member: Member {
                replica: replica.clone(),
                letters: letters.clone(),
                settle: redis.settle_period(),
                few: FEW,
                batch: BATCH,
                id: wire::name(),
            },
            loaded,
        };
        let follower = tokio::spawn(follower.follow()).abort_handle();
        let servers = RedisServers::new(redis.clone());
        tokio::spawn(writer::write(servers, replica.clone(), inbox));
        let handle = Handle {
            redis: redis.clone(),
            replica,
            letters,
            follower,
            loaded: is_loaded,
        };
        Self(Arc::new(handle))
    }

    /// Waits until the sessions that have ended are loaded for the first time. Dropping the future
    /// changes nothing: the load goes on.
    ///
    /// ```no_run
    /// # async fn example(redis: tower_magic_link::store::Redis) {
    /// use std::time::Duration;
    /// use tower_magic_link::revocation::RedisRevocations;
    ///
    /// let revocations = RedisRevocations::connect_later(&redis);
    /// if tokio::time::timeout(Duration::from_secs(60), revocations.first_load()).await.is_err() {
    ///     eprintln!("starting all the same: {}", revocations.status());
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When Redis [refuses](StoreErrorKind::Denied) its user, or when the load has stood still for
    /// 30 seconds: Redis is away, or fails each attempt in the same way. The error is the last
    /// attempt's. The attempts go on.
    pub async fn first_load(&self) -> Result<(), StoreError> {
        let replica = &self.0.replica;
        let mut loaded = self.0.loaded.clone();
        let (mut steps, mut since) = (replica.loading.steps(), Instant::now());
        let began = since;
        loop {
            match timeout(CHECK, loaded.wait_for(|loaded| *loaded)).await {
                Ok(Ok(_)) => return Ok(()),
                // The follower is gone when its runtime has shut down.
                Ok(Err(_)) => return Err(StoreError::new(StoreErrorKind::Unavailable)),
                Err(_) => {}
            }
            let now = replica.loading.steps();
            if now != steps {
                (steps, since) = (now, Instant::now());
            }
            let last = replica.notes.last_error();
            let last = last.filter(|last| last.age() < began.elapsed());
            if let Some(denied) = last
                .as_ref()
                .filter(|last| last.kind() == StoreErrorKind::Denied)
            {
                return Err(denied.to_error());
            }
            if since.elapsed() >= STILL {
                let late = || StoreError::new(StoreErrorKind::TimedOut);
                return Err(last.map_or_else(late, |last| last.to_error()));
            }
        }
    }

    /// Says how this store is: for a readiness check, a metric or a log.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(&self.0.replica)
    }

    /// Says whether Redis is followed, so that the local copy is complete.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.0.replica.is_following()
    }

    /// Returns how many revocations this process knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.replica.revocations.len()
    }

    /// Says whether no revocation is known here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Revocations for RedisRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        self.0.replica.look_up(session)
    }

    /// Ends the sessions here at once, even if the future is dropped, and then on every replica.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        // Locally first: a sign-out must hold on this replica even if Redis is away.
        self.0.replica.record(revocation);
        let (reply, taken) = oneshot::channel();
        let letter = Letter {
            revocation: revocation.clone(),
            reply: Some(reply),
        };
        let handed = self.0.letters.send(letter);
        Box::pin(async move {
            // The writer is gone when its runtime has shut down.
            let gone = || StoreError::new(StoreErrorKind::Unavailable);
            handed.map_err(|_| gone())?;
            taken.await.map_err(|_| gone())?.map_err(StoreError::new)
        })
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        self.0.replica.revocations.watch(session)
    }

    fn tell_to(&self, listener: &Listener) {
        self.0.replica.tell_to(listener);
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        Box::pin(check::check(&self.0.redis, &self.0.replica, now))
    }
}

impl fmt::Debug for RedisRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisRevocations")
            .field(&self.0.replica)
            .finish()
    }
}
