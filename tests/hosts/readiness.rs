//! The layer among tower's own: a mock that panics on misuse, concurrency limits, load shedding and
//! a buffer.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, buffer::BufferLayer,
    limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer,
};
use tower_magic_link::{MagicLinkLayer, testing::ManualClock};
use tower_test::{
    assert_request_eq,
    mock::{self, Handle, Mock},
};

use crate::{
    script::{Act, Script},
    site::{ENDPOINTS, builder, cookie_of, document, grpc, program, with_cookie},
};

type Incoming = Request<Full<Bytes>>;
type Outgoing = Response<Full<Bytes>>;

fn layer(store: Script) -> MagicLinkLayer {
    let builder = builder(&ManualClock::new()).revocations(store);
    builder.public_path("/about").build().unwrap()
}

/// Every request that the layer answers by itself.
fn own() -> Vec<Incoming> {
    let mut own = vec![document("/x"), program("/x"), grpc("/a.B/C")];
    for path in ENDPOINTS {
        own.push(document(&format!("/auth/{path}")));
        let post = Request::post(format!("/auth/{path}")).header("sec-fetch-site", "same-origin");
        own.push(post.body(Full::default()).unwrap());
    }
    own
}

/// Answers what the mock was asked.
async fn answer(handle: &mut Handle<String, Outgoing>, path: &str) {
    let request = assert_request_eq!(handle, path.to_owned());
    request.send_response(Response::new(Full::from("inner")));
}

/// The mock, asked for paths: a request with its extensions cannot be compared.
fn by_path(
    mock: Mock<String, Outgoing>,
) -> impl Service<Incoming, Response = Outgoing, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    mock.map_request(|request: Incoming| request.uri().path().to_owned())
}

#[tokio::test]
async fn the_layer_is_as_ready_as_the_inner_service_is() {
    let layer = layer(Script::settled(Act::Active));
    let (mut service, mut handle) = mock::spawn_with(|mock| layer.layer(by_path(mock)));
    handle.allow(0);
    assert!(service.poll_ready::<Incoming>().is_pending());
    handle.allow(1);
    assert!(service.is_woken());
    assert!(matches!(
        service.poll_ready::<Incoming>(),
        std::task::Poll::Ready(Ok(()))
    ));
    let (mut service, mut handle) = mock::spawn_with(|mock| layer.layer(by_path(mock)));
    handle.send_error("broken");
    let std::task::Poll::Ready(Err(error)) = service.poll_ready::<Incoming>() else {
        panic!("the error of the inner service");
    };
    assert_eq!(error.to_string(), "broken");
}

/// The mock panics when it is called without having said that it is ready, and allows no more calls
/// than it was told to.
#[tokio::test]
async fn the_inner_service_is_called_only_when_it_said_that_it_was_ready() {
    for store in [Script::settled(Act::Active), Script::pending(Act::Active)] {
        let layer = layer(store.clone());
        let (cookie, _) = cookie_of(&layer);
        let (service, mut handle) = mock::pair::<String, Outgoing>();
        let mut service = layer.layer(by_path(service));
        handle.allow(0);
        for _ in 0..4 {
            assert!(service.ready().now_or_never().is_none(), "{store:?}");
            handle.allow(1);
            for request in own() {
                // The mock's leave is not used up: the next caller has it.
                service.ready().await.unwrap().call(request).await.unwrap();
            }
            let request = with_cookie(program("/private"), &cookie);
            let response = service.ready().await.unwrap().call(request);
            let (response, ()) = tokio::join!(response, answer(&mut handle, "/private"));
            assert_eq!(response.unwrap().status(), 200, "{store:?}");
            assert!(service.ready().now_or_never().is_none(), "{store:?}");
        }
    }
}

