//! `RedisThrottle`: counts in a Redis that the replicas of an application share.
//!
//! - Each decision is one script, and so atomic. All keys share one hash tag: a cluster keeps them
//!   in one slot.
//! - Time is the server's: the scripts read its clock (`TIME`), and take intervals alone from the
//!   replicas. Since Redis 5.0 a script may write after it has read the clock, because Redis
//!   replicates the writes and not the script.
//! - Whatever Redis grants this process is counted in its memory too. While Redis is away the
//!   process goes on from those counts, so that an outage gives a code no fresh tries here.
//! - What memory has counted without Redis is noted (`alone`), and is given back to memory only:
//!   Redis is never credited for what it did not charge.
//! - A decision is sent once. If its connection breaks off before the answer, Redis may have made
//!   it: memory then decides alone, as if the answer were late. Made again, it would count twice.
//! - A late answer is a failure. After a failure Redis is left alone for a second, so that an
//!   outage does not cost every request the full timeout.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use ::redis::{FromRedisValue, Script};
use tokio::time::{Instant, timeout};

use self::{
    alone::Alone,
    server::{Place, Server},
};
use super::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey};
use crate::{
    check::Line,
    clock::Timestamp,
    event::{Event, Listener, StoreName},
    store::{
        StoreError, StoreErrorKind,
        redis::{Kept, Redis, is_refused, log_away},
    },
};

mod alone;
mod server;

/// How long one decision may take, including connecting. The layer waits for 2 seconds.
const DECISION: Duration = Duration::from_secs(1);
/// How long Redis is left alone after it has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest time for which tries are counted: a hundred years, in seconds. A double holds its
/// sum with any date.
const LONGEST_TRIES: u64 = 100 * 366 * 86_400;
/// The key of the latest time of a charge. The keys of rates have 32 digits in its place.
const LATEST: &str = "r:latest";
/// What the scripts call.
const NEEDS: [&str; 9] = [
    "DEL", "EXPIRE", "GET", "HGET", "HINCRBY", "HMGET", "HSET", "SET", "TIME",
];

/// Counts in a Redis that the replicas of an application share. Together they admit what one would.
/// Clones share everything.
///
/// # Whose clock counts
///
/// Redis's own. The replicas' clocks do not matter for rates. For tries they may differ by a
/// minute, as everywhere. The wait that a refusal names is an interval, so it is right on a replica
/// whose clock is not.
///
/// Redis's clock may be set, and another server, with another clock, may become the primary:
///
/// - Back by up to a minute: nothing is given back, and each rate refills later by as much.
/// - Back by more: nothing is given back, and nobody waits for longer than the rate's period and a
///   minute.
/// - Forward: each rate refills by as much, once, because Redis cannot tell a step from time that
///   has passed. Tries stay counted over a step of up to a minute.
///
/// # When Redis is away
///
/// While Redis is away each replica counts by itself, in a [`MemoryThrottle`] that includes what
/// Redis granted this process before. [`Event::ServerLost`] and [`Event::ServerRecovered`] report
/// it, once each. Each replica then admits up to a whole rate, and up to a code's whole number of
/// tries. What was counted without Redis is given back here alone. What Redis counted and is given
/// back while Redis is away stays charged there.
///
/// If a connection breaks off before Redis has answered, the replica decides by itself in the same
/// way: no decision is sent twice.
///
/// It connects with the first decision, and looks up the primary again every ten seconds in which
/// there are decisions. A key takes about 150 bytes of Redis. It expires a minute after it is
/// refilled, or two minutes after its tries have ended. One more key has the latest time of a
/// charge, and expires after 400 days without any.
///
/// ```no_run
/// use tower_magic_link::{Builder, ConfigError, store::Redis, throttle::RedisThrottle};
///
/// fn shared(builder: Builder) -> Result<Builder, ConfigError> {
///     Ok(builder.throttle(RedisThrottle::new(&Redis::new("redis://127.0.0.1")?)))
/// }
/// ```
#[derive(Clone)]
pub struct RedisThrottle(Arc<Counts>);

struct Counts {
    redis: Redis,
    charge: Script,
    take: Script,
    give: Script,
    refund: Script,
    connection: Kept,
    memory: MemoryThrottle,
    /// The rates' units that memory alone has counted, and the tries.
    rates_alone: Alone,
    tries_alone: Alone,
    listener: OnceLock<Listener>,
    server: Server,
    /// Until when Redis is left alone.
    rests: Mutex<Option<Instant>>,
}

impl RedisThrottle {
    /// Creates a throttle over a Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self(Arc::new(Counts {
            redis: redis.clone(),
            charge: Script::new(include_str!("charge.lua")),
            take: Script::new(include_str!("take.lua")),
            give: Script::new(include_str!("give.lua")),
            refund: Script::new(include_str!("refund.lua")),
            connection: Kept::new(redis),
            memory: MemoryThrottle::default(),
            rates_alone: Alone::default(),
            tries_alone: Alone::default(),
            listener: OnceLock::new(),
            server: Server::default(),
            rests: Mutex::default(),
        }))
    }
}

impl Counts {
    fn key(&self, kind: char, key: ThrottleKey) -> String {
        let number = u128::from_be_bytes(*key.as_bytes());
        self.redis.key(&format!("{kind}:{number:032x}"))
    }

