//! gRPC through the guard to a service that speaks HTTP/2.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::Code;

use super::setting::{Guarded, SOON, Version, ask, nowhere};
use crate::{
    echo::{self, Caller},
    names::ADA,
    person::ProxiedPerson,
    upstream,
};

fn h2c(origin: &str) -> String {
    origin.replace("http:", "h2c:")
}

#[tokio::test]
async fn grpc_passes_the_guard_whole() {
    let guard = Guarded::before(&h2c(&echo::serve().await)).await;
    let stranger = Caller::at(guard.authority()).await;
    let forger = stranger.clone().with("x-auth-email", ADA);
    for caller in [&stranger, &forger] {
        let refused = caller.say("hello").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
        let refused = caller.chat("hello").await.err().unwrap();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    }
    let caller = forger.with("cookie", &guard.cookie);
    let answer = caller.say("hello").await.unwrap();
    assert_eq!(answer.get_ref(), &format!("{ADA} of 3: hello"));
    let mut chat = caller.chat("one").await.unwrap();
    for (text, next) in [("one", "two"), ("two", "three"), ("three", "end")] {
        let answer = chat.hear().await.unwrap();
        assert_eq!(answer, Some(format!("{ADA} of 3: {text}")));
        chat.say(next);
    }
    let end = chat.hear().await.unwrap_err();
    let told = (end.code(), end.message());
    assert_eq!(told, (Code::FailedPrecondition, "the end"));
    assert_eq!(end.metadata().get("x-late").unwrap(), "1");
}

/// Pinned: with a session, the head did not end the answer, which some clients take for one without
/// trailers.
#[tokio::test]
async fn trailers_that_are_alone_stay_in_the_head() {
    let guard = Guarded::before(&h2c(&echo::serve().await)).await;
    let stream = TcpStream::connect(guard.authority()).await.unwrap();
    let (executor, stream) = (TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    for cookie in ["", guard.cookie.as_str()] {
        let request = Request::get(format!("{}/about", guard.origin))
            .header("cookie", cookie)
            .body(http_body_util::Empty::<Bytes>::new())
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "12", "{cookie:?}");
        assert!(answer.body().is_end_stream(), "{cookie:?}");
    }
}

/// Pinned: the guard broke it off, and a client of tonic's heard of an internal error.
#[tokio::test]
async fn a_stream_of_grpc_ends_with_its_session_and_says_so() {
    let guard = Guarded::before(&h2c(&echo::serve().await)).await;
    let caller = Caller::at(guard.authority()).await;
    let mut chat = caller
        .with("cookie", &guard.cookie)
        .chat("one")
        .await
        .unwrap();
    assert!(chat.hear().await.unwrap().is_some());
    let mut person = ProxiedPerson::at(&guard.origin);
    person.cookie.clone_from(&guard.cookie);
    assert_eq!(person.sign_out("").await.status(), 303);
    let end = tokio::time::timeout(SOON, chat.hear()).await;
    let end = end.expect("ended soon").unwrap_err();
    assert_eq!(end.code(), Code::Unauthenticated, "{end}");
}

#[tokio::test]
async fn a_service_of_grpc_that_is_down_is_unavailable() {
    let (nowhere, _held) = nowhere();
    let guard = Guarded::before(&h2c(&nowhere)).await;
    let caller = Caller::at(guard.authority()).await;
    let down = caller.with("cookie", &guard.cookie).say("hello").await;
    assert_eq!(down.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn what_http2_cannot_carry_is_not_passed_on_to_a_service_of_it() {
    let guard = Guarded::before(&h2c(&echo::serve().await)).await;
    let mut person = ProxiedPerson::at(&guard.origin);
    person.cookie.clone_from(&guard.cookie);
    assert_eq!(person.greet("/socket").await, Err(501));
    // Every other request is, in the service's own version, and whatever host it names.
    for version in Version::BOTH {
        let request = version.client().get(format!("{}/about", guard.origin));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "12", "{version:?}");
        assert_eq!(answer.headers()["via"], "2.0 guard", "{version:?}");
    }
}

/// HTTP/2 has no `Connection`, and its `:authority` is the service's.
#[tokio::test]
async fn a_service_of_http2_hears_the_clients_host_and_its_wish_for_trailers() {
    let service = upstream::serve_http2().await;
    let guard = Guarded::before(&service).await;
    let head =
        "GET /about HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n";
    let answer = ask(guard.authority(), head.as_bytes()).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let target = format!("GET {}/about", service.replace("h2c:", "http:"));
    assert!(body.contains(&target), "{body}");
    let fields = upstream::fields_of(body);
    assert!(!fields.contains_key("host") && !fields.contains_key("connection"));
    assert_eq!(fields["x-forwarded-host"], "a.example");
    assert_eq!(fields["te"], "trailers");
}

#[tokio::test]
async fn a_clients_trailers_end_at_the_guard_also_by_http2() {
    let guard = Guarded::before(&upstream::serve_http2().await).await;
    let stream = TcpStream::connect(guard.authority()).await.unwrap();
    let (executor, stream) = (TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-auth-email", "eve@example.com".parse().unwrap());
    let hello = Frame::data(Bytes::from_static(b"hello"));
    let frames = [hello, Frame::trailers(trailers)].map(Ok::<_, std::io::Error>);
    let request = Request::post(format!("{}/trailers", guard.origin))
        .header("cookie", &guard.cookie)
        .body(StreamBody::new(stream::iter(frames)))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "trailers: None");
}
