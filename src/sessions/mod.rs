//! An index of the live sessions, for an account page that lists a person's devices.
//!
//! - It is a convenience, and off by default: no request is admitted or refused by it. If it is
//!   away, people still sign in and out, and the list fails.
//! - It is written when a session begins, is renewed, or signs out, and never waited for. A request
//!   that is merely admitted does not touch it.
//! - An entry leaves with the end of its session. A session that was ended early is not listed: the
//!   layer asks the revocation store about each.
//!
//! [`Builder::session_index`](crate::Builder::session_index) sets one, and
//! [`MagicLinkLayer::sessions_of`](crate::MagicLinkLayer::sessions_of) reads it. The `devices`
//! example is a whole account page.

use std::{fmt, future::ready};

use crate::{check::Checking, clock::Timestamp, session::SessionId, store::StoreFuture};

mod entry;
mod index;
mod memory;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use self::redis::RedisSessions;
pub use self::{entry::ListedSession, memory::MemorySessions};
pub(crate) use self::{entry::Seen, index::Index};

/// How many sessions of one subject an index keeps. Of more, those that end first leave.
const MOST_OF_A_SUBJECT: usize = 100;

/// An index of live sessions, by their subject.
///
/// An implementation may forget an entry at any time; that session is then missing from the list
/// and works on. It should forget an entry once [`ListedSession::expires_at`] has passed, and bound
/// how many it keeps. Entries are personal data: an address, a user agent and a network. The layer
/// waits for an answer for two seconds. It polls `note` and `forget` within a request, so they must
/// not block; a panic counts as an outage.
///
/// The suite in `testing::suite::sessions` (feature `test-util`) checks an implementation.
///
/// ```
/// use std::sync::Mutex;
/// use tower_magic_link::{
///     SessionId, clock::Timestamp, sessions::{ListedSession, Sessions}, store::StoreFuture,
/// };
///
/// /// Keeps records as text, as a table of a database would.
/// #[derive(Debug, Default)]
/// struct Table(Mutex<Vec<String>>);
///
/// impl Sessions for Table {
///     fn note<'a>(&'a self, session: &'a ListedSession, _now: Timestamp) -> StoreFuture<'a, ()> {
///         let mut rows = self.0.lock().unwrap();
///         rows.retain(|row| ListedSession::from_record(row).is_some_and(|row| row.id() != session.id()));
///         rows.push(session.to_record());
///         Box::pin(async { Ok(()) })
///     }
///
///     fn forget<'a>(&'a self, _subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
///         let mut rows = self.0.lock().unwrap();
///         rows.retain(|row| ListedSession::from_record(row).is_some_and(|row| row.id() != id));
///         Box::pin(async { Ok(()) })
///     }
///
///     fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
///         let rows = self.0.lock().unwrap();
///         let listed = rows.iter().filter_map(|row| ListedSession::from_record(row));
///         let listed = listed.filter(|row| row.subject() == subject && row.expires_at() > now);
///         let listed: Vec<_> = listed.collect();
///         Box::pin(async { Ok(listed) })
///     }
/// }
/// ```
pub trait Sessions: fmt::Debug + Send + Sync + 'static {
    /// Notes a session that has begun or was renewed. It replaces an earlier entry of the same id.
    /// `now` is a date by the wall clock, as all dates of a session are.
    fn note<'a>(&'a self, session: &'a ListedSession, now: Timestamp) -> StoreFuture<'a, ()>;

    /// Forgets a session, which was signed out or is known to have ended.
    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()>;

    /// Returns the sessions of a subject that have not ended by now, in any order.
    fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>>;

    /// Checks whether the index can be read and written, for
    /// [`MagicLinkLayer::check`](crate::MagicLinkLayer::check). It must change no entry, and has
    /// two seconds. `now` is the layer's time. Default: no line, so that the report says that it
    /// was not checked.
    fn check(&self, now: Timestamp) -> Checking<'_> {
        let _ = now;
        Box::pin(ready(Vec::new()))
    }
}
