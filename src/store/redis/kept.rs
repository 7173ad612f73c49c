//! `Kept`: the connection that a store keeps for what it asks now and then.
//!
//! - It is made with the first question, and anew once it has closed. A burst makes one.
//! - Beside a question, at most every ten seconds, the primary is looked up again: a server that
//!   was replaced and keeps running goes on answering old connections. If another server is found,
//!   the next question goes there.
//! - The look-up is a task, so that no question waits for it. It ends with the store.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Mutex as AsyncMutex, task::JoinHandle, time::Instant};

use super::{Redis, connection::Connection};
use crate::store::StoreError;

/// How often the primary is looked up again: as often as the revocation store does it.
const EVERY: Duration = Duration::from_secs(10);

/// The connection that a store keeps.
pub(crate) struct Kept {
    redis: Redis,
    connection: Arc<AsyncMutex<Option<Arc<Connection>>>>,
    look: Mutex<Look>,
}

/// The last look-up of the primary.
struct Look {
    began: Instant,
    task: Option<JoinHandle<()>>,
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Kept {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            connection: Arc::default(),
            look: Mutex::new(Look {
                began: Instant::now(),
                task: None,
            }),
        }
    }

    /// Returns the connection, and whether it was made just now. The lock is held while connecting,
    /// so that a burst opens one.
    pub(crate) async fn get(&self) -> Result<(Arc<Connection>, bool), StoreError> {
        let mut connection = self.connection.lock().await;
        if let Some(known) = connection.as_ref().filter(|known| known.is_open()) {
            let known = known.clone();
            drop(connection);
            self.look_around(&known);
            return Ok((known, false));
        }
        // Of an attempt that took longer than its question had.
        if let Some(made) = self.redis.attempts.made() {
            let made = connection.insert(Arc::new(made)).clone();
            drop(connection);
            self.look_around(&made);
            return Ok((made, false));
        }
        let fresh = Arc::new(self.redis.connect().await?);
        Ok((connection.insert(fresh).clone(), true))
    }

    /// Drops a connection that has failed, unless another one is kept already.
    pub(crate) async fn drop_failed(&self, failed: &Arc<Connection>) {
        let mut connection = self.connection.lock().await;
        if is_that(connection.as_ref(), failed) {
            *connection = None;
        }
    }

    /// Drops the connection, unless another task is at it: that task's own failure then drops it.
    pub(crate) fn drop_now(&self) {
        if let Ok(mut connection) = self.connection.try_lock() {
            *connection = None;
        }
    }

    /// Looks up the primary again, if the last look-up began long ago and has ended.
    fn look_around(&self, known: &Arc<Connection>) {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let is_at_it = look.task.as_ref().is_some_and(|task| !task.is_finished());
        if is_at_it || look.began.elapsed() < EVERY {
            return;
        }
        let (redis, slot) = (self.redis.clone(), self.connection.clone());
        // Not the connection itself: once it has failed, nothing may keep what is in flight on it.
        let (history, known) = (known.history.clone(), Arc::downgrade(known));
        look.began = Instant::now();
        look.task = Some(tokio::spawn(async move {
            // If no server answers, the present one is kept.
            let Ok(other) = redis.reach().await else {
                return;
            };
            if other.may_be_at(&history) {
                return;
            }
            let mut connection = slot.lock().await;
            let known = known.upgrade();
            if known.is_some_and(|known| is_that(connection.as_ref(), &known)) {
                *connection = Some(Arc::new(other));
            }
        }));
    }
}

fn is_that(kept: Option<&Arc<Connection>>, that: &Arc<Connection>) -> bool {
    kept.is_some_and(|kept| Arc::ptr_eq(kept, that))
}
