//! The work of a mail begins behind the requests that are queued already: what it takes is then no
//! part of the time in which others are answered.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    provider::{Finish, Identity, IdentityProvider, ProviderError, Start, Started},
    testing::StubProvider,
};

use crate::names::ORIGIN;

const PEOPLE: usize = 10;

/// What happened, in its order.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
}

/// Notes when the work of a mail has begun.
struct Noting(StubProvider, Order);

impl IdentityProvider for Noting {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.1.note("begun");
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finish(finish).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mail_is_begun_behind_the_requests_that_are_queued() {
    let order = Order::default();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let provider = Noting(StubProvider::new(), order.clone());
    let layer = MagicLinkLayer::builder(provider, keys)
        .public_url(ORIGIN)
        .answer_after(Duration::from_millis(100))
        .insecure_no_throttle()
        .build()
        .unwrap();
    let app = layer.layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let all = order.clone();
    // From a task of the worker, so that all stand in its own queue.
    let asking = tokio::spawn(async move {
        let mut people = JoinSet::new();
        for _ in 0..PEOPLE {
            let (mut app, order) = (app.clone(), all.clone());
            people.spawn(async move {
                let request = Request::post("/auth/login")
                    .header("accept", "text/html")
                    .header("sec-fetch-site", "same-origin")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Full::from("email=ada%40example.com"));
                let mut answer = pin!(app.call(request.unwrap()));
                let polled = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
                assert!(polled.is_pending(), "it waits for its time");
                order.note("asked");
                answer.await.unwrap().status()
            });
        }
        people.join_all().await
    });
    assert_eq!(asking.await.unwrap(), [StatusCode::SEE_OTHER; PEOPLE]);
    let order = order.0.lock().unwrap().clone();
    let count = |order: &[&str], what| order.iter().filter(|did| **did == what).count();
    assert_eq!(count(&order, "begun"), PEOPLE);
    let last = order.iter().rposition(|did| *did == "asked").unwrap();
    // The worker looks at what was put off now and then, and may begin the first of it.
    assert!(count(&order[..last], "begun") <= 1, "{order:?}");
}
