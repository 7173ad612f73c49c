//! How sessions end before their time: by a sign-out, or by the application's order.

use std::{future::Future, sync::Arc, time::Duration};

use super::{Shared, apart::apart};
use crate::{
    clock::{Reading, Timestamp},
    email::Email,
    event::{Context, EndedBy, Event},
    provider::Identity,
    revocation::{Lookup, Revocation, Standing, Target},
    session::{Session, Term, handled::handled},
    store::{StoreError, StoreErrorKind},
};

/// How far ahead an order may be dated: later than every event by now, and no further, however
/// often it is repeated. A sign-in after it comes after what is dated by then, and within that time
/// no other order would end it.
const FARTHEST: Duration = Duration::from_secs(61);
const SECOND: Duration = Duration::from_secs(1);
/// The subject of nobody.
const NOBODY: &str = "nobody";

/// Which sessions of a person end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of the subject, and all of the address.
    Everywhere,
    /// This session.
    This,
}

/// Notes that a session has been ended, and returns those of the request whose handler ends its
/// own: a layer inside another one has read the session, and so has the other one.
///
/// It is found by the thread, and not by the session that is given: that may be of another request,
/// whose live connection is to end.
fn leave(session: &Session, extent: Extent) -> Vec<Session> {
    session.leave();
    let is_own = |own: &Session| match extent {
        Extent::Everywhere => own.subject() == session.subject() || own.email() == session.email(),
        Extent::This => own.id() == session.id(),
    };
    let own = handled(is_own);
    own.iter().for_each(Session::leave);
    own
}

/// The requests that run on because of an order, until it has failed.
struct RunningOn {
    shared: Arc<Shared>,
    /// Each counts the order, beside another one that may be under way.
    own: Vec<Session>,
    is_recorded: bool,
}

impl RunningOn {
    fn of(shared: &Arc<Shared>, own: Vec<Session>) -> Self {
        own.iter().for_each(Session::count_order);
        Self {
            shared: shared.clone(),
            own,
            is_recorded: false,
        }
    }

    /// Gives the order, and waits for it. If its caller no longer waits, such as a handler whose
    /// browser has left, the order goes on by itself, and is reported.
    async fn give(
        self,
        order: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) -> Result<(), StoreError> {
        let shut_down = || Err(StoreError::new(StoreErrorKind::Unavailable));
        apart(self.until(order)).await.unwrap_or_else(shut_down)
    }

    /// Waits for the order. Requests that ran on because of it run on if it is recorded.
    async fn until(
        mut self,
        order: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let taken = order.await;
        self.is_recorded = taken.is_ok();
        taken
    }
}

impl Drop for RunningOn {
    fn drop(&mut self) {
        if self.is_recorded {
            return;
        }
        // A store may have ended it here, and have failed to tell the others.
        let has_ended = |own: &Session| {
            // A store that panicked in `revoke` may panic here too, such as by a lock that it
            // poisoned. A second panic while one unwinds aborts the process.
            if std::thread::panicking() {
                return false;
            }
            let look_up = || self.shared.revocations.look_up(own);
            let standing = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look_up));
            // What is not known has not ended: the session guards its answer as before.
            matches!(standing, Ok(Lookup::Settled(Ok(Standing::Revoked))))
        };
        for own in self.own.iter().filter(|own| !has_ended(own)) {
            own.uncount_order();
        }
    }
}

impl Shared {
    /// Ends a session, or all of its person's, for the application. A handler that ends its own
    /// session runs on.
    pub(crate) async fn sign_out(
        self: &Arc<Self>,
        session: &Session,
        extent: Extent,
    ) -> Result<(), StoreError> {
        // Here, and not within the order: the handler's own requests are found by its thread.
        let running_on = RunningOn::of(self, leave(session, extent));
        let (shared, session) = (self.clone(), session.clone());
        let order = async move {
            let (by, now) = (EndedBy::Application, shared.clock.now());
            let taken = shared.revoke(&session, (extent, by), Context::default(), now);
            taken.await
        };
        running_on.give(order).await
    }

