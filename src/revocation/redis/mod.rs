//! `RedisRevocations`: ended sessions, known to every replica of an application and looked up
//! without a network.
//!
//! - `wire` is how orders are written down, `follower` keeps this process's copy (`replica`) the
//!   same, `writer` takes orders there.
//! - An order of this process holds here at once, whatever becomes of it on the way.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::timeout,
};

use super::{Lookup, Revocation, Revocations};
use crate::store::{StoreError, StoreErrorKind, StoreFuture};
use crate::{clock::Signal, event::Listener, session::Session, store::redis::Redis};

mod follower;
mod replica;
mod unsent;
mod wire;
mod writer;

use self::{replica::Replica, unsent::Letter};

/// How long the first load may take.
const FIRST_LOAD: Duration = Duration::from_secs(30);

/// Remembers ended sessions in a Redis that the replicas of an application share. Each holds all of
/// them locally and follows what is added, so that a look-up costs no network. Clones share
/// everything.
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
/// | what | becomes |
/// | --- | --- |
/// | it is stopped, paused or cut off | noticed within 1.5 seconds: [`Event::ServerLost`](crate::event::Event::ServerLost); back within 2 seconds of its return |
/// | a look-up within the [grace](Redis::grace) | is answered by what is known here |
/// | a look-up after that | of a session that is known to have ended: ended; of others [`StoreError`], so 503 or [`Builder::insecure_admit_on_outage`](crate::Builder::insecure_admit_on_outage) |
/// | an end that is ordered here | holds here at once; the caller hears [`StoreError`] within 1.5 seconds; it is sent again until Redis has it, and holds elsewhere from then on |
/// | Redis comes back empty, or older than it was | each replica puts back what it knows and has not expired |
/// | it takes no writes (full, or a disk that is) | as for an end that is ordered while it is away; all else goes on, and who connects follows |
/// | another server is the one now, and the old one still answers | the follower leaves a server that has come to follow another; every ten seconds, and when the writer is led elsewhere, it asks the way anew. Orders go where it reads |
/// | this process is stopped, or its runtime is not driven | nothing is heard: after 2.5 seconds and the grace as past the grace |
/// | the last clone is dropped while orders wait | they are sent as long as Redis takes them; the log says how many it did not |
///
/// A process that starts meanwhile knows nothing: [`RedisRevocations::connect`] fails, and
/// [`RedisRevocations::connect_later`] answers [`StoreError`] until Redis is there. If Redis comes
/// back empty and *no* replica lives on that knew, the ends are lost: give it persistence where
/// that can happen.
///
/// # What it costs
///
/// In Redis about 120 bytes for each ended session until its token would have expired, and a stream
/// of the last 10,000 orders. Entries leave with the first order from a minute after their time on.
/// In this process what a [`MemoryRevocations`](crate::revocation::MemoryRevocations) of the same
/// sessions costs: they are forgotten, as new ones come, from a minute after their time on, by its
/// clock and Redis's. Each replica holds two connections and asks Redis some thirteen small
/// questions a second.
///
/// # Tasks
///
/// Two tasks on the tokio runtime in which it was made end with the last clone.
#[derive(Clone)]
pub struct RedisRevocations(Arc<Handle>);

struct Handle {
    replica: Arc<Replica>,
    letters: mpsc::UnboundedSender<Letter>,
    follower: AbortHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The writer ends by itself, once it has sent what it was given, or cannot.
        self.follower.abort();
    }
}

impl RedisRevocations {
    /// Connects, and loads what was ended before.
    ///
    /// # Errors
    ///
    /// When Redis cannot be reached within a second, or what it holds is not loaded within 30.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn connect(redis: &Redis) -> Result<Self, StoreError> {
        // What is wrong is best said by whoever connects; the follower would only try again.
        drop(redis.connect().await?);
        let (store, mut loaded) = Self::start(redis);
        let first = timeout(FIRST_LOAD, loaded.wait_for(|loaded| *loaded)).await;
        match first {
            Ok(Ok(_)) => Ok(store),
            Ok(Err(_)) => Err(StoreError::new(StoreErrorKind::Unavailable)),
            Err(_) => Err(StoreError::new(StoreErrorKind::TimedOut)),
        }
    }

    /// Begins to connect, and waits for nothing: look-ups fail until Redis is reached. For an
    /// application that has to start while Redis is away.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn connect_later(redis: &Redis) -> Self {
        Self::start(redis).0
    }

    fn start(redis: &Redis) -> (Self, watch::Receiver<bool>) {
        let replica = Arc::new(Replica::new(redis.grace_period()));
        let (letters, inbox) = mpsc::unbounded_channel();
        let (loaded, is_loaded) = watch::channel(false);
        let follower = follower::follow(redis.clone(), replica.clone(), letters.clone(), loaded);
        let follower = tokio::spawn(follower).abort_handle();
        tokio::spawn(writer::write(redis.clone(), replica.clone(), inbox));
        let handle = Handle {
            replica,
            letters,
            follower,
        };
        (Self(Arc::new(handle)), is_loaded)
    }

    /// Says whether Redis is followed: what is known here is all that there is to know.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.0.replica.is_following()
    }

    /// Returns how many orders are known here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.replica.orders.len()
    }

    /// Says whether no order is known here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Revocations for RedisRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        self.0.replica.look_up(session)
    }

    /// Ends here at once, even if nobody waits for the answer, and then everywhere.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.replica.end(revocation);
        let (reply, taken) = oneshot::channel();
        let letter = Letter {
            order: revocation.clone(),
            reply: Some(reply),
        };
        let handed = self.0.letters.send(letter);
        Box::pin(async move {
            // The writer is gone with its runtime.
            let gone = || StoreError::new(StoreErrorKind::Unavailable);
            handed.map_err(|_| gone())?;
            taken.await.map_err(|_| gone())?.map_err(StoreError::new)
        })
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        self.0.replica.orders.watch(session)
    }

    fn tell_to(&self, listener: &Listener) {
        // Of several layers the first hears of it.
        let _ = self.0.replica.listener.set(listener.clone());
    }
}

impl fmt::Debug for RedisRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisRevocations")
            .field(&self.0.replica)
            .finish()
    }
}
