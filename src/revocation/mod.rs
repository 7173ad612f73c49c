//! The revocation hook: where sessions that were ended early are remembered.
//!
//! - A look-up is synchronous. Memory, or a local copy of a remote store, answers at once and costs
//!   the request neither a box nor a wait. Only a store that truly waits returns
//!   [`Lookup::Pending`].
//! - The layer looks a session up only after it has checked the token's signature and expiry, so
//!   that unauthenticated traffic never reaches the store.
//! - Unknown is not revoked: a store that fails is a 503, and the session's cookie stays.

use std::{fmt, future::ready, time::Duration};

use crate::{
    check::Checking,
    clock::{Signal, Timestamp},
    event::Listener,
    session::{Session, revocable},
    store::{StoreError, StoreFuture},
};

mod bounded;
mod closure;
mod known;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod target;
mod watchers;

pub(crate) use self::bounded::{BoundedRevocations, OnOutage};
pub use self::{
    closure::{FnRevocations, IntoRevocations, IntoStanding},
    memory::MemoryRevocations,
    target::Target,
};

#[cfg(feature = "redis")]
pub use self::redis::{LastError, Phase, RedisRevocations, Status};

/// Where sessions that were ended early are remembered.
///
/// An implementation may forget an entry once [`Revocation::until`] has passed. It must not forget
/// sooner: a forgotten entry is a session that works again. A store that several machines share
/// should keep entries a minute longer, because the machines' clocks differ. What has passed is
/// decided by the store's own clock, and never by the moment of a revocation alone: one that a
/// machine gave whose clock was hours ahead would delete all others.
///
/// An implementation that compares moments itself compares [`Revocation::at`] with
/// [`Session::revocable_from`], as [`Revocation::ends`] does.
///
/// # Clocks of several machines
///
/// The clocks may differ by [`Revocation::LEEWAY`]. A revocation then ends every session that began
/// before it, and spares every one whose sign-in came after it:
///
/// - It reaches the leeway ahead, to sessions that a machine has dated later, because its clock is
///   ahead.
/// - Before the layer makes a session, it looks the new session up. If a revocation would end it,
///   the session states that it comes after the latest such revocation. A sign-in at once after
///   "sign out everywhere" is therefore good at every machine. If the store does not know of the
///   revocation yet, because it has not arrived from another machine, the new session ends with the
///   others when it arrives, and the person signs in once more. If the store fails, or answers
///   [`Lookup::Pending`] to [`SessionIssuer::issue`](crate::companion::SessionIssuer::issue), only
///   dates count, and a revocation of the same second or later ends the new session.
/// - Signing out everywhere gives a revocation that is dated after every one that the person's own
///   session comes after, so that no earlier one hides it.
///
/// The suite in `testing::suite::revocations` (feature `test-util`) checks an implementation.
///
/// ```
/// use std::{collections::HashMap, sync::RwLock};
/// use tower_magic_link::{
///     Session, revocation::{Lookup, Revocation, Revocations, Standing, Target},
///     store::StoreFuture,
/// };
///
/// /// Remembers the latest revocation for each target, and forgets it only with the process.
/// #[derive(Debug, Default)]
/// struct Ended(RwLock<HashMap<String, Revocation>>);
///
/// impl Revocations for Ended {
///     fn look_up(&self, session: &Session) -> Lookup {
///         let ended = self.0.read().unwrap();
///         let is_ended = Target::all_of(session)
///             .filter_map(|target| ended.get(&target.key()))
///             .any(|revocation| revocation.ends(session));
///         Lookup::settled(if is_ended { Standing::Revoked } else { Standing::Active })
///     }
///
///     fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
///         let mut ended = self.0.write().unwrap();
///         let known = ended.entry(revocation.target().key()).or_insert_with(|| revocation.clone());
///         if known.at() < revocation.at() {
///             *known = revocation.clone();
///         }
///         Box::pin(async { Ok(()) })
///     }
/// }
/// ```
pub trait Revocations: fmt::Debug + Send + Sync + 'static {
    /// Looks up one session. Answers [`Lookup::Settled`] when no IO is needed.
    fn look_up(&self, session: &Session) -> Lookup;

    /// Ends the sessions that the revocation's target names. Logout and the webhook call it,
    /// possibly several times at once.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()>;

    /// Returns a future that completes once this session is ended, so that live connections end
    /// with it. `None` if the store cannot notify. Default: `None`.
    ///
    /// It must also complete if the session has ended already, and must not complete for any other
    /// reason. Dropping it must leave nothing behind. It may miss an end, because the layer also
    /// looks live sessions up at an interval
    /// ([`Builder::stream_look_up_interval`](crate::Builder::stream_look_up_interval)).
    fn watch(&self, session: &Session) -> Option<Signal> {
        let _ = session;
        None
    }

    /// Receives the listener for the layer's events. [`Builder::build`](crate::Builder::build)
    /// calls it, for a store that reports events between requests. Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }

    /// Checks whether the store can be reached, read and written, for
    /// [`MagicLinkLayer::check`](crate::MagicLinkLayer::check). It must end no session, and has
    /// the time of a request ([`Builder::revocation_timeout`](crate::Builder::revocation_timeout)).
    /// `now` is the layer's time. Default: no line, so that the report says that it was not
    /// checked.
    fn check(&self, now: Timestamp) -> Checking<'_> {
        let _ = now;
        Box::pin(ready(Vec::new()))
    }
}

/// A look-up's answer, or the wait for it.
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "an answer is there or it is not")]
pub enum Lookup {
    /// The store has to wait. The request waits with it, at most for the layer's
    /// `revocation_timeout`.
    Pending(StoreFuture<'static, Standing>),
    /// Known at once.
    Settled(Result<Standing, StoreError>),
}

impl Lookup {
    /// Answers at once.
    pub const fn settled(standing: Standing) -> Self {
        Self::Settled(Ok(standing))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(_) => f.write_str("Pending"),
            Self::Settled(answer) => f.debug_tuple("Settled").field(answer).finish(),
        }
    }
}

/// Whether a session is still active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a session is active or revoked")]
pub enum Standing {
    /// It was not ended.
    Active,
    /// It was ended early.
    Revoked,
}

/// A revocation to end sessions early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    target: Target,
    at: Timestamp,
    until: Timestamp,
}

impl Revocation {
    /// How far a revocation reaches ahead of its moment, because the clocks of the machines that
    /// share a store differ: 60 seconds. A session whose sign-in is dated up to this later ends
    /// too, unless the revocation was known when the person signed in.
    pub const LEEWAY: Duration = revocable::LEEWAY;

    /// Creates a revocation to end sessions. `at` is the present moment, by the own clock and with
    /// nothing added. The store must remember the revocation until `until`, when the last token
    /// that it ends expires.
    ///
    /// An application calls
    /// [`MagicLinkLayer::end_sessions`](crate::MagicLinkLayer::end_sessions), which knows both
    /// moments.
    #[must_use]
    pub const fn new(target: Target, at: Timestamp, until: Timestamp) -> Self {
        Self { target, at, until }
    }

    /// Says whether the revocation ends a session.
    #[must_use]
    pub fn ends(&self, session: &Session) -> bool {
        let is_in_time = match self.target {
            // The id names one session. Comparing times would only let a clock that is behind spare
            // it.
            Target::Session(_) => true,
            _ => session.revocable_from() <= self.at,
        };
        is_in_time && self.target.names(session)
    }

    /// Returns which sessions end.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Returns when the revocation was given.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns when the revocation may be forgotten: every token that it ends has expired by then.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

#[cfg(test)]
mod tests;
