//! A session that somebody keeps beside its request.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::timeout;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Session,
    clock::Signal,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreErrorKind, StoreFuture},
};

use super::handlers::Way;
use crate::{
    names::ADA,
    site::{program, with_cookie},
    streams::Site,
};

/// Pins: the stream was taken for a handler that signs itself out, and ran on past its expiry.
#[tokio::test]
async fn who_is_signed_out_by_the_session_that_their_stream_holds_loses_the_stream() {
    for way in Way::ALL {
        let site = Site::new();
        let (ada, layer) = (site.person(ADA), site.layer.clone());
        let online: Arc<Mutex<Option<Session>>> = Arc::default();
        let noted = online.clone();
        let service = site
            .layer
            .layer(service_fn(move |request: Request<Full<Bytes>>| {
                let session = request.extensions().get::<Session>().unwrap().clone();
                noted.lock().unwrap().replace(session);
                let endless = stream::pending::<Result<Frame<Bytes>, Infallible>>();
                async { Ok::<_, Infallible>(Response::new(StreamBody::new(endless))) }
            }));
        let request = with_cookie(program("/x"), &ada.cookie);
        let answer = service.oneshot(request).await.unwrap();
        let mut body = pin!(answer.into_body());
        assert!(body.frame().now_or_never().is_none());
        let session = online.lock().unwrap().clone().unwrap();
        // An administrator's request, or a task: not the stream itself.
        way.take(&layer, &session).await;
        let end = timeout(Duration::from_secs(5), body.frame()).await;
        assert!(matches!(end, Ok(None | Some(Err(_)))), "{way:?}");
    }
}

/// Ends a session here, and fails to tell the others, as Redis does while it is away.
#[derive(Clone, Debug, Default)]
pub(crate) struct CutOff(MemoryRevocations);

impl Revocations for CutOff {
    fn look_up(&self, session: &Session) -> Lookup {
        self.0.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.record(revocation);
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        self.0.watch(session)
    }
}

/// A handler whose own session has ended here goes on, though the store has told nobody else.
#[tokio::test]
async fn a_handler_that_signs_out_during_an_outage_goes_on() {
    for way in Way::ALL {
        let site = Site::with(|builder| builder.revocations(CutOff::default()));
        let (ada, layer) = (site.person(ADA), site.layer.clone());
        let service = site
            .layer
            .layer(service_fn(move |request: Request<Full<Bytes>>| {
                let layer = layer.clone();
                async move {
                    let session = request.extensions().get::<Session>().unwrap().clone();
                    way.tries(&layer, &session).await.unwrap_err();
                    // What is left to do takes a while.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("done")))
                }
            }));
        let request = with_cookie(program("/x"), &ada.cookie);
        let answer = service.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{way:?}");
    }
}