    /// Ends a session, or all sessions of its subject and address, and reports it as an event.
    ///
    /// An error means that the store has not recorded all of it.
    pub(crate) async fn revoke(
        &self,
        session: &Session,
        (extent, by): (Extent, EndedBy),
        context: Context<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reading = self.clock.at(now);
        // After every revocation that the session comes after, too, which spares its person's other
        // sessions since.
        let at = reading.date().max(session.revocable_from());
        // Stores forget by dates, and a token may be judged by a time that is behind.
        let behind = reading.most_ahead();
        let own = {
            // The replica that began or renewed it may judge it by a time that is further behind.
            let behind = behind.max(session.skew().ahead().max(session.auth_skew().ahead()));
            // An attempt that has one session yields it until its link ends.
            let last = self.gate.end_of_last_token(session) + self.longest_attempt;
            Revocation::new(Target::Session(session.id()), at, last + behind)
        };
        let taken = if extent == Extent::Everywhere {
            // WorkOS gives one person different subjects for a link and for a code. The proven
            // address is the same.
            let mut targets = vec![
                Target::Subject(session.subject().to_owned()),
                Target::Address(session.email().to_owned()),
            ];
            // Their sessions from before the application granted a subject of its own.
            if session.provider_subject() != session.subject() {
                targets.push(Target::Subject(session.provider_subject().to_owned()));
            }
            // By its id, too: a visit to its link is a sign-in that comes after the others.
            self.end_all(targets, Some(own), at, behind).await
        } else {
            let taken = self.revocations.revoke(&own).await;
            // One that may work on stays on the list.
            if let Some(index) = self.index.as_ref().filter(|_| taken.is_ok()) {
                index.forget(session);
            }
            taken
        };
        let event = Event::SignedOut {
            session,
            by,
            is_everywhere: extent == Extent::Everywhere,
            is_recorded: taken.is_ok(),
        };
        self.listener.tell_in(context, &event);
        taken
    }

    /// Ends all sessions that a target names, for the application, and reports it as an event.
    pub(crate) async fn end_for_application(
        self: &Arc<Self>,
        target: Target,
    ) -> Result<(), StoreError> {
        let targets = spellings_of(&target);
        // The handler that ends its own person's sessions runs on, as one that signs out does. If
        // nothing has ended, its session guards its answer as before.
        let own = handled(|own| {
            targets.iter().any(|target| target.names(own)) && self.gate.tokens.knows(own)
        });
        let running_on = RunningOn::of(self, own);
        let shared = self.clone();
        let order = async move {
            let reading = shared.clock.at(shared.clock.now());
            let at = match somebody_of(&target) {
                Some(somebody) => shared.moment_of_order(reading, &somebody).await,
                // An id compares no moments.
                None => reading.date(),
            };
            let behind = reading.most_ahead();
            let taken = shared.end_all(targets, None, at, behind).await;
            shared.listener.tell(&Event::SessionsEnded {
                kind: target.kind(),
                id: &target.id(),
                is_recorded: taken.is_ok(),
            });
            taken
        };
        running_on.give(order).await
    }

    /// Ends every session that one of the targets names and that has begun by a moment, and one
    /// more.
    async fn end_all(
        &self,
        targets: Vec<Target>,
        own: Option<Revocation>,
        at: Timestamp,
        behind: Duration,
    ) -> Result<(), StoreError> {
        // Another session of theirs may have begun just now.
        let until = at + self.gate.lifetimes.longest() + Revocation::LEEWAY + behind;
        let revocations = targets.into_iter();
        let revocations: Vec<_> = revocations
            .map(|target| Revocation::new(target, at, until))
            .chain(own)
            .collect();
        self.revocations.revoke_all(&revocations).await
    }

    /// Returns the moment of an order for somebody. It is that of now, or later than the latest
    /// known revocation of the same: a sign-in that knows of that one comes after it, and an event
    /// of WorkOS's is dated a minute after it was made.
    async fn moment_of_order(&self, reading: Reading, somebody: &Identity) -> Timestamp {
        // By the date: a later sign-in is dated by the wall clock.
        let date = reading.date();
        let begun = self
            .gate
            .begin_session(somebody, self.nobody, Term::Usual, reading);
        let farthest = date + FARTHEST;
        match self.revocations.latest_known(&begun).await {
            Ok(known) => date.max(farthest.min(known + SECOND)),
            // Whatever it is that the store does not say, this is later.
            Err(_) => farthest,
        }
    }
}

/// Returns a target as it is given, and an address also as a session holds it: without blanks
/// around it, and with its domain in punycode. Only ASCII case makes no difference to a store.
fn spellings_of(target: &Target) -> Vec<Target> {
    let mut spellings = vec![target.clone()];
    if let Target::Address(given) = target
        && let Ok(email) = Email::parse(given)
        && !email.as_str().eq_ignore_ascii_case(given)
    {
        spellings.push(Target::Address(email.as_str().to_owned()));
    }
    spellings
}

/// Returns somebody whom a target names, and no other does. `None` for a session's id.
fn somebody_of(target: &Target) -> Option<Identity> {
    let nobody = Email::parse("nobody@address.invalid").ok()?;
    let somebody = |subject: &str| Identity::new(subject, nobody.clone());
    Some(match target {
        Target::Address(address) => Identity::new(NOBODY, Email::parse(address).ok()?),
        Target::Connection(id) => somebody(NOBODY).with_connection(Some(id.clone())),
        Target::Membership {
            subject,
            organization,
        } => somebody(subject).with_organization(Some(organization.clone())),
        Target::Organization(id) => somebody(NOBODY).with_organization(Some(id.clone())),
        Target::ProviderSession(id) => somebody(NOBODY).with_provider_session(Some(id.clone())),
        Target::Session(_) => return None,
        Target::Subject(subject) => somebody(subject),
    })
}
