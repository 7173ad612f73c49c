//! What every [`Sessions`] does.
//!
//! [`run`] is for an index of one process, [`run_shared`] for one that several machines share:
//! there the calls of each case alternate between two replicas.
//!
//! | obligation of the port | cases |
//! | --- | --- |
//! | a session that is noted is listed for its subject alone | `a session that is noted is listed`, `of a subject that is not known nothing is listed`, `all sessions of a subject are listed, and no other's`, `subjects that look alike are not one subject` |
//! | an entry says what was noted | `an entry keeps all that was noted`, `an entry keeps the revocation that its sign-in comes after`, `an entry keeps text in every script` |
//! | a note replaces an earlier entry of the same id | `a renewal replaces the entry of its session` |
//! | a session that is forgotten leaves the list | `a session that is forgotten leaves the list, and no other`, `a session that is not known can be forgotten`, `a session that is noted again is listed again` |
//! | a session that has ended by `now` is not listed | `a session is listed until the second in which it ends` |
//! | calls may come at once | `of fifty sessions that come together all are listed` |
//! | an answer takes two seconds at most | `an answer comes within two seconds` |
//!
//! The port lets an implementation forget an entry at any time. The suite asks that it does not
//! within a case, of at most 50 sessions. It does not check that the index is bounded, nor that it
//! drops what has ended.
//!
//! ```
//! use std::sync::Mutex;
//! use tower_magic_link::{
//!     SessionId, clock::Timestamp, sessions::{ListedSession, Sessions}, store::StoreFuture,
//!     testing::suite,
//! };
//!
//! /// The index of the port's page.
//! #[derive(Debug, Default)]
//! struct Table(Mutex<Vec<String>>);
//!
//! impl Sessions for Table {
//!     fn note<'a>(&'a self, session: &'a ListedSession, _now: Timestamp) -> StoreFuture<'a, ()> {
//!         let mut rows = self.0.lock().unwrap();
//!         rows.retain(|row| ListedSession::from_record(row).is_some_and(|row| row.id() != session.id()));
//!         rows.push(session.to_record());
//!         Box::pin(async { Ok(()) })
//!     }
//!
//!     fn forget<'a>(&'a self, _subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
//!         let mut rows = self.0.lock().unwrap();
//!         rows.retain(|row| ListedSession::from_record(row).is_some_and(|row| row.id() != id));
//!         Box::pin(async { Ok(()) })
//!     }
//!
//!     fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
//!         let rows = self.0.lock().unwrap();
//!         let listed = rows.iter().filter_map(|row| ListedSession::from_record(row));
//!         let listed = listed.filter(|row| row.subject() == subject && row.expires_at() > now);
//!         let listed: Vec<_> = listed.collect();
//!         Box::pin(async { Ok(listed) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! suite::sessions::run(async |_world| Table::default()).await.assert();
//! # }
//! ```

use super::{Report, Suite, World};
use crate::sessions::Sessions;

mod desk;
mod listed;

/// Runs the suite for an index of one process. `make` makes an empty one for each case.
pub async fn run<S: Sessions>(make: impl AsyncFn(World) -> S) -> Report {
    let make = async |world: World| vec![make(world).await];
    let mut suite = Suite::of("sessions", make);
    all(&mut suite).await;
    suite.report
}

/// Runs the suite for an index that several machines share. `make` opens the same index for the
/// same [`World::name`], as another replica would, and an empty one for another name.
pub async fn run_shared<S: Sessions>(make: impl AsyncFn(World) -> S) -> Report {
    let make = async |world: World| vec![make(world.clone()).await, make(world).await];
    let mut suite = Suite::of("sessions", make);
    all(&mut suite).await;
    suite.report
}

async fn all<S: Sessions>(suite: &mut Suite<impl AsyncFn(World) -> Vec<S>>) {
    let name = "a session that is noted is listed";
    suite.case(name, listed::noted).await;
    let name = "of a subject that is not known nothing is listed";
    suite.case(name, listed::not_known).await;
    let name = "all sessions of a subject are listed, and no other's";
    suite.case(name, listed::all_of_a_subject).await;
    let name = "subjects that look alike are not one subject";
    suite.case(name, listed::alike).await;
    let name = "an entry keeps all that was noted";
    suite.case(name, listed::all_that_was_noted).await;
    let name = "an entry keeps the revocation that its sign-in comes after";
    suite.case(name, listed::after_a_revocation).await;
    let name = "an entry keeps text in every script";
    suite.case(name, listed::every_script).await;
    let name = "a renewal replaces the entry of its session";
    suite.case(name, listed::renewed_entry).await;
    let name = "a session that is forgotten leaves the list, and no other";
    suite.case(name, listed::forgotten).await;
    let name = "a session that is not known can be forgotten";
    suite.case(name, listed::unknown_is_forgotten).await;
    let name = "a session that is noted again is listed again";
    suite.case(name, listed::noted_again).await;
    let name = "a session is listed until the second in which it ends";
    suite.case(name, listed::until_its_end).await;
    let name = "of fifty sessions that come together all are listed";
    suite.case(name, listed::together).await;
    let name = "an answer comes within two seconds";
    suite.case(name, listed::within_two_seconds).await;
}
