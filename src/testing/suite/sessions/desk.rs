//! `Desk`: a case's index, at each of its replicas in turn.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    provider::Identity,
    random,
    session::{Session, SessionId, Term, Times},
    sessions::{ListedSession, Seen, Sessions},
    testing::suite::{
        World, after, email,
        report::{Miss, Outcome, same},
    },
};

/// How long a session lives that the cases note, in seconds.
pub(super) const LIFETIME: u64 = 3_600;

pub(super) struct Desk {
    world: World,
    replicas: Vec<Arc<dyn Sessions>>,
    calls: AtomicUsize,
}

impl<S: Sessions> From<(World, Vec<S>)> for Desk {
    fn from((world, replicas): (World, Vec<S>)) -> Self {
        let erased = |sessions: S| -> Arc<dyn Sessions> { Arc::new(sessions) };
        Self {
            world,
            replicas: replicas.into_iter().map(erased).collect(),
            calls: AtomicUsize::new(0),
        }
    }
}

impl Desk {
    /// Returns one replica after the other.
    fn next(&self) -> Outcome<&dyn Sessions> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        // In turn, so that an entry that one replica keeps to itself is missed at the other.
        let replica = self.replicas.iter().cycle().nth(call % 2);
        let replica = replica.ok_or(Miss::Skipped("there is no index"))?;
        Ok(&**replica)
    }

    /// Notes a session, some seconds after noon.
    pub(super) async fn note(&self, session: &ListedSession, second: u64) -> Outcome {
        self.world.set(after(second));
        let noted = self.next()?.note(session, after(second)).await;
        noted.map_err(|error| Miss::failed("a session that is noted", error))
    }

    pub(super) async fn forget(&self, session: &ListedSession) -> Outcome {
        let forgotten = self.next()?.forget(session.subject(), session.id()).await;
        forgotten.map_err(|error| Miss::failed("a session that is forgotten", error))
    }

    /// Makes sure what is listed of a subject some seconds after noon, in any order.
    pub(super) async fn lists(
        &self,
        what: &str,
        subject: &str,
        second: u64,
        want: &[&ListedSession],
    ) -> Outcome {
        self.world.set(after(second));
        let listed = self.next()?.list(subject, after(second)).await;
        let listed = listed.map_err(|error| Miss::failed("a list", error))?;
        let in_order = |mut records: Vec<String>| {
            records.sort();
            records
        };
        // As text, which holds all that an entry says, and with what an entry does not show.
        let text = |listed: &ListedSession| {
            let from = listed.session().revocable_from().as_secs();
            format!("{}, revocable from {from}", listed.to_record())
        };
        let got = in_order(listed.iter().map(text).collect());
        let want = in_order(want.iter().map(|session| text(session)).collect());
        same(&format!("{what}, second {second}"), &got, &want)
    }
}

/// Returns a session of a subject that begins some seconds after noon, at a browser.
pub(super) fn session(subject: &str, second: u64) -> ListedSession {
    let identity = Identity::new(subject, email("ada@example.com"));
    listed(&identity, second, Some("Mozilla/5.0"), Some("192.0.2.1"))
}

pub(super) fn listed(
    identity: &Identity,
    second: u64,
    user_agent: Option<&str>,
    network: Option<&str>,
) -> ListedSession {
    let times = Times {
        issued_at: after(second),
        expires_at: after(second) + Duration::from_secs(LIFETIME),
        auth_time: after(second),
    };
    let id = SessionId::from_bytes(random::bytes());
    let seen = Seen {
        user_agent: user_agent.map(str::to_owned),
        network: network.map(str::to_owned),
    };
    ListedSession::new(Session::new(identity, id, times), seen)
}

/// Returns the same of a person who asked to be remembered.
pub(super) fn remembered(listed: &ListedSession) -> ListedSession {
    let session = listed.session().clone().with_term(Term::Remembered);
    ListedSession::new(session, listed.seen().clone())
}

/// Returns the session of a sign-in some seconds after noon, which comes after a revocation of its
/// person.
pub(super) fn signed_in_again(subject: &str, second: u64, revoked: u64) -> ListedSession {
    let identity = Identity::new(subject, email("ada@example.com"));
    let again = listed(&identity, second, None, None);
    let session = again.session().clone().with_after(after(revoked));
    ListedSession::new(session, Seen::default())
}

/// Returns what a renewal notes of the same session, some seconds after noon.
pub(super) fn renewed(before: &ListedSession, second: u64) -> ListedSession {
    let identity = Identity::new(before.subject(), email("ada@example.com"));
    let times = Times {
        issued_at: after(second),
        expires_at: after(second) + Duration::from_secs(LIFETIME),
        auth_time: before.auth_time(),
    };
    let seen = Seen {
        user_agent: Some("Mozilla/6.0".to_owned()),
        network: Some("2001:db8::/64".to_owned()),
    };
    ListedSession::new(Session::new(&identity, before.id(), times), seen)
}
