//! `RedisSessions`: the index in a Redis that the replicas of an application share.
//!
//! - The sessions of a subject are one hash, under a digest of the subject. It expires with the
//!   last of them.
//! - Each operation is one script, which may run twice: a connection that fails is made anew once.
//!   A late answer is a failure.

use std::{fmt, sync::Arc};

use ::redis::{FromRedisValue, Script};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::{ListedSession, MOST_OF_A_SUBJECT, Sessions};
use crate::{
    check::Checking,
    clock::Timestamp,
    session::SessionId,
    store::{
        StoreError, StoreErrorKind, StoreFuture,
        redis::{Kept, Redis},
    },
};

/// What the scripts call.
const NEEDS: [&str; 5] = ["EXPIRE", "HDEL", "HGETALL", "HSET", "HVALS"];

/// Lists the sessions of all replicas in the Redis that they share. Clones share everything.
///
/// It connects with the first session, and holds one connection. Every ten seconds in which it is
/// used, it looks up the primary again. It keeps up to 100 sessions of a
/// subject; of more, those that end first leave. A session takes about 600 bytes of Redis (632
/// measured with `MEMORY USAGE`, with the user agent of Chrome), under a key that expires and so
/// may be evicted: it is then missing from the list, and works on.
///
/// ```
/// use tower_magic_link::{Builder, ConfigError, sessions::RedisSessions, store::Redis};
///
/// fn with_devices(builder: Builder, redis: &Redis) -> Builder {
///     builder.session_index(RedisSessions::new(redis))
/// }
/// ```
#[derive(Clone)]
pub struct RedisSessions(Arc<Shelf>);

struct Shelf {
    redis: Redis,
    note: Script,
    forget: Script,
    list: Script,
    connection: Kept,
}

impl RedisSessions {
    /// Creates an index over a Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self(Arc::new(Shelf {
            redis: redis.clone(),
            note: Script::new(include_str!("note.lua")),
            forget: Script::new(include_str!("forget.lua")),
            list: Script::new(include_str!("list.lua")),
            connection: Kept::new(redis),
        }))
    }
}

impl Shelf {
    fn key(&self, subject: &str) -> String {
        let digest = Sha256::digest(subject);
        let digest: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        self.redis.key(&format!("sessions:{digest}"))
    }

    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        subject: &str,
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        if Handle::try_current().is_err() {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        let keys = [self.key(subject)];
        let (connection, is_fresh) = self.connection.get().await?;
        let answer = connection.run(script, &keys, arguments).await;
        let Err(error) = answer else {
            return answer;
        };
        // It may be dead, or its server may have been demoted to a replica.
        self.connection.drop_failed(&connection).await;
        if is_fresh || error.kind() != StoreErrorKind::Unavailable {
            return Err(error);
        }
        let (connection, _) = self.connection.get().await?;
        connection.run(script, &keys, arguments).await
    }
}

impl Sessions for RedisSessions {
    fn note<'a>(&'a self, session: &'a ListedSession, now: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let words = [
                now.as_secs().to_string(),
                session.id().to_string(),
                session.expires_at().as_secs().to_string(),
                session.to_record(),
                MOST_OF_A_SUBJECT.to_string(),
            ];
            let words = words.map(String::into_bytes);
            let shelf = &self.0;
            let _: i64 = shelf.run(&shelf.note, session.subject(), &words).await?;
            Ok(())
        })
    }

    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let words = [id.to_string().into_bytes()];
            let shelf = &self.0;
            let _: i64 = shelf.run(&shelf.forget, subject, &words).await?;
            Ok(())
        })
    }

    fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        Box::pin(async move {
            let shelf = &self.0;
            let records: Vec<String> = shelf.run(&shelf.list, subject, &[]).await?;
            let listed = records.iter().filter_map(|record| {
                let (_end, record) = record.split_once(' ')?;
                ListedSession::from_record(record)
            });
            // Two subjects whose digests are alike share a key.
            let live =
                listed.filter(|listed| listed.subject() == subject && listed.expires_at() > now);
            Ok(live.collect())
        })
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        Box::pin(async move { self.0.redis.check(&NEEDS, now).await.lines })
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisSessions").field(&self.0.redis).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::called_in;

    #[test]
    fn the_self_test_asks_for_every_command_that_a_script_calls() {
        let scripts = [
            include_str!("forget.lua"),
            include_str!("list.lua"),
            include_str!("note.lua"),
        ];
        let mut called: Vec<_> = scripts.into_iter().flat_map(called_in).collect();
        called.sort_unstable();
        called.dedup();
        assert_eq!(called, NEEDS);
    }
}
