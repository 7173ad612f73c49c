//! Sessions, and revocations that end them.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SigningKey,
    clock::Timestamp,
    companion::SessionIssuer,
    provider::Identity,
    revocation::{Lookup, Revocation, Revocations, Standing, Target},
    testing::{ManualClock, StubProvider},
};

use crate::names::{ADA, ORIGIN};

/// The time in which the tests play: whatever the machine's clock says, this has passed.
pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_767_268_800);

pub(crate) fn after(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

/// Seconds after noon, sixty years on: whatever the machine's clock says, this has not passed.
pub(crate) const FAR: u64 = 60 * 366 * 86_400;

/// Makes sessions.
pub(crate) struct People {
    clock: ManualClock,
    issuer: SessionIssuer,
}

impl People {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at(NOON);
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            clock,
            issuer: layer.issuer(),
        }
    }

    /// Returns a session of a subject that began some seconds after noon.
    pub(crate) fn session(&self, subject: &str, second: u64) -> Session {
        self.session_of(&Identity::new(subject, ADA.parse().unwrap()), second)
    }

    pub(crate) fn session_of(&self, identity: &Identity, second: u64) -> Session {
        self.clock.set(after(second));
        self.issuer.issue(identity).unwrap().session().clone()
    }
}

pub(crate) fn end_of(session: &Session) -> Revocation {
    revocation(Target::Session(session.id()), 20, FAR)
}

/// Returns an order of some second after noon, to be forgotten at another.
pub(crate) fn revocation(target: Target, at: u64, until: u64) -> Revocation {
    Revocation::new(target, after(at), after(until))
}

/// Returns what a store says without waiting; `None` if it cannot tell.
pub(crate) fn standing(store: &dyn Revocations, session: &Session) -> Option<Standing> {
    let Lookup::Settled(answer) = store.look_up(session) else {
        panic!("it is known at once");
    };
    answer.ok()
}
