//! An index whose store is full.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// An index whose store is full: it can be read, and it forgets.
#[derive(Clone, Debug, Default)]
struct Full(Arc<AtomicBool>);

impl Sessions for Full {
    fn note<'a>(&'a self, _: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        let is_full = self.0.load(Ordering::SeqCst);
        let full = StoreError::unavailable("OOM command not allowed");
        Box::pin(async move { if is_full { Err(full) } else { Ok(()) } })
    }

    fn forget<'a>(&'a self, _: &'a str, _: SessionId) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn list<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// Pins: each list and each sign-out "recovered" it, and each sign-in lost it again.
#[tokio::test]
async fn an_index_that_takes_nothing_new_is_away_until_it_does() {
    let full = Full::default();
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = events.clone();
    let builder = builder(&ManualClock::new()).session_index(full.clone());
    let builder = builder.on_event(move |event, _| match event {
        Event::ServerLost { .. } => heard.lock().unwrap().push("lost"),
        Event::ServerRecovered { .. } => heard.lock().unwrap().push("recovered"),
        _ => {}
    });
    let layer = builder.build().unwrap();
    full.0.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let (session, _) = issue(&layer, "ada", ADA);
        layer.sessions_of("ada").await.unwrap();
        layer.issuer().sign_out(&session).await.unwrap();
        assert_eq!(*events.lock().unwrap(), ["lost"]);
    }
    full.0.store(false, Ordering::SeqCst);
    issue(&layer, "ada", ADA);
    assert_eq!(*events.lock().unwrap(), ["lost", "recovered"]);
}
