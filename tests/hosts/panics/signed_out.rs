//! A store that panics while a handler signs its person out costs that request at most.

use std::{convert::Infallible, sync::Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_magic_link::{
    MagicLinkLayer, Session,
    revocation::{Lookup, Revocation, Revocations, Standing, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::ADA,
    site::{builder, program},
};

/// What a store does with a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Fails,
    /// With its lock held.
    Panics,
}

/// A store whose look-ups panic once it was given a revocation.
#[derive(Debug)]
struct Broken {
    trouble: Trouble,
    given: Mutex<usize>,
}

impl Revocations for Broken {
    fn look_up(&self, _: &Session) -> Lookup {
        let given = self.given.lock().unwrap();
        assert_eq!(*given, 0, "a look-up panics");
        Lookup::Settled(Ok(Standing::Active))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        let mut given = self.given.lock().unwrap();
        *given += 1;
        assert_ne!(self.trouble, Trouble::Panics, "a revocation panics");
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }
}

/// How a handler ends its own session.
#[derive(Clone, Copy, Debug)]
enum Order {
    EndSessions,
    SignOut,
    SignOutEverywhere,
}

impl Order {
    const ALL: [Self; 3] = [Self::EndSessions, Self::SignOut, Self::SignOutEverywhere];

    async fn give(self, layer: &MagicLinkLayer, session: &Session) -> Result<(), StoreError> {
        match self {
            Self::EndSessions => {
                let target = Target::Subject(session.subject().to_owned());
                layer.end_sessions(target).await
            }
            Self::SignOut => layer.issuer().sign_out(session).await,
            Self::SignOutEverywhere => layer.issuer().sign_out_everywhere(session).await,
        }
    }
}

/// Pins: the layer looked the session up while the panic unwound, the lock was poisoned, and the
/// second panic aborted the process.
#[tokio::test]
async fn a_store_that_panics_while_a_handler_signs_out_costs_that_request_at_most() {
    let cases: [(Trouble, u16); 2] = [(Trouble::Fails, 200), (Trouble::Panics, 500)];
    for (order, (trouble, want)) in Order::ALL
        .into_iter()
        .flat_map(|order| cases.map(|case| (order, case)))
    {
        let store = Broken {
            trouble,
            given: Mutex::default(),
        };
        let builder = builder(&ManualClock::new()).revocations(store);
        let layer = builder.end_streams().build().unwrap();
        let ordering = layer.clone();
        let handler = service_fn(move |request: Request<Full<Bytes>>| {
            let layer = ordering.clone();
            async move {
                let session = request.extensions().get::<Session>().unwrap();
                order.give(&layer, session).await.unwrap_err();
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("not recorded")))
            }
        });
        let service = ServiceBuilder::new()
            .layer(CatchPanicLayer::new())
            .layer(&layer)
            .service(handler);
        let mut request = program("/x");
        layer.sign_in(&mut request, ADA);
        let answer = Answer::of(service, request).await;
        assert_eq!(answer.status(), want, "{order:?} {trouble:?}");
    }
}
