//! How often each call is made: again where that does no harm, and never where it may.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tower_magic_link::provider::{Delivery, IdentityProvider, ProviderErrorKind, Start};

use crate::{
    OPERATIONS, PROFILE, REDIRECT_URI, SESSION, STATE, attempt, email, failed, finish,
    server::{Reply, Server, answer, client_of, json, sent, token},
};

#[tokio::test]
async fn each_call_is_repeated_exactly_as_often_as_it_may_be() {
    let many: &dyn Fn() -> Reply = &|| answer(429, &[], b"slow down");
    let many_now: &dyn Fn() -> Reply = &|| answer(429, &["retry-after: 0"], b"");
    let many_later: &dyn Fn() -> Reply = &|| answer(429, &["retry-after: 3"], b"");
    let many_until: &dyn Fn() -> Reply =
        &|| answer(429, &["retry-after: Wed, 21 Oct 2026 07:28:00 GMT"], b"");
    let outage: &dyn Fn() -> Reply = &|| json(500, "{}");
    let outage_now: &dyn Fn() -> Reply = &|| answer(503, &["retry-after: 0"], b"");
    let timed_out: &dyn Fn() -> Reply = &|| answer(408, &[], b"");
    let closed: &dyn Fn() -> Reply = &|| Reply::Close;
    // Counts in the order of OPERATIONS: create, exchange, profile, send, make a code, redeem it,
    // choose an organization.
    let cases = [
        ("429", many, [3, 3, 3, 1, 1, 1, 1]),
        ("429, at once", many_now, [3; 7]),
        ("429, later than we wait", many_later, [1; 7]),
        ("429, until a date", many_until, [3, 3, 3, 1, 1, 1, 1]),
        ("500", outage, [3, 1, 3, 1, 1, 1, 1]),
        ("503, at once", outage_now, [3, 1, 3, 1, 1, 1, 1]),
        ("408", timed_out, [1; 7]),
        ("closed without an answer", closed, [1; 7]),
    ];
    let walks = cases.into_iter().flat_map(|(name, reply, counts)| {
        OPERATIONS
            .into_iter()
            .zip(counts)
            .map(move |(operation, count)| async move {
                let name = format!("{name}, {operation:?}");
                // It fails for good after the last try, each of which was the same request …
                let server = Server::with((0..9).map(|_| reply())).await;
                failed(&name, operation.run(&server.client()).await);
                let requests = server.requests();
                assert_eq!(requests.len(), count, "{name}");
                assert!(requests.iter().all(|r| *r == requests[0]), "{name}");
                // … and one that succeeds before that ends it.
                if count > 1 {
                    let server = Server::with([reply(), operation.success()]).await;
                    operation.run(&server.client()).await.expect(&name);
                    assert_eq!(server.requests().len(), 2, "{name}");
                }
            })
    });
    // Side by side, so that they wait together.
    join_all(walks).await;
}

#[tokio::test]
async fn a_wait_that_is_too_long_for_us_is_handed_on() {
    let server = Server::with([answer(429, &["retry-after: 3"], b"")]).await;
    let error = failed("429", finish(&server.client()).await);
    assert_eq!(error.kind(), ProviderErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn a_code_that_was_sent_once_is_not_sent_again() {
    // Pins: official SDKs repeat the exchange after a 500, where the code may be spent already.
    let server = Server::with([json(500, "{}"), token(PROFILE)]).await;
    let error = failed("exchange", finish(&server.client()).await);
    assert_eq!(error.kind(), ProviderErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_mail_that_may_be_on_its_way_is_not_asked_for_again() {
    let server = Server::with([json(201, SESSION), json(500, "{}"), sent()]).await;
    let (email, lifetime) = (email(), Duration::from_secs(900));
    let attempt = attempt();
    let start = Start::new(
        attempt.show(),
        &email,
        REDIRECT_URI,
        STATE,
        lifetime,
        Delivery::Provider,
    );
    let error = failed("mail", server.client().start(&start).await);
    assert_eq!(error.kind(), ProviderErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_tried_three_times_for_every_call() {
    join_all(OPERATIONS.map(|operation| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        // It hangs up before TLS has begun, so that no request goes over any of them.
        tokio::spawn(async move {
            loop {
                drop(listener.accept().await.unwrap());
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let error = failed("no tls", operation.run(&client_of(&base)).await);
        assert!(!error.may_have_acted(), "{operation:?}");
        assert_eq!(
            error.kind(),
            ProviderErrorKind::Unavailable,
            "{operation:?}"
        );
        assert_eq!(connections.load(Ordering::Relaxed), 3, "{operation:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_tried_once() {
    for operation in OPERATIONS {
        // The kernel takes the connection; nobody speaks TLS over it.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let timeout = Duration::from_millis(30);
        let workos = client_of(&base).connect_timeout(timeout).unwrap();
        let error = failed("slow", operation.run(&workos).await);
        assert_eq!(error.kind(), ProviderErrorKind::TimedOut, "{operation:?}");
        assert!(!error.may_have_acted(), "{operation:?}");
        let connections = iter::from_fn(|| listener.accept().ok()).count();
        assert_eq!(connections, 1, "{operation:?}");
    }
}
