//! `MemorySessions`: the index in this process.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{ListedSession, MOST_OF_A_SUBJECT, Sessions};
use crate::{
    check::{self, Checking},
    clock::Timestamp,
    session::SessionId,
    store::StoreFuture,
};

const MOST: usize = 100_000;

/// Lists the sessions that began or were renewed in this process. Clones share the list.
///
/// It knows nothing of other replicas, and a restart empties it. The sessions that were in it work
/// on, and each is missing from the list until it is renewed. By default no session is renewed:
/// that takes an [`idle_timeout`](crate::Builder::idle_timeout) shorter than the session's
/// lifetime, or [`reauthorize`](crate::Builder::reauthorize).
///
/// It keeps up to 100,000 sessions, and 100 of one subject. Of more, those that end first leave. A
/// session takes about 1 KB, and 100,000 of them 100 MB. Those that have ended leave two at a time,
/// as others are noted.
///
/// ```
/// use tower_magic_link::{Builder, sessions::MemorySessions};
///
/// fn with_devices(builder: Builder) -> Builder {
///     builder.session_index(MemorySessions::default())
/// }
/// ```
#[derive(Clone, Default)]
pub struct MemorySessions(Arc<Mutex<Listed>>);

#[derive(Default)]
struct Listed {
    by_subject: HashMap<String, HashMap<[u8; 16], ListedSession>>,
    /// In the order in which they end.
    ends: BTreeSet<(Timestamp, String, [u8; 16])>,
}

impl Listed {
    fn note(&mut self, session: &ListedSession, now: Timestamp) {
        self.forget(session.subject(), session.id().to_bytes());
        // Two at a time: the list drains, and nobody waits for a sweep of all that ended overnight.
        for _ in 0..2 {
            if let Some((end, subject, id)) = self.ends.first().cloned()
                && (end <= now || self.ends.len() >= MOST)
            {
                self.forget(&subject, id);
            }
        }
        let subject = session.subject().to_owned();
        let id = session.id().to_bytes();
        let theirs = self.by_subject.entry(subject.clone()).or_default();
        theirs.insert(id, session.clone());
        let first = (theirs.len() > MOST_OF_A_SUBJECT)
            .then(|| theirs.values().min_by_key(|listed| listed.expires_at()))
            .flatten()
            .map(|listed| listed.id().to_bytes());
        self.ends
            .insert((session.expires_at(), subject.clone(), id));
        if let Some(first) = first {
            self.forget(&subject, first);
        }
    }

    fn forget(&mut self, subject: &str, id: [u8; 16]) {
        let Some(theirs) = self.by_subject.get_mut(subject) else {
            return;
        };
        let gone = theirs.remove(&id);
        if theirs.is_empty() {
            self.by_subject.remove(subject);
        }
        if let Some(gone) = gone {
            self.ends
                .remove(&(gone.expires_at(), subject.to_owned(), id));
        }
    }
}

impl MemorySessions {
    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions for MemorySessions {
    fn note<'a>(&'a self, session: &'a ListedSession, now: Timestamp) -> StoreFuture<'a, ()> {
        self.listed().note(session, now);
        Box::pin(ready(Ok(())))
    }

    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        self.listed().forget(subject, id.to_bytes());
        Box::pin(ready(Ok(())))
    }

    fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        let listed = self.listed();
        let theirs = listed.by_subject.get(subject).into_iter();
        let theirs = theirs.flat_map(HashMap::values);
        let live: Vec<_> = theirs
            .filter(|listed| listed.expires_at() > now)
            .cloned()
            .collect();
        Box::pin(ready(Ok(live)))
    }

    fn check(&self, _now: Timestamp) -> Checking<'_> {
        Box::pin(ready(vec![check::in_memory()]))
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions")
            .field("sessions", &self.listed().ends.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        email::Email,
        provider::Identity,
        session::{Session, Times},
        sessions::Seen,
    };

    fn listed(subject: &str, number: u64, end: u64) -> ListedSession {
        let email = Email::parse("ada@example.com").unwrap();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let times = Times {
            issued_at: Timestamp::from_secs(1),
            expires_at: Timestamp::from_secs(end),
            auth_time: Timestamp::from_secs(1),
        };
        let identity = Identity::new(subject, email);
        let session = Session::new(&identity, SessionId::from_bytes(id), times);
        ListedSession::new(session, Seen::default())
    }

    #[test]
    fn it_is_bounded_for_a_subject_and_in_all_and_by_the_ends_of_sessions() {
        let mut list = Listed::default();
        let now = Timestamp::from_secs(10);
        for number in 0..300 {
            list.note(&listed("ada", number, 1_000 + number), now);
        }
        assert_eq!(list.ends.len(), MOST_OF_A_SUBJECT);
        let first = list.ends.first().unwrap().0;
        assert_eq!(first, Timestamp::from_secs(1_200), "the first to end left");
        for number in 0..MOST + 5 {
            let number = u64::try_from(number).unwrap();
            list.note(&listed(&format!("{number}"), number, 5_000), now);
        }
        assert_eq!(list.ends.len(), MOST);
        // All of them have ended. None waits for the others to be dropped.
        let now = Timestamp::from_secs(5_000);
        list.note(&listed("eve", 1, 9_000), now);
        assert_eq!(list.ends.len(), MOST - 1);
        for _ in 0..MOST / 2 {
            list.note(&listed("eve", 1, 9_000), now);
        }
        assert_eq!((list.ends.len(), list.by_subject.len()), (1, 1));
        list.note(&listed("eve", 1, 9_500), now);
        assert_eq!(list.ends.len(), 1, "a renewal replaces");
        list.forget("eve", listed("eve", 1, 0).id().to_bytes());
        assert!(list.ends.is_empty() && list.by_subject.is_empty());
    }
}
