//! The exchange of a code for a session, once for however many callbacks bring it.
//!
//! - Callbacks with the same state and code share one exchange while it runs, and its session for a
//!   minute after: a double click, a reload or two tabs sign in once.
//! - An exchange belongs to none of its callers. If one hangs up, another, or the same browser's
//!   next try, carries it on.
//! - The provider may call a link used whose first visit was called off by a second click: that
//!   browser's next try is joined to the exchange of the first.
//! - Only success is remembered: after a failure, or a panic of the provider's or the
//!   application's, the next try asks again.

use std::{
    any::Any,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared as SharedFuture};
use sha2::{Digest, Sha256};

use self::runs::{Key, Runs};
use crate::{
    clock::Timestamp,
    rejection::{Rejection, RejectionKind},
    session::Issued,
};

mod runs;
mod sync;

type Outcome = Result<Arc<Issued>, Failure>;

/// Why an exchange yielded nothing.
#[derive(Clone)]
enum Failure {
    /// It panicked. One of its callers panics on.
    Panicked(Arc<Mutex<Option<Panic>>>),
    Refused(Rejection),
}

/// An exchange that several callers wait for.
type Run = SharedFuture<BoxFuture<'static, Outcome>>;
type Panic = Box<dyn Any + Send>;

/// The exchanges that run, and those that succeeded a moment ago.
pub(crate) struct Exchanges {
    runs: Runs<Run>,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self {
            runs: Runs::new(|run: &Run| run.peek().is_some()),
        }
    }
}

impl Exchanges {
    /// Joins the exchange of this key, or begins it. It is also known by the browser's visit, where
    /// that is given.
    pub(super) fn join<F>(
        &self,
        key: Key,
        visit: Option<Key>,
        now: Timestamp,
        work: impl FnOnce() -> F,
    ) -> impl Future<Output = Result<Arc<Issued>, Rejection>> + Send
    where
        F: Future<Output = Result<Arc<Issued>, Rejection>> + Send + 'static,
    {
        let run = self.runs.join(key, visit, || begin(work()), now);
        async move { self.outcome(key, run).await }
    }

    /// Joins the exchange of this state, whatever its proof, that the same browser began a moment
    /// ago.
    pub(super) fn rejoin(
        &self,
        state: &[u8],
        browser: [u8; 16],
        now: Timestamp,
    ) -> Option<impl Future<Output = Result<Arc<Issued>, Rejection>> + Send> {
        let (key, run) = self.runs.of(visit(state, browser), now)?;
        Some(async move { self.outcome(key, run).await })
    }

    async fn outcome(&self, key: Key, run: Run) -> Result<Arc<Issued>, Rejection> {
        let outcome = run.clone().await;
        if outcome.is_err() {
            self.runs.forget(key, |known| known.ptr_eq(&run));
        }
        outcome.map_err(Failure::into_rejection)
    }

    /// Says whether an exchange of this key runs, or succeeded a moment ago.
    pub(super) fn knows(&self, key: &Key, now: Timestamp) -> bool {
        self.runs.knows(key, now)
    }
}

impl fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanges").finish_non_exhaustive()
    }
}

impl Failure {
    /// Returns what a caller hears; the first caller of a panic panics on.
    fn into_rejection(self) -> Rejection {
        match self {
            Self::Panicked(panic) => {
                let panic = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(panic) = panic {
                    resume_unwind(panic);
                }
                Rejection::new(RejectionKind::ProviderUnavailable)
            }
            Self::Refused(rejection) => rejection,
        }
    }
}

/// Begins an exchange, whoever waits for it.
fn begin(work: impl Future<Output = Result<Arc<Issued>, Rejection>> + Send + 'static) -> Run {
    // A panic would leave a shared future that never wakes its other callers, and fails whoever
    // joins it later.
    let run = AssertUnwindSafe(work).catch_unwind();
    let run = run.map(|outcome| match outcome {
        Ok(outcome) => outcome.map_err(Failure::Refused),
        Err(panic) => Err(Failure::Panicked(Arc::new(Mutex::new(Some(panic))))),
    });
    let run: BoxFuture<'static, Outcome> = Box::pin(run);
    run.shared()
}

/// Names the sign-in that a browser is at.
pub(super) fn visit(state: &[u8], browser: [u8; 16]) -> Key {
    let state = Sha256::digest(state);
    Sha256::new()
        .chain_update(state)
        .chain_update(browser)
        .finalize()
        .into()
}

/// Names an exchange. A state or code in a key would be a secret in memory; and their lengths
/// differ.
pub(super) fn key(state: &[u8], proof: &str) -> Key {
    Sha256::new()
        .chain_update(Sha256::digest(state))
        .chain_update(proof)
        .finalize()
        .into()
}
