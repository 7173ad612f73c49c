//! `SessionGuard`: live connections end with their session.
//!
//! - A session ends when its request's token expires, or earlier by today's lifetimes if they are
//!   shorter. It also ends when the store reports a revocation
//!   ([`Revocations::watch`](crate::revocation::Revocations::watch)), or when a look-up, made at
//!   every interval, finds one.
//! - It ends at the next such interval, too, if its token's key has left the ring or has ended.
//! - A renewal moves the end of later requests only: a body that runs keeps the end of its
//!   request's token. An `EventSource` that ends this way reconnects with the renewed cookie.
//!   [`Unanswered`] has the rule for a response that has not begun.
//! - A store that fails ends nothing. The layer asks it again, and the token still expires.
//! - Nothing is watched before the guard is polled: a response that is ready at once, in one piece,
//!   costs neither a timer nor the future that waits for it.

use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use futures_util::future::{
    BoxFuture, Either, FusedFuture, FutureExt, Shared as SharedFuture, select,
};
use tokio::task::yield_now;

use crate::{
    clock::{Signal, Timestamp},
    session::{Session, handled::Handling},
    shared::Shared,
};

mod ending;
mod unanswered;

pub(crate) use self::{ending::Ending, unanswered::Unanswered};

/// A future that completes when the request's session expires or is revoked.
///
/// The layer puts it into the request's extensions if
/// [`Builder::end_streams`](crate::Builder::end_streams) is on and the request has a session.
/// Response bodies end by themselves. The guard is for what the layer cannot see, such as a
/// WebSocket. A clone costs one reference count, and dropping the last clone ends the watch. The
/// guard may be polled after it has completed.
///
/// ```
/// use tower_magic_link::SessionGuard;
///
/// async fn serve(mut messages: tokio::sync::mpsc::Receiver<String>, mut guard: SessionGuard) {
///     loop {
///         tokio::select! {
///             // The guard first: once the session is over, no message is answered.
///             biased;
///             () = &mut guard => return, // close the connection
///             answered = answer(&mut messages) => if answered.is_none() { return },
///         }
///     }
/// }
///
/// /// The guard bounds all of it, so a client that reads nothing does not keep its connection.
/// async fn answer(messages: &mut tokio::sync::mpsc::Receiver<String>) -> Option<()> {
///     let _message = messages.recv().await?;
///     // Send the answer here.
///     Some(())
/// }
/// ```
#[derive(Clone)]
#[must_use = "futures do nothing unless polled"]
pub struct SessionGuard {
    watch: Arc<Watch>,
    /// This clone's part in the watch, from its first poll on.
    own: Option<Ended>,
}

/// What all clones of a guard share.
struct Watch {
    shared: Arc<Shared>,
    session: Session,
    /// When the session was looked up.
    asked_at: Timestamp,
    beside: Beside,
    /// Made by the first poll of any clone.
    ended: OnceLock<Ended>,
}

/// The other session of a request whose response renews its own.
pub(crate) enum Beside {
    None,
    /// The guard of the session that the response brings.
    Renewed(SessionGuard),
    /// The session that the request came with, by which its handler orders ends.
    Renews(Session),
}

/// The future of which every clone has the result.
type Ended = SharedFuture<BoxFuture<'static, End>>;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Expired,
    Revoked,
    /// The store panicked, so nothing is left to wait for.
    Unknown,
}

