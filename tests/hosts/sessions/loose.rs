//! An index that answers for other subjects, too.

use super::*;

/// An index that lists everybody's sessions, whoever is asked for.
#[derive(Clone, Debug, Default)]
struct Loose(Written);

impl Loose {
    fn entries(&self) -> usize {
        self.0.0.lock().unwrap().len()
    }
}

impl Sessions for Loose {
    fn note<'a>(&'a self, session: &'a ListedSession, now: Timestamp) -> StoreFuture<'a, ()> {
        self.0.note(session, now)
    }

    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        self.0.forget(subject, id)
    }

    fn list<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        let records = self.0.0.lock().unwrap();
        let listed = records.iter();
        let listed: Vec<_> = listed
            .map(|text| ListedSession::from_record(text).unwrap())
            .collect();
        Box::pin(async { Ok(listed) })
    }
}

/// Pins: each of them was listed for everybody, and one that had ended left the index as if its own
/// person had asked.
#[tokio::test]
async fn an_index_that_answers_for_everybody_shows_no_one_the_sessions_of_another() {
    let index = Loose::default();
    let builder = builder(&ManualClock::new()).session_index(index.clone());
    let layer = builder.build().unwrap();
    let (ada, _) = issue(&layer, "ada", ADA);
    let (namesake, _) = issue(&layer, "Ada", EVE);
    let (eve, _) = issue(&layer, "eve", EVE);
    let target = Target::Session(eve.id());
    layer.end_sessions(target).await.unwrap();

    assert_eq!(ids(&layer, "ada").await, [ada.id()]);
    assert_eq!(ids(&layer, "Ada").await, [namesake.id()]);
    assert_eq!(ids(&layer, "nobody").await, []);
    assert_eq!(index.entries(), 3, "nobody asked for Eve");
    assert_eq!(ids(&layer, "eve").await, []);
    assert_eq!(index.entries(), 2);
}
