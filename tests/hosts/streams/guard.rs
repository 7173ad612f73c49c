//! When a session guard exists, and how bodies that are busy or wait for it end.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{SessionGuard, testing::ManualClock};

use super::{End, Site};
use crate::{
    names::ADA,
    site::{builder, program, with_cookie},
};

#[tokio::test]
async fn a_stream_that_is_never_at_a_loss_for_words_ends_too() {
    let site = Site::new();
    let alive = Arc::new(());
    let held = alive.clone();
    let service = site.layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let held = held.clone();
        let frames = stream::repeat_with(move || {
            let _held = &held;
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"x")))
        });
        std::future::ready(Ok::<_, Infallible>(Response::new(StreamBody::new(frames))))
    }));
    let ada = site.person(ADA);
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut body = service.clone().oneshot(request).await.unwrap().into_body();
    for _ in 0..5 {
        assert!(body.frame().await.is_some());
    }
    assert_eq!(site.revocations.watchers(), 1);
    site.end(&ada.session, End::Revoked);
    assert!(body.frame().await.is_none());
    assert!(body.frame().await.is_none(), "it stays ended");
    // The service holds one; the application's stream is gone, though the body is not.
    assert_eq!(Arc::strong_count(&alive), 2);
    assert_eq!(site.revocations.watchers(), 0);
}

/// A handler that waits for the guard itself has an error to give, and the client hears that it was
/// cut off.
#[tokio::test]
async fn the_error_of_a_body_that_waits_for_the_guard_reaches_its_client() {
    let site = Site::new();
    let ada = site.person(ADA);
    let service = site
        .layer
        .layer(service_fn(async |request: Request<Full<Bytes>>| {
            let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
            let frames = stream::unfold((guard, true), async |(mut guard, is_first)| {
                if !is_first {
                    (&mut guard).await;
                    return Some((Err("cut off"), (guard, false)));
                }
                let frame = http_body::Frame::data(Bytes::from_static(b"half"));
                Some((Ok(frame), (guard, false)))
            });
            Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(frames))))
        }));
    for waits in [true, false] {
        let site_session = site.person(ADA);
        let request = with_cookie(program("/x"), &site_session.cookie);
        let answer = service.clone().oneshot(request).await.unwrap();
        let mut body = Box::pin(answer.into_body());
        assert!(body.frame().await.unwrap().is_ok());
        if waits {
            assert!(body.frame().now_or_never().is_none());
        }
        site.end(&site_session.session, End::Revoked);
        let last = body.frame().await.unwrap();
        assert_eq!(last.unwrap_err(), "cut off", "{waits}");
        assert!(body.frame().await.is_none());
    }
    drop(ada);
}

#[tokio::test]
async fn there_is_a_guard_only_for_a_session_and_only_where_it_was_asked_for() {
    let clock = ManualClock::new();
    let on = |is_on: bool| {
        let builder = builder(&clock).public_path("/about");
        let builder = if is_on {
            builder.end_streams()
        } else {
            builder
        };
        builder.build().unwrap()
    };
    let cases = [
        ("on, signed in", true, "/x", true, true),
        ("on, signed in, public", true, "/about", true, true),
        ("on, stranger, public", true, "/about", false, false),
        ("off, signed in", false, "/x", true, false),
    ];
    for (name, is_on, path, is_signed_in, want) in cases {
        let layer = on(is_on);
        let mut request = program(path);
        if is_signed_in {
            layer.sign_in(&mut request, ADA);
        }
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            let has_guard = request.extensions().get::<SessionGuard>().is_some();
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(has_guard.to_string())))
        }));
        let response = service.oneshot(request).await.unwrap();
        let kind = format!("{:?}", response.body());
        let want_kind = if want {
            "ResponseBody::Guarded"
        } else {
            "ResponseBody::Inner"
        };
        assert_eq!(kind, want_kind, "{name}");
        let length = u64::try_from(want.to_string().len()).ok();
        assert_eq!(response.body().size_hint().exact(), length, "{name}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, want.to_string(), "{name}");
    }
}
