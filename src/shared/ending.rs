//! How sessions end before their time: by a sign-out, or by the application's order.

use std::time::Duration;

use super::Shared;
use crate::{
    clock::{Reading, Timestamp},
    event::{Context, EndedBy, Event},
    revocation::{Revocation, Target},
    session::{Session, handled::handled},
    store::StoreError,
};

/// Which sessions of a person end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of the subject, and all of the address.
    Everywhere,
    /// This session.
    This,
}

/// Has the handler's request run on that ends its own session. A layer inside another one has read
/// the session, and so has the other one.
pub(crate) fn leave(session: &Session, extent: Extent) {
    session.leave();
    let is_own = |own: &Session| match extent {
        Extent::Everywhere => own.subject() == session.subject() || own.email() == session.email(),
        Extent::This => own.id() == session.id(),
    };
    handled(is_own).iter().for_each(Session::leave);
}

impl Shared {
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
        let at = last_begun(reading, session.revocable_from());
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
    pub(crate) async fn end_for_application(&self, target: Target) -> Result<(), StoreError> {
        let reading = self.clock.at(self.clock.now());
        let at = last_begun(reading, Timestamp::from_secs(0));
        // The handler that ends its own person's sessions runs on, as one that signs out does. If
        // nothing has ended, its session guards its answer as before.
        let own = handled(|own| target.names(own) && self.gate.tokens.knows(own));
        let run_on = |runs_on| own.iter().for_each(|own| own.run_on(runs_on));
        run_on(true);
        let targets = vec![target.clone()];
        let taken = self.end_all(targets, None, at, reading.most_ahead()).await;
        if taken.is_err() {
            run_on(false);
        }
        self.listener.tell(&Event::SessionsEnded {
            kind: target.kind(),
            id: &target.id(),
            is_recorded: taken.is_ok(),
        });
        taken
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
}

/// Returns up to when sessions have begun that end now, one of this beginning among them.
fn last_begun(reading: Reading, begun: Timestamp) -> Timestamp {
    // By the date: a later sign-in is dated by the wall clock, and must not be ended, too. The
    // replica that began the session may have a clock ahead of ours.
    reading.date().max(begun)
}
