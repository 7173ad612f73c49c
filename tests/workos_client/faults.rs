//! What the client makes of a server or a network that misbehaves: bounded in time, in size and in
//! where it goes.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tower_magic_link::provider::{Delivery, IdentityProvider, ProviderErrorKind, Start};

use crate::{
    OPERATIONS, REDIRECT_URI, SESSION, STATE, attempt, cause, email, failed, new_session,
    port::free_port,
    server::{Reply, Server, answer, client_of, json},
};

fn head(status: u16, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{fields}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::with([json(201, SESSION)]).await;
        let location = format!("location: {}/Hunter2", elsewhere.base);
        for operation in OPERATIONS {
            let name = format!("{status}, {operation:?}");
            let server = Server::with([answer(status, &[&location], b"")]).await;
            let error = failed(&name, operation.run(&server.client()).await);
            assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{name}");
            assert_eq!(error.status(), Some(status), "{name}");
            assert_eq!(server.requests().len(), 1, "{name}");
        }
        assert_eq!(elsewhere.connections(), 0, "{status}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_64_kib_whatever_it_says_of_its_length() {
    let fits = format!(r#"{{"id":"s_1","x":"{}"}}"#, "x".repeat(65_536 - 19));
    assert_eq!(fits.len(), 65_536);
    let server = Server::with([json(201, &fits)]).await;
    let got = server.client().create_session(&new_session()).await;
    got.unwrap();

    let one_more = [
        head(201, "connection: close"),
        fits.into_bytes(),
        vec![b' '],
    ]
    .concat();
    let mut one_chunk = head(201, "transfer-encoding: chunked");
    one_chunk.extend_from_slice(b"5F5E100\r\n");
    let cases = [
        ("one more", Reply::Bytes(one_more), 201),
        (
            "until it closes",
            Reply::Flood(head(201, "connection: close")),
            201,
        ),
        ("in one chunk", Reply::Flood(one_chunk), 201),
        (
            "of 100 MB",
            Reply::Flood(head(201, "content-length: 100000000")),
            201,
        ),
        (
            "of 100 MB that do not come",
            Reply::Drip(head(201, "content-length: 100000000")),
            201,
        ),
        (
            "of 16 EiB",
            Reply::Flood(head(201, "content-length: 18446744073709551000")),
            201,
        ),
        (
            "an error",
            Reply::Flood(head(400, "connection: close")),
            400,
        ),
    ];
    for (name, reply, status) in cases {
        let server = Server::with([reply]).await;
        let got = server.client().create_session(&new_session()).await;
        let error = failed(name, got);
        assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
        let want = "answer is longer than 65536 bytes";
        assert_eq!(cause(&error).as_deref(), Some(want), "{name}");
        // What the kernel's buffers hold, not what the server would send.
        let flooded = server.flooded();
        assert!(flooded < 50_000_000, "{name}: {flooded}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_does_not_hide_what_a_status_says() {
    let cases = [
        (429, ProviderErrorKind::RateLimited),
        (502, ProviderErrorKind::Unavailable),
    ];
    for (status, kind) in cases {
        let flood = Reply::Flood(head(status, "connection: close"));
        let cut = answer(status, &["content-length: 1000"], b"<html>");
        for (name, reply) in [("flood", flood), ("cut", cut)] {
            let server = Server::with([reply]).await;
            let error = failed(name, server.client().send_session("s_1").await);
            assert_eq!(
                (error.kind(), error.status()),
                (kind, Some(status)),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_broken_or_coded_is_not_taken() {
    use ProviderErrorKind::{InvalidAnswer, Unavailable};
    let session = SESSION.as_bytes();
    let shorter = format!("content-length: {}", session.len() - 10);
    let chunked = |rest: &[u8]| {
        Reply::Bytes([head(201, "transfer-encoding: chunked").as_slice(), rest].concat())
    };
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let cases = [
        (
            "cut",
            answer(201, &["content-length: 1000"], session),
            Unavailable,
        ),
        (
            "cut, an error",
            answer(400, &["content-length: 1000"], b"{}"),
            Unavailable,
        ),
        (
            "longer than told",
            answer(201, &[&shorter], session),
            InvalidAnswer,
        ),
        ("a chunk of no size", chunked(b"zz\r\n"), Unavailable),
        ("cut in a chunk", chunked(b"ff\r\n{"), Unavailable),
        (
            "gzip",
            answer(201, &["content-encoding: gzip"], gzip),
            InvalidAnswer,
        ),
        (
            "no http",
            Reply::Bytes(b"SSH-2.0-Hunter2\r\n".to_vec()),
            Unavailable,
        ),
        ("no answer", Reply::Close, Unavailable),
    ];
    for (name, reply, kind) in cases {
        let server = Server::with([reply]).await;
        let got = server.client().create_session(&new_session()).await;
        assert_eq!(failed(name, got).kind(), kind, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_call_ends_in_time_whatever_the_server_does() {
    let in_the_head = b"HTTP/1.1 201 X\r\nx: ".to_vec();
    let cases = [
        ("no answer", vec![Reply::Hang], 1),
        (
            "a drip",
            vec![Reply::Drip(head(201, "content-length: 5000"))],
            1,
        ),
        ("a drip in the head", vec![Reply::Drip(in_the_head)], 1),
        ("an outage before", vec![json(503, ""), Reply::Hang], 2),
    ];
    join_all(cases.map(|(name, replies, count)| async move {
        let server = Server::with(replies).await;
        let timeout = Duration::from_secs(2);
        let workos = server.client().timeout(timeout).unwrap();
        let error = failed(name, workos.create_session(&new_session()).await);
        assert_eq!(error.kind(), ProviderErrorKind::TimedOut, "{name}");
        assert_eq!(server.requests().len(), count, "{name}");
    }))
    .await;
}

#[tokio::test]
async fn beginning_a_sign_in_is_one_call_with_one_deadline() {
    // The session takes 1 s of 2: the mail gets what is left, not the whole again.
    let session = format!("HTTP/1.1 201 X\r\nconnection: close\r\n\r\n{SESSION}");
    let late = Reply::Late(Duration::from_secs(1), session.into_bytes());
    let server = Server::with([late, Reply::Hang]).await;
    let timeout = Duration::from_secs(2);
    let workos = server.client().timeout(timeout).unwrap();
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

    let began = Instant::now();
    let error = failed("start", workos.start(&start).await);
    assert_eq!(error.kind(), ProviderErrorKind::TimedOut);
    assert_eq!(server.requests().len(), 2);
    assert!(began.elapsed() < Duration::from_millis(2_900));
}

#[tokio::test]
async fn an_outage_is_told_at_once_when_no_time_is_left_to_try_again() {
    // It would have to wait 2 s, which it does elsewhere, but has not got.
    let server = Server::with([answer(503, &["retry-after: 2"], b"")]).await;
    let workos = server
        .client()
        .timeout(Duration::from_millis(1_900))
        .unwrap();
    let began = Instant::now();
    let error = failed("outage", workos.create_session(&new_session()).await);
    assert_eq!(error.kind(), ProviderErrorKind::Unavailable);
    assert_eq!(error.status(), Some(503));
    assert!(began.elapsed() < Duration::from_millis(1_000));
}

#[tokio::test]
async fn nobody_listening_is_an_outage() {
    let (port, _held) = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let workos = client_of(&base);
    join_all(OPERATIONS.map(async |operation| {
        let error = failed("nobody", operation.run(&workos).await);
        assert!(!error.may_have_acted());
        assert_eq!(error.kind(), ProviderErrorKind::Unavailable);
        assert_eq!(error.status(), None);
    }))
    .await;
}
