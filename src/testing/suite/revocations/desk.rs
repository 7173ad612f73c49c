//! `Desk`: a case's store at each of its replicas, and sessions to end there.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::LocalBoxFuture;

use crate::{
    provider::Identity,
    random,
    revocation::{
        Lookup, Revocation, Revocations,
        Standing::{self, Active, Revoked},
        Target,
    },
    session::{Session, SessionId, Times},
    testing::suite::{
        FAR, World, after, email,
        report::{Miss, Outcome, same},
    },
};

/// How long a revocation may take to reach another replica.
const SOON: Duration = Duration::from_secs(10);
const OFTEN: Duration = Duration::from_millis(2);

pub(super) type Open<'m> = dyn Fn(World) -> LocalBoxFuture<'m, Arc<dyn Revocations>> + 'm;

/// Whether several machines share the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    Alone,
    Replicas,
}

/// Opens the user's store.
pub(super) fn opened<'m, S: Revocations>(
    make: &'m impl AsyncFn(World) -> S,
    world: World,
) -> LocalBoxFuture<'m, Arc<dyn Revocations>> {
    Box::pin(async move {
        let store: Arc<dyn Revocations> = Arc::new(make(world).await);
        store
    })
}

pub(super) struct Desk<'m> {
    world: World,
    open: &'m Open<'m>,
    /// Where revocations are given.
    here: Arc<dyn Revocations>,
    there: Option<Arc<dyn Revocations>>,
}

impl<'m> Desk<'m> {
    pub(super) async fn open(open: &'m Open<'m>, sharing: Sharing) -> Self {
        let world = World::new();
        let here = open(world.clone()).await;
        let there = match sharing {
            Sharing::Alone => None,
            Sharing::Replicas => Some(open(world.clone()).await),
        };
        Self {
            world,
            open,
            here,
            there,
        }
    }

    /// Returns the store at each replica that runs already.
    pub(super) fn replicas(&self) -> impl Iterator<Item = &Arc<dyn Revocations>> {
        [&self.here].into_iter().chain(&self.there)
    }

    /// Gives a revocation, at its moment.
    pub(super) async fn end(&self, revocation: Revocation) -> Outcome {
        // Revocations of another machine may be older than what the clock says.
        if revocation.at() > self.world.now() {
            self.world.set(revocation.at());
        }
        let taken = self.here.revoke(&revocation).await;
        taken.map_err(|error| Miss::failed("a revocation that is taken", error))
    }

    /// Gives revocations at once.
    pub(super) async fn end_together(&self, revocations: &[Revocation]) -> Outcome {
        let taken = revocations
            .iter()
            .map(|revocation| self.here.revoke(revocation));
        let taken = futures_util::future::join_all(taken).await;
        let taken: Result<Vec<()>, _> = taken.into_iter().collect();
        taken
            .map(drop)
            .map_err(|error| Miss::failed("revocations that are taken", error))
    }

    /// Checks that sessions are active or revoked as they should be: at the replica that recorded
    /// the revocations, at another, and at one that starts now.
    pub(super) async fn all_say(&self, cases: &[(&str, &Session, Standing)]) -> Outcome {
        for (name, session, want) in cases {
            same(name, &standing(&*self.here, session).await?, want)?;
        }
        let Some(there) = &self.there else {
            return Ok(());
        };
        // A session that is active after this revocation has arrived was not ended.
        let last = session("the last", 0);
        self.end(end_of(&last)).await?;
        say("the last revocation", &**there, &last, Revoked).await?;
        let late = (self.open)(self.world.clone()).await;
        for (replica, store) in [("at another replica", there), ("at one that is new", &late)] {
            for (name, session, want) in cases {
                say(&format!("{name}, {replica}"), &**store, session, *want).await?;
            }
        }
        Ok(())
    }
}

/// Checks that a session is active or revoked as it should be, at a replica that a revocation may
/// not have reached yet.
async fn say(name: &str, store: &dyn Revocations, session: &Session, want: Standing) -> Outcome {
    let heard = async {
        // Only an end is waited for: "active" is right at once, or wrong.
        while want == Revoked && standing(store, session).await? == Active {
            tokio::time::sleep(OFTEN).await;
        }
        Ok(())
    };
    if let Ok(outcome) = tokio::time::timeout(SOON, heard).await {
        outcome?;
    }
    same(name, &standing(store, session).await?, &want)
}

/// Looks a session up.
pub(super) async fn standing(store: &dyn Revocations, session: &Session) -> Outcome<Standing> {
    let standing = match store.look_up(session) {
        Lookup::Pending(answer) => answer.await,
        Lookup::Settled(answer) => answer,
    };
    standing.map_err(|error| Miss::failed("a store that can tell", error))
}

/// Waits for the effect of a revocation that another replica may have recorded.
pub(super) async fn soon(what: &str, signal: impl Future<Output = ()>) -> Outcome {
    let heard = tokio::time::timeout(SOON, signal).await;
    heard.map_err(|_| Miss::failed(what, "nothing in ten seconds"))
}

/// Returns a session of a subject that began some seconds after noon.
pub(super) fn session(subject: &str, second: u64) -> Session {
    session_of(&Identity::new(subject, email("ada@example.com")), second)
}

pub(super) fn session_of(identity: &Identity, second: u64) -> Session {
    let began = after(second);
    let times = Times {
        issued_at: began,
        expires_at: after(FAR),
        auth_time: began,
    };
    Session::new(identity, SessionId::from_bytes(random::bytes()), times)
}

pub(super) fn end_of(session: &Session) -> Revocation {
    revocation(Target::Session(session.id()), 20, FAR)
}

/// Returns a revocation, with its moment and its end in seconds after noon.
pub(super) fn revocation(target: Target, at: u64, until: u64) -> Revocation {
    Revocation::new(target, after(at), after(until))
}
