//! The contract of a Tower service: the inner service is called when it is ready, by the caller
//! that polled it, and otherwise let be.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{Method, Request};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};
use tower_magic_link::{MagicLink, MagicLinkLayer, testing::ManualClock};

use crate::{
    answer::Answer,
    ledger::{Books, Ledger},
    script::{Act, Script},
    site::{ENDPOINTS, builder, cookie_of, document, grpc, program, with_cookie},
};

/// A layer around a ledger, and a cookie that it admits.
struct Desk {
    books: Arc<Books>,
    service: MagicLink<Ledger>,
    cookie: String,
}

impl Desk {
    fn new(store: Script, ledger: impl FnOnce(&Arc<Books>) -> Ledger) -> Self {
        let books = Arc::<Books>::default();
        let layer = layer(store);
        Self {
            service: layer.layer(ledger(&books)),
            cookie: cookie_of(&layer).0,
            books,
        }
    }

    /// Waits until the service is ready, and calls it.
    async fn ask(&mut self, request: Request<Full<bytes::Bytes>>) -> Answer {
        let service = ServiceExt::<Request<Full<bytes::Bytes>>>::ready(&mut self.service);
        let response = service.await.unwrap().call(request).await;
        Answer::read(response.unwrap()).await
    }
}

fn layer(store: Script) -> MagicLinkLayer {
    let builder = builder(&ManualClock::new()).revocations(store);
    builder.public_path("/about").build().unwrap()
}

#[tokio::test]
async fn the_usual_path_calls_the_very_service_that_was_ready_and_clones_nothing() {
    let mut desk = Desk::new(Script::settled(Act::Active), Ledger::new);
    let cookie = desk.cookie.clone();
    for round in 1..=5 {
        let answer = desk.ask(with_cookie(program("/private"), &cookie)).await;
        assert_eq!(answer.text(), "inner");
        desk.ask(program("/about")).await;
        desk.ask(with_cookie(program("/about"), &cookie)).await;
        assert_eq!((desk.books.calls(), desk.books.clones()), (3 * round, 0));
    }
}

#[tokio::test]
async fn a_look_up_that_waits_costs_one_clone_and_still_calls_the_service_that_was_ready() {
    let mut desk = Desk::new(Script::pending(Act::Active), Ledger::new);
    let cookie = desk.cookie.clone();
    for round in 1..=5 {
        let answer = desk.ask(with_cookie(program("/private"), &cookie)).await;
        assert_eq!(answer.text(), "inner");
        assert_eq!((desk.books.calls(), desk.books.clones()), (round, round));
    }
}

#[tokio::test]
async fn requests_that_wait_side_by_side_each_have_a_ready_service() {
    let mut desk = Desk::new(Script::pending(Act::Active), Ledger::new);
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let service = ServiceExt::<Request<Full<bytes::Bytes>>>::ready(&mut desk.service);
        let request = with_cookie(program("/private"), &desk.cookie);
        waiting.push(service.await.unwrap().call(request));
    }
    assert_eq!(desk.books.calls(), 0);
    for answer in waiting {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    assert_eq!((desk.books.calls(), desk.books.clones()), (8, 8));
}

#[tokio::test]
async fn a_refusal_or_an_endpoint_of_the_layers_own_never_calls_the_inner_service() {
    let refused = [document("/private"), program("/private"), grpc("/a.B/C")];
    for store in [Act::Active, Act::Revoked, Act::Fail].map(Script::settled) {
        let mut desk = Desk::new(store, Ledger::new);
        for request in refused.clone() {
            desk.ask(request).await;
        }
        let mut endpoints = Vec::new();
        for path in ENDPOINTS {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT] {
                for query in ["", "?code=a&state=b", "?t=x"] {
                    let request = Request::builder()
                        .method(&method)
                        .uri(format!("/auth/{path}{query}"))
                        .header("content-type", "application/x-www-form-urlencoded")
                        .header("sec-fetch-site", "same-origin");
                    endpoints.push(request.body(Full::from("email=a%40b.example")).unwrap());
                }
            }
        }
        for request in endpoints {
            desk.ask(request.clone()).await;
            desk.ask(with_cookie(request, &desk.cookie.clone())).await;
        }
        assert_eq!((desk.books.calls(), desk.books.clones()), (0, 0));
    }
}

#[tokio::test]
async fn what_the_store_refuses_never_calls_the_inner_service() {
    for act in [Act::Revoked, Act::Fail] {
        for store in [Script::settled(act), Script::pending(act)] {
            let mut desk = Desk::new(store, Ledger::new);
            let request = with_cookie(program("/private"), &desk.cookie.clone());
            assert_ne!(desk.ask(request).await.status(), 200, "{act:?}");
            assert_eq!(desk.books.calls(), 0, "{act:?}");
        }
    }
}

#[tokio::test]
async fn a_response_future_that_is_dropped_drops_what_it_waits_for() {
    let mut desk = Desk::new(Script::settled(Act::Active), Ledger::hanging);
    let service = ServiceExt::<Request<Full<bytes::Bytes>>>::ready(&mut desk.service);
    let request = with_cookie(program("/private"), &desk.cookie);
    let mut response = Box::pin(service.await.unwrap().call(request));
    assert!(response.as_mut().now_or_never().is_none());
    assert_eq!(desk.books.alive(), 1);
    drop(response);
    assert_eq!(desk.books.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_response_future_that_is_dropped_in_a_look_up_never_calls_the_inner_service() {
    let store = Script::pending(Act::Hang);
    let mut desk = Desk::new(store.clone(), Ledger::new);
    let service = ServiceExt::<Request<Full<bytes::Bytes>>>::ready(&mut desk.service);
    let request = with_cookie(program("/private"), &desk.cookie);
    let mut response = Box::pin(service.await.unwrap().call(request));
    assert!(response.as_mut().now_or_never().is_none());
    let ours = Arc::strong_count(&desk.books);
    drop(response);
    assert_eq!((store.asked(), desk.books.calls()), (1, 0));
    // The service that waited with the request went with it; its clone is still there.
    assert_eq!(Arc::strong_count(&desk.books), ours - 1);
    drop(desk.service);
    assert_eq!(Arc::strong_count(&desk.books), 1);
}