    /// Runs a script. Returns `None` while Redis is away, after reporting it.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[u64],
    ) -> Option<T> {
        if self.rests().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let arguments: Vec<_> = arguments
            .iter()
            .map(|number| number.to_string().into_bytes())
            .collect();
        // One limit over connecting and asking: a person waits at the form meanwhile.
        let decision = timeout(DECISION, self.ask(script, keys, &arguments)).await;
        match decision.unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut))) {
            Ok(answer) => {
                *self.rests() = None;
                if self.server.moves_to(Place::Back) {
                    let store = StoreName::Throttle;
                    let event = Event::ServerRecovered { store };
                    match self.listener.get() {
                        Some(listener) => listener.tell(&event),
                        None => Listener::default().tell(&event),
                    }
                }
                Some(answer)
            }
            Err(error) => {
                self.connection.drop_now();
                // For the pause, memory decides alone. Without it each request would wait for the
                // dead server.
                *self.rests() = Some(Instant::now() + PAUSE);
                let has_moved = self.server.moves_to(Place::Away);
                if self.server.lacks(&error) {
                    log_away("throttle", &error);
                }
                if has_moved {
                    let store = StoreName::Throttle;
                    if let Some(listener) = self.listener.get() {
                        listener.tell_unlogged(&Event::ServerLost { store });
                    }
                }
                None
            }
        }
    }

    /// Runs a script, at most once: over the known connection, or over a fresh one if that is
    /// closed or its server refuses.
    async fn ask<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        let (connection, is_fresh) = self.connection.get().await?;
        let answer = connection.run(script, keys, arguments).await;
        match answer {
            // A failover may have demoted its server to a replica.
            Err(error) if !is_fresh && is_refused(&error) => {}
            // If the connection broke off, Redis may have decided all the same.
            answer => return answer,
        }
        self.connection.drop_failed(&connection).await;
        let (connection, _) = self.connection.get().await?;
        connection.run(script, keys, arguments).await
    }

    fn rests(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Throttle for RedisThrottle {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        if charges.is_empty() {
            return Ok(Charged::Admitted);
        }
        let counts = &self.0;
        let mut keys = Vec::with_capacity(charges.len() + 1);
        let mut arguments = Vec::with_capacity(2 * charges.len());
        for charge in charges {
            let rate = charge.rate().clamped();
            keys.push(counts.key('r', charge.key()));
            let period = u64::try_from(rate.period().as_micros()).unwrap_or(u64::MAX);
            arguments.extend([u64::from(rate.burst()), period]);
        }
        keys.push(counts.redis.key(LATEST));
        let answer: Option<(i64, u64)> = counts.run(&counts.charge, &keys, &arguments).await;
        let Some((by, wait)) = answer else {
            let charged = counts.memory.charge(charges, now).await?;
            if charged == Charged::Admitted {
                counts.rates_alone.note_charges(charges, now);
            }
            return Ok(charged);
        };
        // Minus one says that all were admitted.
        if let Ok(by) = usize::try_from(by) {
            let wait = Duration::from_micros(wait);
            return Ok(Charged::Refused { by, wait });
        }
        counts.memory.record(charges, now);
        Ok(Charged::Admitted)
    }

    async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
        let counts = &self.0;
        counts.memory.give_back(charges, now).await?;
        let (mut keys, mut arguments) = (Vec::new(), Vec::new());
        for charge in charges {
            if counts.rates_alone.take(charge.key(), now) {
                continue;
            }
            keys.push(counts.key('r', charge.key()));
            let period = charge.rate().clamped().period();
            arguments.push(u64::try_from(period.as_micros()).unwrap_or(u64::MAX));
        }
        if keys.is_empty() {
            return Ok(());
        }
        // If Redis is away, they stay charged there.
        let _: Option<i64> = counts.run(&counts.refund, &keys, &arguments).await;
        Ok(())
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        let counts = &self.0;
        // Memory first: a key that is exhausted here needs no round trip, and tries taken while
        // Redis was away still count.
        let here = counts.memory.take_try(key, most, until, now).await?;
        if here == Take::Exhausted {
            return Ok(here);
        }
        let keys = [counts.key('t', key)];
        let left = now.until(until).as_secs().min(LONGEST_TRIES);
        let arguments = [u64::from(most), left];
        let answer: Option<i64> = counts.run(&counts.take, &keys, &arguments).await;
        let Some(left) = answer else {
            counts.tries_alone.note(key, until, now);
            return Ok(here);
        };
        if let Ok(left) = u32::try_from(left) {
            return Ok(Take::Taken { left });
        }
        // Nothing is compared, so nothing is taken here either: a try that another replica gives
        // back is free for this one too.
        counts.memory.give_try_back(key, now).await?;
        Ok(Take::Exhausted)
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        let counts = &self.0;
        counts.memory.give_try_back(key, now).await?;
        if counts.tries_alone.take(key, now) {
            return Ok(());
        }
        let keys = [counts.key('t', key)];
        // If Redis is away, the try stays taken there.
        let _: Option<i64> = counts.run(&counts.give, &keys, &[]).await;
        Ok(())
    }

    /// Asks Redis alone: while it is away, memory counts, and every decision succeeds.
    async fn check(&self, now: Timestamp) -> Vec<Line> {
        self.0.redis.check(&NEEDS, now).await.lines
    }

    fn tell_to(&self, listener: &Listener) {
        // If several layers share the throttle, the first one's listener gets the events.
        let _ = self.0.listener.set(listener.clone());
        self.0.server.show();
    }
}

impl fmt::Debug for RedisThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisThrottle")
            .field("redis", &self.0.redis)
            .field("server", &self.0.server)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
