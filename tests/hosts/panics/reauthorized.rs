//! A panic of the hook that is asked about sessions in use costs no request.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tower::Layer;
use tower_magic_link::{
    Grant, Session, companion::Issued, event::Event, provider::Identity, testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::ADA,
    site::{SESSION, application, builder, program, with_cookie},
};

const EVERY: Duration = Duration::from_secs(300);

/// When the hook panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before it returns a future.
    Call,
    /// In its future, after a wait.
    Answer,
}

/// It met every further request of the person before, on public paths too.
#[tokio::test]
async fn a_hook_that_panics_about_a_session_keeps_it_and_refuses_no_request() {
    for at in [At::Call, At::Answer] {
        let clock = ManualClock::new();
        let failures = Arc::<Mutex<usize>>::default();
        let counted = failures.clone();
        let layer = builder(&clock)
            .public_path("/about")
            .reauthorize(EVERY, move |_: Session| {
                assert_ne!(at, At::Call, "the hook panics");
                async move {
                    tokio::task::yield_now().await;
                    assert_ne!(at, At::Answer, "the hook panics");
                    true
                }
            })
            .on_event(move |event, _| {
                if matches!(event, Event::ReauthorizeFailed { .. }) {
                    *counted.lock().unwrap() += 1;
                }
            })
            .build()
            .unwrap();
        let ada = Identity::new("prof_ada", ADA.parse().unwrap());
        let grant = Grant::new().claims(&json!({ "role": "admin" })).unwrap();
        let issued: Issued = layer.issuer().issue_granted(&ada, &grant).unwrap();
        clock.advance(EVERY);

        let mut cookie = format!("{SESSION}={}", issued.token().expose());
        for path in ["/about", "/x"] {
            let request = with_cookie(program(path), &cookie);
            let answer = Answer::of(layer.layer(application()), request).await;
            assert_eq!(answer.status(), 200, "{at:?}, {path}");
            assert!(answer.text().contains(ADA), "{at:?}, {path}");
            let (token, _) = answer.cookies().remove(SESSION).unwrap();
            cookie = format!("{SESSION}={token}");
            // The next try is an interval later.
            let again = Answer::of(
                layer.layer(application()),
                with_cookie(program(path), &cookie),
            );
            assert!(!again.await.cookies().contains_key(SESSION), "{at:?}");
            clock.advance(EVERY);
        }
        let request = with_cookie(program("/"), &cookie);
        let permit = Answer::of(layer.forward_auth(), request).await;
        assert_eq!(permit.header("x-auth-decision"), "permit", "{at:?}");
        assert_eq!(*failures.lock().unwrap(), 3, "{at:?}");
    }
}
