//! A store that panics while a session is watched ends that session.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    MagicLinkLayer, SessionGuard,
    revocation::MemoryRevocations,
    testing::{ManualClock, StubProvider},
};

use super::{Fused, FusedLayer, Who};
use crate::{
    names::{ADA, ORIGIN},
    site::{keys, program},
};

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_while_a_session_is_watched_ends_it_for_all_who_watch() {
    let fused = FusedLayer::new();
    let clock_layer = MagicLinkLayer::builder(StubProvider::new(), keys()).public_url(ORIGIN);
    let clock = ManualClock::new();
    let layer = clock_layer
        .clock(clock.clone())
        .revocations(Fused(MemoryRevocations::default(), fused.fuse.clone()))
        .end_streams()
        .build()
        .unwrap();
    let mut request = program("/x");
    layer.sign_in(&mut request, ADA);
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let mut service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
        *keep.lock().unwrap() = request.extensions().get::<SessionGuard>().cloned();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    service.call(request).await.unwrap();
    let guard = kept.lock().unwrap().take().unwrap();
    let (one, other) = (tokio::spawn(guard.clone()), tokio::spawn(guard));
    tokio::task::yield_now().await;
    fused.fuse.set(Some(Who::LookUp));
    clock.advance(Duration::from_secs(30));
    one.await.unwrap();
    other.await.unwrap();
}
