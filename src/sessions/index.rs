//! `Index`: an index as the layer uses it. Nothing waits for what is written.

use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::FutureExt;
use tokio::{runtime::Handle, time::timeout};

use super::{ListedSession, Seen, Sessions};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    event::{Event, Listener, StoreName},
    session::Session,
    store::{StoreError, StoreErrorKind, reason},
    trace::{Call, StateGauge, observe},
};

/// How long the index has for an answer.
const ANSWER: Duration = Duration::from_secs(2);

type Work<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// An index, and who listens to its outages. Clones share everything.
#[derive(Clone)]
pub(crate) struct Index(Arc<State>);

struct State {
    sessions: Box<dyn Sessions>,
    listener: Listener,
    /// What failed last.
    failed: Mutex<Option<Asks>>,
}

/// What is asked of the index, by how much of it has to work: a full store can be read, and
/// forgets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asks {
    ForAList,
    ToForget,
    ToNote,
}

impl Index {
    pub(crate) fn new(sessions: Box<dyn Sessions>, listener: Listener) -> Self {
        let state = State {
            sessions,
            listener,
            failed: Mutex::default(),
        };
        state.show();
        Self(Arc::new(state))
    }

    /// Notes a session that has begun or was renewed, in the background.
    pub(crate) fn note(&self, session: &Session, seen: Seen, now: Timestamp) {
        let state = self.0.clone();
        let listed = ListedSession::new(session.clone(), seen);
        let work = async move { state.sessions.note(&listed, now).await };
        self.write(Asks::ToNote, work);
    }

    /// Forgets a session, in the background.
    pub(crate) fn forget(&self, session: &Session) {
        let (state, session) = (self.0.clone(), session.clone());
        let work = async move {
            let (subject, id) = (session.subject(), session.id());
            state.sessions.forget(subject, id).await
        };
        self.write(Asks::ToForget, work);
    }

    /// Returns the sessions of a subject that have not ended by now.
    pub(crate) async fn list(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let listed = async {
            let asked = caught(async { self.0.sessions.list(subject, now).await });
            let listed = timeout(ANSWER, asked).await;
            listed.unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut)))
        };
        let listed = observe(Call::new("sessions.list"), listed).await;
        self.0.report(Asks::ForAList, listed.as_ref().err());
        listed
    }

    /// Checks the index. It reports nothing.
    pub(crate) async fn check(&self, now: Timestamp) -> Vec<Line> {
        check::bounded("session index", ANSWER, self.0.sessions.check(now)).await
    }

    fn write(
        &self,
        asks: Asks,
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) {
        let mut work: Work<()> = Box::pin(caught(work));
        // Memory is done at once, and needs no runtime.
        let first = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let state = self.0.clone();
        match (first, Handle::try_current()) {
            (Poll::Ready(written), _) => state.report(asks, written.as_ref().err()),
            (Poll::Pending, Err(_)) => {
                let no_runtime = StoreError::new(StoreErrorKind::Unavailable);
                state.report(asks, Some(&no_runtime));
            }
            (Poll::Pending, Ok(runtime)) => {
                runtime.spawn(async move {
                    let written = timeout(ANSWER, work).await;
                    let late = || Err(StoreError::new(StoreErrorKind::TimedOut));
                    let written = written.unwrap_or_else(|_| late());
                    state.report(asks, written.as_ref().err());
                });
            }
        }
    }
}

/// Takes a panic of the index for an outage: nobody is kept out, or kept in, by a list.
async fn caught<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    ended.unwrap_or_else(|_| {
        tracing::error!(target: "tower_magic_link", "the session index panicked");
        Err(StoreError::new(StoreErrorKind::Unavailable))
    })
}

impl State {
    /// Shows whether the index answers.
    fn show(&self) {
        let gauge = StateGauge::of_store(StoreName::Sessions.name());
        gauge.show(|| self.failed().is_none());
    }

    /// Reports a change, once. What works says nothing of what takes more.
    fn report(&self, asks: Asks, error: Option<&StoreError>) {
        let mut failed = self.failed();
        let before = *failed;
        *failed = match error {
            Some(_) => before.max(Some(asks)),
            None => before.filter(|before| *before > asks),
        };
        let (was_away, is_away) = (before.is_some(), failed.is_some());
        drop(failed);
        if was_away == is_away {
            return;
        }
        self.show();
        let store = StoreName::Sessions;
        let Some(error) = error else {
            return self.listener.tell(&Event::ServerRecovered { store });
        };
        let lost = Event::ServerLost { store };
        let (event, kind, reason) = (lost.name(), error.kind(), reason(error));
        tracing::warn!(target: "tower_magic_link", event, store = "sessions", %kind, reason, "server lost");
        self.listener.tell_unlogged(&lost);
    }

    fn failed(&self) -> MutexGuard<'_, Option<Asks>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.sessions.fmt(f)
    }
}