impl SessionGuard {
    /// Watches a session that was looked up at `now`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        session: Session,
        now: Timestamp,
        beside: Beside,
    ) -> Self {
        let watch = Watch {
            shared,
            session,
            asked_at: now,
            beside,
            ended: OnceLock::new(),
        };
        Self {
            watch: Arc::new(watch),
            own: None,
        }
    }

    /// Says whether the session is known to have ended, without registering a waker.
    pub(crate) fn has_ended(&self) -> bool {
        let ended = self.watch.ended.get();
        ended.is_some_and(|ended| ended.peek().is_some())
    }

    /// Returns the guard for a response that begins now: this one, or that of the renewed session,
    /// if this one has ended and the response renews it. The layer uses it for the response's body.
    ///
    /// Ask for it when the response begins, if you end its body yourself.
    pub fn for_response(&self) -> Self {
        self.clone().into_response()
    }

    /// Does the same with the guard itself.
    pub(crate) fn into_response(self) -> Self {
        match &self.watch.beside {
            // A clone is polled, so that no later poll of this one finds what it has heard.
            Beside::Renewed(renewed) if self.clone().now_or_never().is_some() => renewed.clone(),
            _ => self,
        }
    }

    /// Says, while it lives, that this thread works for a request with the session.
    pub(crate) fn handling(&self) -> Handling {
        Handling::of(&self.watch.session)
    }

    /// Says whether the request runs on when its session ends: its handler has ordered that end.
    pub(crate) fn runs_on(&self) -> bool {
        // A body of a renewed session orders by that one.
        let by_the_request = match &self.watch.beside {
            Beside::Renews(session) => session.runs_on(),
            Beside::None | Beside::Renewed(_) => false,
        };
        by_the_request || self.watch.session.runs_on()
    }

    /// Polls for how the session ended. It must not be called again after that.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.own().poll_unpin(cx)
    }

    fn own(&mut self) -> &mut Ended {
        let watch = &self.watch;
        self.own.get_or_insert_with(|| watch.ended().clone())
    }
}

impl Watch {
    fn ended(&self) -> &Ended {
        self.ended.get_or_init(|| {
            // A panic in the store would leave a shared future that never wakes its other waiters.
            // It ends the session instead.
            let ended = ended(self.shared.clone(), self.session.clone(), self.asked_at);
            let ended = AssertUnwindSafe(ended).catch_unwind();
            let ended = ended.map(|end| end.unwrap_or(End::Unknown));
            let ended: BoxFuture<'static, End> = Box::pin(ended);
            ended.shared()
        })
    }
}

impl Future for SessionGuard {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let own = self.own();
        if own.is_terminated() {
            return Poll::Ready(());
        }
        own.poll_unpin(cx).map(drop)
    }
}

impl fmt::Debug for SessionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGuard")
            .field("has_ended", &self.has_ended())
            .finish()
    }
}

/// Waits until a session has ended.
async fn ended(shared: Arc<Shared>, session: Session, asked_at: Timestamp) -> End {
    // Watched before the first look-up is due, so that an end in between is heard.
    let mut told: Signal = shared
        .revocations
        .watch(&session)
        .unwrap_or_else(|| Box::pin(std::future::pending()));
    let mut ask_at = asked_at + shared.streams.interval;
    // The session's end is a date, and the loop goes by the steady time. Read once: today's
    // settings do not change while the layer lives.
    let reading = shared.clock.at(asked_at);
    let end = shared.gate.lifetimes.steady_end_of(&session, reading);
    loop {
        let turn = pin!(wait_until(&shared, ask_at.min(end)));
        told = match select(told, turn).await {
            Either::Left(_) => return End::Revoked,
            Either::Right(((), told)) => told,
        };
        let now = shared.clock.now();
        if now >= end {
            return End::Expired;
        }
        // Nobody reports that a key has left the ring, or has come to its end.
        if !shared.gate.tokens.stands(&session, shared.clock.at(now)) {
            return End::Revoked;
        }
        let asked = pin!(shared.revocations.is_active(&session));
        let turn = pin!(wait_until(&shared, end));
        // A look-up that hangs must delay neither the store's report nor the session's end.
        match select(told, select(asked, turn)).await {
            Either::Left(_) => return End::Revoked,
            Either::Right((Either::Left((Ok(false), _)), _)) => return End::Revoked,
            Either::Right((_, rest)) => told = rest,
        }
        ask_at = shared.clock.now() + shared.streams.interval;
    }
}

/// Waits until the clock shows a moment.
async fn wait_until(shared: &Shared, at: Timestamp) {
    loop {
        shared.clock.sleep_until(at).await;
        // The clock may wake us early, and then at once whenever it is asked. Without a pause that
        // would go on until the moment itself, within one poll.
        if shared.clock.now() >= at {
            return;
        }
        yield_now().await;
    }
}
