//! The exchange of a code for a session, shared by all callbacks that bring the same code.
//!
//! - A browser's callbacks of one attempt share an exchange, and its session for a minute after
//!   it ended: a double click, a reload or two tabs sign in once.
//! - No caller owns an exchange. It runs to its end even if all of them hang up, and the browser's
//!   next try joins it.
//! - A second click cancels the browser's first visit, and the provider may then report the link as
//!   used. That browser's next try joins the exchange of the first visit.
//! - Only success is remembered. After a failure, or a panic in the provider or the application,
//!   the next try asks again. What the provider has proven is kept for that minute, because its
//!   code is used up: the next try asks only what failed.
//! - A panic before that leaves open whether the code is used up.

use std::{
    any::Any,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared as SharedFuture};
use sha2::{Digest, Sha256};
use tracing::{Instrument, Span};

pub(super) use self::runs::Key;
use self::runs::Runs;
use crate::{
    clock::Timestamp,
    provider::{Identity, OrganizationChoice},
    rejection::{Rejection, RejectionKind},
    session::Issued,
};

mod runs;
mod sync;

/// How an exchange ended, and when.
#[derive(Clone)]
struct Outcome {
    result: Result<Arc<Granted>, Failure>,
    at: Timestamp,
}

/// What an exchange yields.
pub(super) enum Granted {
    /// The person must choose an organization first.
    Choice(Offer),
    Session(Box<Issued>, Kind),
}

/// What kind of session an exchange yields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of many that its attempt may have.
    New,
    /// The one session of its attempt.
    OfAttempt,
}

/// The organizations that a person may choose from, and when their address was proven.
pub(super) struct Offer {
    pub(super) choice: OrganizationChoice,
    pub(super) at: Timestamp,
}

/// Why an exchange yielded nothing.
#[derive(Clone)]
enum Failure {
    /// The exchange panicked. One of its callers passes the panic on.
    Panicked(Arc<Mutex<Option<Panic>>>),
    Refused(Rejection),
}

/// An exchange that several callers wait for.
type Run = SharedFuture<BoxFuture<'static, Outcome>>;
type Panic = Box<dyn Any + Send>;

/// What a provider has proven, and when. A session of it begins at that moment, so that a
/// revocation that came since ends it.
pub(super) struct Proven {
    pub(super) person: Person,
    pub(super) at: Timestamp,
    /// When the provider's answer came. It is kept for a minute from then.
    pub(super) ended: Timestamp,
}

/// Who a provider says it is.
pub(super) enum Person {
    /// Somebody who must choose an organization first.
    Choosing(OrganizationChoice),
    Identified(Identity),
}

/// The exchanges that are running, and those that succeeded within the last minute.
pub(crate) struct Exchanges {
    runs: Arc<Runs<Run>>,
    /// What providers have proven by a code that is used up now, for a session that was not made.
    proven: Runs<Arc<Proven>>,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self {
            runs: Arc::new(Runs::new(|run: &Run| run.peek().map(|outcome| outcome.at))),
            proven: Runs::new(|proven: &Arc<Proven>| Some(proven.ended)),
        }
    }
}

impl Exchanges {
    /// Joins the exchange of this key, or begins it. If a visit is given, [`Self::rejoin`] finds it
    /// too. `ended` reads the clock when it has ended.
    pub(super) fn join<F>(
        &self,
        key: Key,
        visit: Option<State>,
        now: Timestamp,
        work: impl FnOnce() -> F + Send + 'static,
        ended: impl FnOnce() -> Timestamp + Send + 'static,
    ) -> impl Future<Output = Result<Arc<Granted>, Rejection>> + Send
    where
        F: Future<Output = Result<Arc<Granted>, Rejection>> + Send + 'static,
    {
        let mut is_new = false;
        let begin = || {
            is_new = true;
            begin(work, ended, now)
        };
        let visit = visit.map(|State(visit)| visit);
        let run = self.runs.join(key, visit, begin, now);
        async move {
            // Most ends at its first poll, and needs no task.
            if is_new && run.clone().now_or_never().is_none() {
                self.finish_alone(key, run.clone());
            }
            self.outcome(key, run, now).await
        }
    }

    /// Lets an exchange end although all its callers leave: the code is used up by then, and the
    /// person's next try finds the session.
    fn finish_alone(&self, key: Key, run: Run) {
        // Without tokio the next try carries it on.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let runs = self.runs.clone();
        runtime.spawn(async move {
            // Only this run: by now, another try may have begun under the same key.
            if run.clone().await.result.is_err() {
                runs.forget(key, |known| known.ptr_eq(&run));
            }
        });
    }

