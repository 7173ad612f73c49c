//! What every [`Revocations`] does.
//!
//! [`run`] is for a store of one process, [`run_shared`] for one that several machines share. The
//! latter opens each case's store three times: at the replica that records the revocations, at
//! another, and at one that starts afterwards.
//!
//! | obligation of the port | cases |
//! | --- | --- |
//! | a revocation ends the sessions that its target names | `a session that nobody has ended is active`, `one session that is ended is found, and no other`, `a revocation for an address ends its sessions, whatever their case`, `a revocation for a connection ends its sessions`, `a revocation for an organization ends its sessions`, `a revocation for a provider session ends its sessions`, `a revocation for a subject ends its sessions`, `a revocation for a membership ends no session of another organization`, `two ids that are one text together are not one membership`, `a revocation ends a session by what the application granted or the provider proved`, `a revocation for any target of a session ends it` |
//! | a revocation ends sessions that are revocable from its moment or before: up to a minute ahead, but none that comes after it; a single session whenever it began | `a revocation ends the sessions that began up to its second`, `a sign-in that comes after a revocation is spared by it and by no later one`, `a revocation for one session ends it whatever the clocks say` |
//! | it must not forget an entry before `Revocation::until` | `an entry is kept until its end`, `a session that is ended twice stays ended`, `a shorter revocation for a session does not shorten a longer one`, `a shorter revocation for a subject does not shorten a longer one`, `an earlier revocation does not let later sessions live again` |
//! | it may forget an entry once `Revocation::until` has passed | `a revocation that has passed already is taken and ends no other session` |
//! | `revoke` is called several times at once | `a thousand revocations that come together all hold`, `one revocation that is given many times at once holds` |
//! | `watch` completes once the session is ended | `a watch completes once its session is ended`, `a watch completes once the sessions of its subject are ended` |
//! | `watch` completes if the session has been ended already | `a watch of a session that has ended already completes` |
//! | `watch` completes for no other reason | `a watch completes for no other end` |
//! | dropping a watch leaves nothing behind | `a watch that is dropped leaves nothing behind` |
//! | a shared store should keep entries a minute longer ([`run_shared`] alone) | `an entry is kept for a minute after its end` |
//!
//! A store that answers `None` to `watch` skips the cases of watches. The suite does not check that
//! a look-up without IO settles at once, nor what the store reports through `tell_to`.
//!
//! ```
//! use std::{collections::HashMap, sync::RwLock};
//! use tower_magic_link::{
//!     Session, revocation::{Lookup, Revocation, Revocations, Standing, Target},
//!     store::StoreFuture, testing::suite,
//! };
//!
//! /// The store of the port's page.
//! #[derive(Debug, Default)]
//! struct Ended(RwLock<HashMap<String, Revocation>>);
//!
//! impl Revocations for Ended {
//!     fn look_up(&self, session: &Session) -> Lookup {
//!         let ended = self.0.read().unwrap();
//!         let is_ended = Target::all_of(session)
//!             .filter_map(|target| ended.get(&target.key()))
//!             .any(|revocation| revocation.ends(session));
//!         Lookup::settled(if is_ended { Standing::Revoked } else { Standing::Active })
//!     }
//!
//!     fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
//!         let mut ended = self.0.write().unwrap();
//!         let known = ended.entry(revocation.target().key()).or_insert_with(|| revocation.clone());
//!         if known.at() < revocation.at() {
//!             *known = revocation.clone();
//!         }
//!         Box::pin(async { Ok(()) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let report = suite::revocations::run(async |_world| Ended::default()).await;
//! report.assert();
//! assert_eq!(report.skipped().count(), 5, "it has no watch");
//! # }
//! ```

use super::{World, report::Report};
use crate::revocation::Revocations;

mod desk;
mod kept;
mod live;
mod named;

use self::desk::{Desk, Open, Sharing, opened};

/// Runs the suite for a store of one process. `make` makes an empty store for each case.
///
/// [`IntoRevocations`](crate::revocation::IntoRevocations) turns a closure that looks sessions up
/// into a store.
pub async fn run<S: Revocations>(make: impl AsyncFn(World) -> S) -> Report {
    let open: &Open<'_> = &|world| opened(&make, world);
    all(open, Sharing::Alone).await.report
}

