//! Whether WorkOS may have redeemed a code when its answer does not come: the person is told to try
//! the same link or code again only if it certainly has not.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    Operation, failed,
    port::free_port,
    server::{Reply, Server, answer, client_of, json},
};

/// A name, what the server does, and whether it may have redeemed the code.
type Case = (&'static str, fn() -> Reply, bool);

const REDEMPTIONS: [Operation; 3] = [Operation::Exchange, Operation::Redeem, Operation::Select];

#[tokio::test]
async fn a_redemption_says_whether_workos_may_have_redeemed_the_code() {
    let cases: [Case; 14] = [
        ("no answer", || Reply::Close, true),
        ("no answer in time", || Reply::Hang, true),
        (
            "half an answer in time",
            || Reply::Drip(b"HTTP/1.1 200 X\r\n".to_vec()),
            true,
        ),
        ("500", || json(500, "{}"), true),
        ("502", || answer(502, &[], b"<html>"), true),
        (
            "503, later",
            || answer(503, &["retry-after: 60"], b""),
            true,
        ),
        ("408", || answer(408, &[], b""), true),
        ("a redirect", || answer(302, &["location: /"], b""), true),
        ("no json", || json(200, "<html>"), true),
        ("cut", || answer(200, &["content-length: 1000"], b"{"), true),
        (
            "503 with a code",
            || json(503, r#"{"code":"lock_timeout"}"#),
            true,
        ),
        (
            "another request was quicker",
            || json(409, r#"{"code":"concurrent_request"}"#),
            false,
        ),
        ("429", || answer(429, &["retry-after: 60"], b""), false),
        (
            "not good",
            || json(400, r#"{"error":"invalid_grant"}"#),
            false,
        ),
    ];
    join_all(cases.into_iter().flat_map(|(name, reply, want)| {
        REDEMPTIONS.map(|operation| async move {
            let server = Server::with([reply()]).await;
            let limit = Duration::from_secs(1);
            let workos = server.client().exchange_timeout(limit).unwrap();
            let error = failed(name, operation.run(&workos).await);
            assert_eq!(error.may_have_acted(), want, "{name}, {operation:?}");
        })
    }))
    .await;
}

#[tokio::test]
async fn a_connection_that_is_refused_redeems_nothing() {
    let (port, _held) = free_port();
    let base = format!("http://127.0.0.1:{port}");
    for operation in REDEMPTIONS {
        let error = failed("nobody", operation.run(&client_of(&base)).await);
        assert!(!error.may_have_acted(), "{operation:?}");
    }
}

/// The first try was turned away, and the second was cut off: it may have come through.
#[tokio::test]
async fn the_last_of_several_tries_tells() {
    let many = answer(429, &["retry-after: 0"], b"");
    let server = Server::with([many, Reply::Close]).await;
    let error = failed("cut", Operation::Exchange.run(&server.client()).await);
    assert_eq!(server.requests().len(), 2);
    assert!(error.may_have_acted());
}

/// Pins: ten seconds were the limit of every call, and an answer after eleven was thrown away.
#[tokio::test]
async fn redeeming_has_its_own_time_and_other_calls_do_not_get_it() {
    let limit = Duration::from_millis(500);
    for operation in REDEMPTIONS {
        let Reply::Bytes(bytes) = operation.success() else {
            panic!("bytes");
        };
        let server = Server::with([Reply::Late(Duration::from_secs(1), bytes)]).await;
        let workos = server.client().timeout(limit).unwrap();
        operation.run(&workos).await.unwrap();
    }
    let server = Server::with([Reply::Hang]).await;
    let workos = server.client().timeout(limit).unwrap();
    failed("create", Operation::Create.run(&workos).await);
}
