//! gRPC from end to end, by what the guide changes for it: a client and a service of tonic's, with
//! the proxy between them, HTTP/2 on both sides.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::timeout;
use tonic::{Code, metadata::MetadataMap};

use crate::{
    echo::{self, Caller},
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
