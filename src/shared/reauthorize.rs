//! The application's word on a session that goes on: asked when its token is renewed.
//!
//! - Only a request whose renewal is due waits for it. Every other pays nothing.
//! - A hook that fails or panics has not said no: the session is renewed with what was granted
//!   before, and an event says so. Otherwise an outage of the application's database would sign
//!   everybody out, and a panic would meet each further request of the person.
//! - What it grants counts for the request at hand, too. What it ends is ended in the store.
//! - The store is asked once more after it, about the session as it is granted: what is revoked
//!   meanwhile, or has been under a new name, is not admitted.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Extent, Shared};
use crate::{
    clock::Timestamp,
    event::{Context, EndedBy, Event},
    gate::Admission,
    revocation::Standing,
    session::{Grant, Session, cookie::CookieName},
    store::StoreError,
};

/// How long the application may take, while a request waits.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A session as the application has it, and what the store says of that one.
pub(crate) type Word = (Admission, Result<Standing, StoreError>);

/// What the application says of a session that goes on.
pub(crate) enum Again {
    End,
    Grant(Grant),
    Keep,
}

/// The hook as the layer stores it.
pub(crate) trait Reauthorize: Send + Sync {
    fn ask(&self, session: Session) -> BoxFuture<'static, Result<Again, ()>>;
}

/// The hook, of which a log shows nothing.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<dyn Reauthorize>);

impl Hook {
    /// Asks the application, for up to two seconds.
    async fn ask(&self, session: &Session) -> Result<Again, ()> {
        // The hook is called in here, so that a panic before its future is caught, too. A panic can
        // leave only the hook's own state half done: it borrows nothing of ours.
        let asking = async { self.0.ask(session.clone()).await };
        let asking = AssertUnwindSafe(asking).catch_unwind();
        let failure = match tokio::time::timeout(TIMEOUT, asking).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(_)) => "panicked",
            Err(_) => "took too long",
        };
        tracing::error!(target: "tower_magic_link", "reauthorize hook {failure}");
        Err(())
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

impl Shared {
    /// Asks the application about a live session whose renewal is due. `None` if nobody is to be
    /// asked. Otherwise the admission comes back as the application has it, with what the store
    /// says of it then.
    pub(crate) fn reauthorize(
        self: &Arc<Self>,
        admission: &Admission,
        standing: &Result<Standing, StoreError>,
        now: Timestamp,
    ) -> Option<BoxFuture<'static, Word>> {
        let hook = self.reauthorize.as_ref()?;
        let renewed = admission.renewed.clone()?;
        // Whoever an outage admits, too: what an outage means is judged where every outage is.
        if !self.revocations.admits(standing) {
            return None;
        }
        let session = admission.session.clone();
        let (hook, shared) = (hook.clone(), self.clone());
        Some(Box::pin(async move {
            let answer = hook.ask(&session).await;
            let answer = answer.and_then(|again| shared.apply(again, &session, &renewed));
            let unchanged = || Admission {
                session: session.clone(),
                renewed: Some(renewed.clone()),
            };
            let admission = match answer {
                Ok(Some(admission)) => admission,
                Ok(None) => {
                    // If the store fails, an event reports it. A page removes the cookie.
                    let _ = shared
                        .revoke(
                            &session,
                            (Extent::This, EndedBy::Application),
                            Context::default(),
                            now,
                        )
                        .await;
                    return (unchanged(), Ok(Standing::Revoked));
                }
                Err(()) => {
                    let failed = Event::ReauthorizeFailed { session: &session };
                    shared.listener.tell(&failed);
                    unchanged()
                }
            };
            // Once more: the session may have ended meanwhile, or by a name that it has only now.
            let standing = shared.revocations.standing(&admission.session).await;
            (admission, standing)
        }))
    }

    /// Returns the admission as the application has it, or `None` if it ends the session.
    fn apply(
        &self,
        again: Again,
        session: &Session,
        renewed: &Session,
    ) -> Result<Option<Admission>, ()> {
        let grant = match again {
            Again::End => return Ok(None),
            Again::Grant(grant) => grant,
            Again::Keep => Grant::new(),
        };
        // Revocations name a session by its subject, which therefore stays.
        if grant
            .own_subject()
            .is_some_and(|own| own != session.subject())
        {
            tracing::error!(target: "tower_magic_link", "reauthorize hook granted another subject");
            return Err(());
        }
        let renewed = renewed.granted(&grant);
        let token = self.gate.tokens.mint(&renewed).ok_or(())?;
        if !self.gate.cookies.fits(CookieName::Session, &token) {
            tracing::error!(target: "tower_magic_link", "reauthorize hook granted more than a cookie holds");
            return Err(());
        }
        Ok(Some(Admission {
            session: session.granted(&grant),
            renewed: Some(renewed),
        }))
    }
}