/// Runs the suite for a store that several machines share. `make` opens the same store for the
/// same [`World::name`], as another replica would, and an empty one for another name.
///
/// A revocation has to reach each replica within ten seconds.
pub async fn run_shared<S: Revocations>(make: impl AsyncFn(World) -> S) -> Report {
    let open: &Open<'_> = &|world| opened(&make, world);
    let mut suite = all(open, Sharing::Replicas).await;
    suite
        .case(
            "an entry is kept for a minute after its end",
            kept::a_minute_longer,
        )
        .await;
    suite.report
}

struct Suite<'m> {
    open: &'m Open<'m>,
    sharing: Sharing,
    report: Report,
}

impl<'m> Suite<'m> {
    async fn case(
        &mut self,
        name: &'static str,
        check: impl AsyncFnOnce(Desk<'m>) -> super::report::Outcome,
    ) {
        let (open, sharing) = (self.open, self.sharing);
        let check = async { check(Desk::open(open, sharing).await).await };
        self.report.case(name, check).await;
    }
}

async fn all<'m>(open: &'m Open<'m>, sharing: Sharing) -> Suite<'m> {
    let mut suite = Suite {
        open,
        sharing,
        report: Report::of("revocations"),
    };
    let name = "a session that nobody has ended is active";
    suite.case(name, named::nobody_ended).await;
    let name = "one session that is ended is found, and no other";
    suite.case(name, named::one_session).await;
    let name = "a revocation for one session ends it whatever the clocks say";
    suite
        .case(name, named::one_session_whatever_the_clocks)
        .await;
    let name = "a revocation ends the sessions that began up to its second";
    suite.case(name, named::up_to_its_second).await;
    let name = "a sign-in that comes after a revocation is spared by it and by no later one";
    suite.case(name, named::what_comes_after).await;
    let name = "a revocation for an address ends its sessions, whatever their case";
    suite.case(name, named::an_address).await;
    let name = "a revocation for a connection ends its sessions";
    suite.case(name, named::a_connection).await;
    let name = "a revocation for an organization ends its sessions";
    suite.case(name, named::an_organization).await;
    let name = "a revocation for a provider session ends its sessions";
    suite.case(name, named::a_provider_session).await;
    let name = "a revocation for a subject ends its sessions";
    suite.case(name, named::a_subject).await;
    let name = "a revocation for a membership ends no session of another organization";
    suite.case(name, named::a_membership).await;
    let name = "two ids that are one text together are not one membership";
    suite.case(name, named::one_text_together).await;
    let name = "a revocation ends a session by what the application granted or the provider proved";
    suite.case(name, named::a_granted_session).await;
    let name = "a revocation for any target of a session ends it";
    suite.case(name, named::any_target).await;

    let name = "an entry is kept until its end";
    suite.case(name, kept::until_its_end).await;
    let name = "a session that is ended twice stays ended";
    suite.case(name, kept::ended_twice).await;
    let name = "a shorter revocation for a session does not shorten a longer one";
    suite.case(name, kept::shorter_for_a_session).await;
    let name = "a shorter revocation for a subject does not shorten a longer one";
    suite.case(name, kept::shorter_for_a_subject).await;
    let name = "an earlier revocation does not let later sessions live again";
    suite.case(name, kept::an_earlier_revocation).await;
    let name = "a revocation that has passed already is taken and ends no other session";
    suite.case(name, kept::passed_already).await;
    let name = "a thousand revocations that come together all hold";
    suite.case(name, kept::a_thousand).await;
    let name = "one revocation that is given many times at once holds";
    suite.case(name, kept::many_times_at_once).await;

    let name = "a watch completes once its session is ended";
    suite.case(name, live::its_session).await;
    let name = "a watch completes once the sessions of its subject are ended";
    suite.case(name, live::in_common).await;
    let name = "a watch of a session that has ended already completes";
    suite.case(name, live::already_ended).await;
    let name = "a watch completes for no other end";
    suite.case(name, live::no_other).await;
    let name = "a watch that is dropped leaves nothing behind";
    suite.case(name, live::dropped).await;
    suite
}