#[tokio::test]
async fn what_the_layer_answers_itself_holds_no_place_in_a_concurrency_limit() {
    for store in [
        Script::settled(Act::Active),
        Script::pending(Act::Active),
        Script::pending(Act::Revoked),
        Script::pending(Act::Fail),
    ] {
        let layer = layer(store.clone());
        let (cookie, _) = cookie_of(&layer);
        let (service, mut handle) = mock::pair::<String, Outgoing>();
        handle.allow(100);
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(ConcurrencyLimitLayer::new(1))
            .service(by_path(service));
        for request in own() {
            let asked = service.clone().oneshot(with_cookie(request, "a=1"));
            asked.now_or_never().expect("no wait").unwrap();
        }
        // One that the store refuses, and one that is given up in the look-up.
        let refused = with_cookie(program("/private"), &cookie);
        if store.is_refusing() {
            let refused = service.clone().oneshot(refused).await.unwrap();
            assert_ne!(refused.status(), 200, "{store:?}");
        } else {
            let mut given_up = Box::pin(service.clone().oneshot(refused));
            let _ = (&mut given_up).now_or_never();
            drop(given_up);
            // Where the store answered at once the mock was asked already.
            let _ = handle.next_request().now_or_never();
        }
        let request = program("/about");
        let (response, ()) = tokio::join!(
            service.clone().oneshot(request),
            answer(&mut handle, "/about")
        );
        assert_eq!(response.unwrap().status(), 200, "{store:?}");
    }
}

#[tokio::test]
async fn under_load_shedding_strangers_are_answered_and_the_signed_in_shed() {
    let layer = layer(Script::settled(Act::Active));
    let (cookie, _) = cookie_of(&layer);
    let (service, mut handle) = mock::pair::<String, Outgoing>();
    handle.allow(0);
    // Inside: the layer is always ready, and what it answers itself is never shed.
    let inside = ServiceBuilder::new()
        .layer(&layer)
        .layer(LoadShedLayer::new())
        .service(by_path(service.clone()));
    for request in own() {
        assert!(inside.clone().oneshot(request).await.is_ok());
    }
    let request = with_cookie(program("/private"), &cookie);
    let shed = inside.clone().oneshot(request.clone()).await.unwrap_err();
    assert!(shed.is::<tower::load_shed::error::Overloaded>());
    // Outside: everything is shed.
    let outside = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(&layer)
        .service(by_path(service));
    let shed = outside.clone().oneshot(document("/x")).await.unwrap_err();
    assert!(shed.is::<tower::load_shed::error::Overloaded>());
    handle.allow(1);
    let asked = outside.clone().oneshot(request);
    let (response, ()) = tokio::join!(asked, answer(&mut handle, "/private"));
    assert_eq!(response.unwrap().status(), 200);
}

#[tokio::test]
async fn a_buffer_composes_on_either_side() {
    for store in [Script::settled(Act::Active), Script::pending(Act::Active)] {
        let layer = layer(store);
        let (cookie, _) = cookie_of(&layer);
        let (service, mut handle) = mock::pair::<String, Outgoing>();
        let inside = ServiceBuilder::new()
            .layer(&layer)
            .layer(BufferLayer::new(1))
            .service(by_path(service.clone()));
        let outside = ServiceBuilder::new()
            .layer(BufferLayer::new(1))
            .layer(&layer)
            .service(by_path(service));
        handle.allow(4);
        for _ in 0..2 {
            for request in own() {
                assert!(inside.clone().oneshot(request).await.is_ok());
            }
            for request in own() {
                assert!(outside.clone().oneshot(request).await.is_ok());
            }
            let request = || with_cookie(program("/private"), &cookie);
            let asked = inside.clone().oneshot(request());
            let (response, ()) = tokio::join!(asked, answer(&mut handle, "/private"));
            assert_eq!(response.unwrap().status(), 200);
            let asked = outside.clone().oneshot(request());
            let (response, ()) = tokio::join!(asked, answer(&mut handle, "/private"));
            assert_eq!(response.unwrap().status(), 200);
        }
    }
}
