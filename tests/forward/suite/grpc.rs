//! gRPC from end to end, by what the guide changes for it: a client and a service of tonic's, with
//! the proxy between them, HTTP/2 on both sides.

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Frame, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tonic::{Code, metadata::MetadataMap};

use crate::{
    echo::{self, Caller, SAY},
    front::{Front, LIFETIME, Running},
    names::ADA,
};

const SOON: Duration = Duration::from_secs(10);

fn field(fields: &MetadataMap, name: &str) -> String {
    let values = fields.get_all(name).iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
    values.join(", ")
}

/// A stranger hears 16, whatever they say of themselves.
async fn grpc_refuses_a_stranger(stranger: &Caller, front: Front) {
    for caller in [stranger.clone(), stranger.clone().with("x-auth-email", ADA)] {
        for refused in [
            caller.say("hello").await.err(),
            caller.chat("hello").await.err(),
        ] {
            let refused = refused.unwrap();
            assert_eq!(
                refused.code(),
                Code::Unauthenticated,
                "{front:?}: {refused}"
            );
            assert_eq!(refused.message(), "sign-in required", "{front:?}");
        }
    }
}

/// Who is signed in is named to the service, in whose answers nothing is missing.
async fn grpc_serves_who_is_signed_in(caller: &Caller, front: Front) {
    let answer = caller.say("hello").await.unwrap();
    assert_eq!(answer.get_ref(), &format!("{ADA} of 3: hello"), "{front:?}");
    let forged = [
        ("x-auth-email", "eve"),
        ("x-auth-organization", "eve"),
        ("x-auth-request-email", "eve"),
        ("x-forwarded-user", "eve"),
    ];
    let forger = forged
        .into_iter()
        .fold(caller.clone(), |caller, (name, value)| {
            caller.with(name, value)
        });
    let answer = forger.say("hello").await.unwrap();
    assert_eq!(answer.get_ref(), &format!("{ADA} of 3: hello"), "{front:?}");

    let mut chat = timeout(SOON, caller.chat("one")).await.unwrap().unwrap();
    for (text, next) in [("one", "two"), ("two", "three"), ("three", "end")] {
        // The next is said when this one is answered: both ways are open at once.
        let answer = timeout(SOON, chat.hear()).await.unwrap().unwrap();
        assert_eq!(answer, Some(format!("{ADA} of 3: {text}")), "{front:?}");
        chat.say(next);
    }
    // Traefik holds the service's end back until the client has ended its half.
    if front == Front::Traefik {
        chat.say_no_more();
    }
    let end = timeout(SOON, chat.hear()).await.unwrap().unwrap_err();
    let late = field(end.metadata(), "x-late");
    let told = (end.code(), end.message(), late.as_str());
    assert_eq!(
        told,
        (Code::FailedPrecondition, "the end", "1"),
        "{front:?}"
    );
}

/// Pins: Envoy handed a client's trailers on, and tonic merges those of a unary call into its
/// fields, so that who was signed in passed for anybody.
async fn grpc_takes_no_name_from_trailers(authority: &str, cookie: &str, front: Front) {
    let stream = TcpStream::connect(authority).await.unwrap();
    let (executor, stream) = (TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = http2::handshake(executor, stream).await.unwrap();
    tokio::spawn(connection);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-auth-email", "eve".parse().unwrap());
    // A message of seven bytes: its first field, of five.
    let hello = Frame::data(Bytes::from_static(b"\0\0\0\0\x07\x0a\x05hello"));
    let frames = [hello, Frame::trailers(trailers)].map(Ok::<_, std::io::Error>);
    let call = Request::post(format!("http://{authority}{SAY}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("cookie", cookie)
        .body(StreamBody::new(stream::iter(frames)))
        .unwrap();
    let answered = async {
        let answer = sender.send_request(call).await.ok()?;
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some(String::from_utf8_lossy(&body).into_owned())
    };
    let answer = timeout(SOON, answered).await.unwrap();
    let named = answer.as_deref().map(|answer| answer.contains(ADA));
    // nginx refuses the call, and HAProxy hands trailers on, as trailers.
    let want = match front {
        Front::Nginx => None,
        Front::Haproxy => Some(false),
        _ => Some(true),
    };
    assert_eq!(named, want, "{front:?}: {answer:?}");
}

async fn carries_grpc(front: Front) {
    let (running, authority) = front.before_grpc(&echo::serve().await).await;
    let stranger = Caller::at(&authority).await;
    grpc_refuses_a_stranger(&stranger, front).await;

    let person = running.person().await;
    let (_, token) = person.cookie.split_once("magic-link=").unwrap();
    let token = token.split(';').next().unwrap();
    let by_cookie = stranger.clone().with("cookie", &person.cookie);
    let bearer = format!("Bearer {token}");
    let by_token = stranger.clone().with("authorization", &bearer);
    for caller in [&by_cookie, &by_token] {
        grpc_serves_who_is_signed_in(caller, front).await;
    }
    grpc_takes_no_name_from_trailers(&authority, &person.cookie, front).await;
    grpc_keeps_to_the_session(&by_cookie, &running, front).await;
}

/// A renewal arrives, a store that is out is no refusal, and a session ends.
async fn grpc_keeps_to_the_session(caller: &Caller, running: &Running, front: Front) {
    running.store.is_out.store(true, Ordering::Relaxed);
    let out = caller.say("hello").await.unwrap_err();
    assert_eq!(out.code(), Code::Unavailable, "{front:?}: {out}");
    running.store.is_out.store(false, Ordering::Relaxed);

    // What a session was given to is the browser's alone. Traefik cannot add the field.
    let private = match front {
        Front::Traefik => "",
        _ => "private",
    };
    let kept = caller.say("hello").await.unwrap();
    assert_eq!(
        field(kept.metadata(), "cache-control"),
        private,
        "{front:?}"
    );

    running.clock.advance(LIFETIME / 2);
    let renewed = caller.say("hello").await.unwrap();
    let cookie = field(renewed.metadata(), "set-cookie");
    assert!(cookie.starts_with("magic-link=ey"), "{front:?}: {cookie}");
    let caching = field(renewed.metadata(), "cache-control");
    assert!(caching.contains("no-store"), "{front:?}: {caching}");
    running.clock.advance(LIFETIME);
    let ended = caller.say("hello").await.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated, "{front:?}: {ended}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn grpc_passes_nginx_whole() {
    carries_grpc(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn grpc_passes_debians_caddy_whole() {
    carries_grpc(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn grpc_passes_the_newest_caddy_whole() {
    carries_grpc(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn grpc_passes_traefik_whole() {
    carries_grpc(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn grpc_passes_haproxy_whole() {
    carries_grpc(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn grpc_passes_envoy_whole() {
    carries_grpc(Front::Envoy).await;
}
