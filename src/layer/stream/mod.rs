//! Live connections end with the session: `SessionGuard`, and what the layer watches for it.
//!
//! - The end is the first of: the end of the token that the request came with, or of today's
//!   lifetimes where they are shorter; the store's word that the session was ended
//!   ([`Revocations::watch`](crate::revocation::Revocations::watch)); a look-up at every interval
//!   that says so.
//! - A renewal moves the end of later requests only: a body that runs keeps the end of the token
//!   that its request came with. An `EventSource` that was ended so comes back with the renewed
//!   cookie. [`Unanswered`] has the rule for a response that has not begun.
//! - A store that cannot tell ends nothing: it is asked again, and the token's end stays.
//! - Nothing is watched before somebody polls: a response that is there at once, in one piece,
//!   costs no timer.

use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{
    BoxFuture, Either, FusedFuture, FutureExt, Shared as SharedFuture, select,
};

use crate::{
    clock::{Signal, Timestamp},
    session::Session,
    shared::Shared,
};

mod ending;
mod unanswered;

pub(crate) use self::{ending::Ending, unanswered::Unanswered};

/// A future that completes when the request's session ends: it expires, or is revoked.
///
/// The layer leaves it in the request's extensions where
/// [`Builder::end_streams`](crate::Builder::end_streams) is on and the request has a session.
/// Response bodies end by themselves; this is for what the layer cannot see, such as a WebSocket.
/// Cloning costs a counter, and once the last clone is dropped nothing is watched any more. It may
/// be polled after it has completed.
///
/// ```
/// use tower_magic_link::SessionGuard;
///
/// async fn serve(mut messages: tokio::sync::mpsc::Receiver<String>, mut guard: SessionGuard) {
///     loop {
///         tokio::select! {
///             () = &mut guard => return, // close the connection: nobody is signed in
///             message = messages.recv() => match message {
///                 Some(_message) => { /* answer it */ }
///                 None => return,
///             },
///         }
///     }
/// }
/// ```
#[derive(Clone)]
#[must_use = "futures do nothing unless polled"]
pub struct SessionGuard(SharedFuture<BoxFuture<'static, End>>);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Expired,
    Revoked,
    /// The store failed in a way that leaves nothing to wait for.
    Unknown,
}

impl SessionGuard {
    /// Watches a session whose standing was asked at `now`.
    pub(crate) fn new(shared: Arc<Shared>, session: Session, now: Timestamp) -> Self {
        // A store that panics must not leave a shared future that nobody can wait for: then the
        // session is over.
        let ended = AssertUnwindSafe(ended(shared, session, now)).catch_unwind();
        let ended = ended.map(|end| end.unwrap_or(End::Unknown));
        let ended: BoxFuture<'static, End> = Box::pin(ended);
        Self(ended.shared())
    }

    /// Says whether the session is known to have ended. Nobody is woken for it.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.is_terminated() || self.0.peek().is_some()
    }

    /// Says how the session ended. It must not be polled after that.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.0.poll_unpin(cx)
    }
}

impl Future for SessionGuard {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_terminated() {
            return Poll::Ready(());
        }
        self.0.poll_unpin(cx).map(drop)
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
    let mut told: Signal = shared
        .revocations
        .watch(&session)
        .unwrap_or_else(|| Box::pin(std::future::pending()));
    let mut ask_at = asked_at + shared.streams.interval;
    let end = shared.gate.lifetimes.end_of(&session);
    loop {
        let turn = shared.clock.sleep_until(ask_at.min(end));
        told = match select(told, turn).await {
            Either::Left(_) => return End::Revoked,
            Either::Right(((), told)) => told,
        };
        // The clock may wake us early.
        let now = shared.clock.now();
        if now >= end {
            return End::Expired;
        }
        if now >= ask_at {
            let asked = pin!(shared.revocations.is_active(&session));
            let turn = shared.clock.sleep_until(end);
            // What the store tells meanwhile, and the end, are not kept waiting by a look-up that
            // hangs.
            match select(told, select(asked, turn)).await {
                Either::Left(_) => return End::Revoked,
                Either::Right((Either::Left((Ok(false), _)), _)) => return End::Revoked,
                Either::Right((_, rest)) => told = rest,
            }
            ask_at = shared.clock.now() + shared.streams.interval;
        }
    }
}
