//! The latest revocation that a sign-in comes after.
//!
//! - It is found by look-ups alone, so that it works with every store: memory, Redis, a closure, an
//!   application's own. A new session that no revocation ends, which is nearly every one, costs
//!   one.
//! - Otherwise the moment is found by halving, to the second. A later one would spare the session
//!   from the next revocation, which a machine whose clock is behind may give.
//! - If the store fails, or has to wait where nobody may, a session ends by each revocation that is
//!   not of an earlier second than its sign-in. That is exact if the machines' clocks agree.

use std::time::Duration;

use super::{BoundedRevocations, Lookup, Standing};
use crate::{
    clock::Timestamp,
    session::{Session, revocable::LATEST_AFTER},
    store::StoreError,
};

/// The moment that a sign-in comes after if there is no revocation.
const NEVER: Timestamp = Timestamp::from_secs(0);

/// Looks for the latest revocation that ends a new session.
struct Search<'s> {
    session: &'s Session,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Is there any?
    Begun,
    /// Does one within the horizon end it, or does the store end all of the person's sessions?
    Ended,
    /// A session that comes after the first second ends, and one that comes after the other lives.
    Between(u64, u64),
    Found(Timestamp),
}

impl Search<'_> {
    const fn of(session: &Session) -> Search<'_> {
        let state = State::Begun;
        Search { session, state }
    }

    /// Returns the session to be looked up next, or what was found.
    fn next(&self) -> Result<Session, Timestamp> {
        let after = match self.state {
            State::Begun => NEVER,
            State::Ended => self.session.auth_time() + LATEST_AFTER,
            State::Between(ended, lives) => Timestamp::from_secs(ended.midpoint(lives)),
            State::Found(moment) => return Err(moment),
        };
        Ok(self.session.clone().with_after(after))
    }

    /// Notes the answer for that session.
    fn note(&mut self, standing: Standing) {
        let horizon = (self.session.auth_time() + LATEST_AFTER).as_secs();
        // To come after an earlier moment changes nothing.
        let first = self.session.revocable_from().as_secs().saturating_sub(1);
        self.state = match (self.state, standing) {
            (State::Begun, Standing::Active) => State::Found(NEVER),
            (State::Begun, Standing::Revoked) => State::Ended,
            (State::Ended, Standing::Active) => between(first, horizon),
            // Whatever the session came after, it would end.
            (State::Ended, Standing::Revoked) => State::Found(NEVER),
            (State::Between(ended, lives), Standing::Active) => {
                between(ended, ended.midpoint(lives))
            }
            (State::Between(ended, lives), Standing::Revoked) => {
                between(ended.midpoint(lives), lives)
            }
            (found @ State::Found(_), _) => found,
        };
    }
}

const fn between(ended: u64, lives: u64) -> State {
    if lives.saturating_sub(ended) <= 1 {
        State::Found(Timestamp::from_secs(lives))
    } else {
        State::Between(ended, lives)
    }
}

impl BoundedRevocations {
    /// Returns the moment of the latest revocation that would end a new session, or 1970. The
    /// session must not come after one already.
    pub(crate) async fn latest_before(&self, session: &Session) -> Timestamp {
        let known = self.latest_known(session).await;
        known.unwrap_or_else(|_| unknown(session))
    }

    /// Does the same, unless the store does not say.
    pub(crate) async fn latest_known(&self, session: &Session) -> Result<Timestamp, StoreError> {
        let mut search = Search::of(session);
        loop {
            let candidate = match search.next() {
                Ok(candidate) => candidate,
                Err(moment) => return Ok(moment),
            };
            let standing = match self.look_up(&candidate) {
                Lookup::Pending(answer) => self.waiting(answer).await,
                Lookup::Settled(standing) => standing,
            };
            search.note(standing?);
        }
    }

    /// Does the same where nobody can wait. A store that has to is not heard.
    pub(crate) fn latest_before_at_once(&self, session: &Session) -> Timestamp {
        let mut search = Search::of(session);
        loop {
            let candidate = match search.next() {
                Ok(candidate) => candidate,
                Err(moment) => return moment,
            };
            match self.look_up(&candidate) {
                Lookup::Settled(Ok(standing)) => search.note(standing),
                Lookup::Pending(_) | Lookup::Settled(Err(_)) => return unknown(session),
            }
        }
    }
}

/// Returns the moment that a sign-in comes after if the store does not say.
fn unknown(session: &Session) -> Timestamp {
    session.auth_time() - Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Listener,
        provider::Identity,
        revocation::{MemoryRevocations, OnOutage, Revocation, Target},
        session::{SessionId, Times},
    };

    const NOON: u64 = 1_767_268_800;

    fn session() -> Session {
        let noon = Timestamp::from_secs(NOON);
        let times = Times {
            issued_at: noon,
            expires_at: noon + Duration::from_secs(3_600),
            auth_time: noon,
        };
        let identity = Identity::new("prof_ada", "ada@example.com".parse().unwrap());
        Session::new(&identity, SessionId::from_bytes([7; 16]), times)
    }

    #[test]
    fn the_latest_revocation_is_found_to_the_second() {
        let store = MemoryRevocations::default();
        let timeout = Duration::from_secs(2);
        let listener = Listener::default();
        let bounded = |store: MemoryRevocations| {
            BoundedRevocations::new(Box::new(store), timeout, OnOutage::Refuse, listener.clone())
        };
        let revocations = bounded(store.clone());
        assert_eq!(revocations.latest_before_at_once(&session()), NEVER);
        let mut known = NEVER;
        for second in NOON - 100..NOON + 250 {
            let at = Timestamp::from_secs(second);
            let target = Target::Subject("prof_ada".to_owned());
            store.record(&Revocation::new(target, at, Timestamp::from_secs(u64::MAX)));
            let found = revocations.latest_before_at_once(&session());
            let reaches = (NOON - 60..=NOON + 240).contains(&second);
            assert_eq!(found, if reaches { at } else { NEVER }, "{second}");
            if reaches {
                let next = session().with_after(found);
                assert_eq!(store.standing(&next), Standing::Active, "{second}");
                let earlier = session().with_after(known);
                assert_eq!(store.standing(&earlier), Standing::Revoked, "{second}");
                known = found;
            }
        }
        // A store that ends all of the person's sessions is asked twice, and not ten times.
        let store = MemoryRevocations::default();
        let target = Target::Session(session().id());
        store.record(&Revocation::new(
            target,
            NEVER,
            Timestamp::from_secs(u64::MAX),
        ));
        assert_eq!(bounded(store).latest_before_at_once(&session()), NEVER);
    }
}
