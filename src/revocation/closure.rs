//! A closure as a revocation store: `revocations(|session: Session| async move { .. })`.

use std::{
    error::Error,
    fmt,
    future::{Future, ready},
};

use super::{Lookup, MemoryRevocations, Revocation, Revocations, Standing};
use crate::store::{StoreError, StoreFuture};
use crate::{
    check::{Checking, Line},
    clock::{Signal, Timestamp},
    session::Session,
};

/// What `Builder::revocations` takes: a [`Revocations`], or a closure that looks a session up.
///
/// `Kind` tells the two apart and is inferred.
pub trait IntoRevocations<Kind> {
    /// The store that this becomes.
    type Store: Revocations;

    /// Converts this into a store.
    fn into_revocations(self) -> Self::Store;
}

/// Marks a value that is a store already.
#[derive(Debug)]
#[non_exhaustive]
pub struct ByStore;

/// Marks a closure.
#[derive(Debug)]
#[non_exhaustive]
pub struct ByClosure;

impl<R: Revocations> IntoRevocations<ByStore> for R {
    type Store = R;

    fn into_revocations(self) -> R {
        self
    }
}

impl<F, Fut> IntoRevocations<ByClosure> for F
where
    F: Fn(Session) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoStanding,
{
    type Store = FnRevocations<F>;

    fn into_revocations(self) -> FnRevocations<F> {
        FnRevocations {
            look_up: self,
            ended_here: MemoryRevocations::default(),
        }
    }
}

/// What a closure may answer: a [`Standing`], or a `Result` of one.
pub trait IntoStanding {
    /// Converts this into the look-up's answer.
    ///
    /// # Errors
    ///
    /// When the closure failed.
    fn into_standing(self) -> Result<Standing, StoreError>;
}

impl IntoStanding for Standing {
    fn into_standing(self) -> Result<Standing, StoreError> {
        Ok(self)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoStanding for Result<Standing, E> {
    fn into_standing(self) -> Result<Standing, StoreError> {
        self.map_err(StoreError::unavailable)
    }
}

/// A closure that looks sessions up, with a memory of the sessions revoked in this process.
///
/// A closure can look a session up but cannot record a revocation. The sign-outs of this process,
/// and the revocations of webhooks that it received, are therefore remembered beside the closure
/// and nowhere else. The application learns of sign-outs through `Builder::on_event`. To learn of
/// webhooks' revocations, implement [`Revocations`], whose `revoke` the layer calls.
pub struct FnRevocations<F> {
    look_up: F,
    ended_here: MemoryRevocations,
}

impl<F, Fut> Revocations for FnRevocations<F>
where
    F: Fn(Session) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoStanding,
{
    fn look_up(&self, session: &Session) -> Lookup {
        // First, so that a sign-out holds here even if the closure's own source has not caught up.
        if let Lookup::Settled(Ok(Standing::Revoked)) = self.ended_here.look_up(session) {
            return Lookup::settled(Standing::Revoked);
        }
        let answer = (self.look_up)(session.clone());
        Lookup::Pending(Box::pin(async move { answer.await.into_standing() }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.ended_here.revoke(revocation)
    }

    /// Signals revocations of this process only; the closure knows others when it is next called.
    fn watch(&self, session: &Session) -> Option<Signal> {
        self.ended_here.watch(session)
    }

    fn check(&self, _now: Timestamp) -> Checking<'_> {
        let why = "it is asked about sessions alone";
        Box::pin(ready(vec![Line::not_checked("a closure", why)]))
    }
}

impl<F> fmt::Debug for FnRevocations<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnRevocations")
            .field("ended_here", &self.ended_here)
            .finish_non_exhaustive()
    }
}