    /// Returns what this proof has proven within the last minute, if no session came of it.
    pub(super) fn proven(&self, key: &Key, now: Timestamp) -> Option<Arc<Proven>> {
        self.proven.find(key, now)
    }

    /// Keeps what a proof has proven, for a try that need not ask the provider again.
    pub(super) fn keep(&self, key: Key, proven: &Arc<Proven>) {
        self.proven.join(key, None, || proven.clone(), proven.ended);
    }

    /// Joins the exchange that began with this visit within the last minute, whatever its proof.
    pub(super) fn rejoin(
        &self,
        State(visit): State,
        now: Timestamp,
    ) -> Option<impl Future<Output = Result<Arc<Granted>, Rejection>> + Send> {
        let (key, run) = self.runs.of(visit, now)?;
        Some(async move { self.outcome(key, run, now).await })
    }

    async fn outcome(&self, key: Key, run: Run, now: Timestamp) -> Result<Arc<Granted>, Rejection> {
        let outcome = run.clone().await;
        if outcome.result.is_err() {
            self.runs.forget(key, |known| known.ptr_eq(&run));
        }
        outcome.result.map_err(|failure| {
            failure.into_rejection(match self.proven(&key, now) {
                Some(proven) if matches!(proven.person, Person::Identified(_)) => {
                    RejectionKind::ProviderUnavailable
                }
                // The panic may have come while the provider finished the choice.
                Some(_) | None => RejectionKind::ProviderAnswerLost,
            })
        })
    }

    /// Forgets what a proof has proven.
    pub(super) fn forget_proven(&self, key: Key) {
        self.proven.forget(key, |_| true);
    }

    /// Forgets an exchange, so that nobody joins it, and returns what it yields. It goes on.
    pub(super) fn forget(
        &self,
        key: Key,
        now: Timestamp,
    ) -> Option<impl Future<Output = Option<Arc<Granted>>> + Send> {
        let run = self.runs.find(&key, now)?;
        self.runs.forget(key, |known| known.ptr_eq(&run));
        Some(async move { run.await.result.ok() })
    }

    /// Says whether an exchange of this key runs, or has succeeded within the last minute.
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
    /// Returns the rejection for a caller, or passes a panic on to the first caller.
    fn into_rejection(self, panicked: RejectionKind) -> Rejection {
        match self {
            Self::Panicked(panic) => {
                let panic = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(panic) = panic {
                    // For one caller. Its panic reaches the application's handler once, as if
                    // nothing were shared.
                    resume_unwind(panic);
                }
                Rejection::new(panicked)
            }
            Self::Refused(rejection) => rejection,
        }
    }
}

/// Begins an exchange that any number of callers can wait for. One that panics counts as ended
/// `now`, because the clock may be what has panicked.
fn begin<F>(
    work: impl FnOnce() -> F + Send + 'static,
    ended: impl FnOnce() -> Timestamp + Send + 'static,
    now: Timestamp,
) -> Run
where
    F: Future<Output = Result<Arc<Granted>, Rejection>> + Send + 'static,
{
    let span = Span::current();
    let run: BoxFuture<'static, Outcome> = Box::pin(async move {
        // Made where it stays: it is large, and whatever it passed through would copy it.
        let work = pin!(work());
        // A panic would leave a shared future that never wakes its other callers and fails later
        // ones, and every sweep of all exchanges. The clock is the application's, too.
        let ran = async move { (work.instrument(span).await, ended()) };
        match AssertUnwindSafe(ran).catch_unwind().await {
            Ok((result, at)) => Outcome {
                result: result.map_err(Failure::Refused),
                at,
            },
            Err(panic) => Outcome {
                result: Err(Failure::Panicked(Arc::new(Mutex::new(Some(panic))))),
                at: now,
            },
        }
    });
    run.shared()
}

/// The name under which callers share an exchange, as the hash with which all keys of it begin. No
/// other pair of a name and what follows it makes the same text.
#[derive(Clone, Copy)]
pub(super) struct State(Key);

impl State {
    /// Makes the state of a name in parts, as if they were one.
    pub(super) fn of<const N: usize>(name: [&[u8]; N]) -> Self {
        let mut hash = Sha256::new();
        name.into_iter().for_each(|part| hash.update(part));
        Self(hash.finalize().into())
    }

    /// Returns the key of an exchange. It is a hash, because a key with the proof itself would keep
    /// a secret in memory.
    pub(super) fn key(self, proof: &str) -> Key {
        let hash = Sha256::new().chain_update(self.0).chain_update(proof);
        hash.finalize().into()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
