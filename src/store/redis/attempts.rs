//! `Attempts`: an attempt to connect that outlives its caller.
//!
//! A caller may have less time than a connection to a server far away takes: a decision of the
//! throttle has one second. If it gave the attempt up for good, no connection would ever come up.
//! So the attempt goes on, and the next caller takes it over.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{task::JoinHandle, time::Instant};

use super::connection::Connection;
use crate::store::{StoreError, StoreErrorKind};

/// An attempt that was given up longer ago than this is not taken over: its server may have been
/// replaced since.
const FRESH: Duration = Duration::from_secs(5);

type Attempt = JoinHandle<Result<Connection, StoreError>>;

/// The attempt that was given up last.
#[derive(Default)]
pub(super) struct Attempts(Arc<Mutex<Option<(Attempt, Instant)>>>);

/// Clones share nothing: each store has connections of its own.
impl Clone for Attempts {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Attempts {
    /// Waits for the attempt that was given up, and for a new one if that has failed.
    pub(super) async fn join(
        &self,
        begin: impl Future<Output = Result<Connection, StoreError>> + Send + 'static,
    ) -> Result<Connection, StoreError> {
        if let Some(given_up) = self.take()
            && let Ok(connection) = self.wait(given_up).await
        {
            return Ok(connection);
        }
        self.wait(tokio::spawn(begin)).await
    }

    /// Takes the connection that came of the attempt that was given up, however long ago that was.
    /// It is as good as one that has been kept, and no better.
    pub(super) fn made(&self) -> Option<Connection> {
        let mut slot = self.slot();
        let (attempt, _) = slot.take_if(|(attempt, _)| attempt.is_finished())?;
        drop(slot);
        let made = attempt.now_or_never()?.ok()?.ok()?;
        made.is_open().then_some(made)
    }

    const fn wait(&self, attempt: Attempt) -> Waiting<'_> {
        Waiting {
            attempt: Some(attempt),
            attempts: self,
        }
    }

    fn take(&self) -> Option<Attempt> {
        let (attempt, given_up) = self.slot().take()?;
        if given_up.elapsed() < FRESH {
            return Some(attempt);
        }
        attempt.abort();
        None
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<(Attempt, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'a> {
    attempt: Option<Attempt>,
    attempts: &'a Attempts,
}

impl Future for Waiting<'_> {
    type Output = Result<Connection, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let gone = || Err(StoreError::new(StoreErrorKind::Unavailable));
        let Some(attempt) = &mut self.attempt else {
            return Poll::Ready(gone());
        };
        let Poll::Ready(made) = Pin::new(attempt).poll(context) else {
            return Poll::Pending;
        };
        self.attempt = None;
        // The runtime that the attempt ran on has shut down.
        Poll::Ready(made.unwrap_or_else(|_| gone()))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.attempt.take() {
            *self.attempts.slot() = Some((attempt, Instant::now()));
        }
    }
}
