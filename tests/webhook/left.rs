//! A sender that hangs up while the store waits.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::yield_now, time::timeout};
use tower_magic_link::{
    Session,
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::StoreFuture,
};

use crate::{
    names::ADA,
    site::{SECRET, Site},
};

/// Records once it may.
#[derive(Clone, Debug, Default)]
struct Waiting {
    memory: MemoryRevocations,
    is_held: Arc<AtomicBool>,
    given: Arc<AtomicUsize>,
}

impl Revocations for Waiting {
    fn look_up(&self, session: &Session) -> Lookup {
        self.memory.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.given.fetch_add(1, Ordering::SeqCst);
            while self.is_held.load(Ordering::SeqCst) {
                yield_now().await;
            }
            self.memory.revoke(revocation).await
        })
    }
}

/// Pins: the revocations that the store had not taken yet were dropped with the request, and the
/// event was reported by nobody.
#[tokio::test]
async fn an_event_whose_sender_hangs_up_is_carried_out_and_reported() {
    let store = Waiting::default();
    let site = Site::with(|builder| builder.webhook_secret(SECRET).revocations(store.clone()));
    let people = [("user_ada", "ada@old.example"), ("prof_ada", ADA)];
    let cookies = people
        .map(|(subject, email)| site.sign_in(&Identity::new(subject, email.parse().unwrap())));
    site.heard();
    store.is_held.store(true, Ordering::SeqCst);
    let data = r#"{"id":"user_ada","email":"ada@example.com"}"#;
    let event = site.webhook().event("user.deleted", data);
    {
        let delivery = pin!(site.take(&event));
        let waits = async {
            while store.given.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
        };
        tokio::select! {
            answer = delivery => panic!("the store has not answered: {answer:?}"),
            () = waits => {}
        }
    }
    store.is_held.store(false, Ordering::SeqCst);
    let reported = async {
        while !site.heard().contains("effect: Ended") {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), reported).await.unwrap();
    for cookie in &cookies {
        assert!(!site.is_admitted(cookie).await);
    }
    assert_eq!(site.take(&event).await.status, 200, "delivered again");
    assert!(site.heard().contains("effect: Duplicate"));
}
