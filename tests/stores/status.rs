//! What an operator sees: `status()`, and the lines of the log.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    revocation::{Lookup, Phase, RedisRevocations, Revocations},
    store::{Redis, StoreErrorKind},
    testing::StubProvider,
    throttle::{Charge, Rate, RedisThrottle, Throttle, ThrottleKey},
};

use crate::{
    log,
    names::{ADA, ORIGIN},
    redis::{Condition, RedisServer, Wire, until},
    session::{People, end_of},
};

fn at(url: &str, grace: u64) -> Redis {
    let redis = Redis::new(url).unwrap();
    let redis = redis.grace(Duration::from_secs(grace)).unwrap();
    redis.settle(Duration::from_secs(1)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_status_says_what_the_store_can_vouch_for_and_why_not() {
    let mut server = RedisServer::start().await;
    server.kill();
    let store = RedisRevocations::connect_later(&at(&server.url(), 2));
    until("it has tried", async || {
        store.status().last_error().is_some()
    })
    .await;
    let status = store.status();
    assert_eq!(status.phase(), Phase::Loading { read: 0, of: 0 });
    assert!(!status.is_ready() && status.last_word().is_none());
    let error = status.last_error().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let line = status.to_string();
    assert!(line.starts_with("loading, 0 of 0: 0 revocations"), "{line}");
    assert!(line.contains("refused"), "{line}");

    server.restart().await;
    store.first_load().await.unwrap();
    let people = People::new();
    for _ in 0..3 {
        let session = people.session("a", 10);
        store.revoke(&end_of(&session)).await.unwrap();
    }
    let status = store.status();
    assert_eq!(status.phase(), Phase::Following);
    assert!(status.is_ready());
    assert_eq!((status.entries(), status.unsent()), (3, 0));
    assert!(status.last_word().unwrap() < Duration::from_millis(2_500));
    let line = status.to_string();
    assert!(line.starts_with("following: 3 revocations, "), "{line}");
    assert!(!line.contains("error"), "it has passed: {line}");
    until("it has read all", async || store.status().lag() == 0).await;

    server.kill();
    let session = people.session("a", 10);
    store.revoke(&end_of(&session)).await.unwrap_err();
    until("it is noticed", async || !store.is_following()).await;
    let status = store.status();
    let Phase::WithinGrace { left } = status.phase() else {
        panic!("{status}");
    };
    assert!(left <= Duration::from_secs(2) && status.is_ready());
    assert_eq!((status.entries(), status.unsent()), (4, 1));
    until("the grace is over", async || {
        store.status().phase() == Phase::PastGrace
    })
    .await;
    let status = store.status();
    assert!(!status.is_ready() && status.last_word() > Some(Duration::from_secs(2)));

    server.restart().await;
    until("it is back, and all is sent", async || {
        let status = store.status();
        status.phase() == Phase::Following && status.unsent() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_user_who_is_refused_is_no_outage_and_no_password_is_shown() {
    log::listen();
    let server = RedisServer::start_with(&["--requirepass", "right"]).await;
    let acl = ["ACL", "SETUSER", "narrow", "on", ">secret-narrow", "~*"];
    let acl = [&["-a", "right"], &acl[..], &["+@connection", "+exists"]].concat();
    assert_eq!(server.say(&acl), "OK");
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}", server.port);
    let logins = [
        ("no password", ""),
        ("a wrong password", ":secret-wrong@"),
        ("an unknown user", "nobody:secret-nobody@"),
        ("a user without the scripts", "narrow:secret-narrow@"),
    ];
    for (name, login) in logins {
        let redis = at(&url(login), 2);
        let error = RedisRevocations::connect(&redis).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{name}: {error:?}");
        let store = RedisRevocations::connect_later(&redis);
        let late = store.first_load().await.unwrap_err();
        assert_eq!(late.kind(), StoreErrorKind::Denied, "{name}: {late:?}");
        let status = store.status();
        let kind = status.last_error().unwrap().kind();
        assert_eq!(kind, StoreErrorKind::Denied, "{name}: {status}");
        let session = People::new().session("a", 10);
        let Lookup::Settled(Err(look_up)) = store.look_up(&session) else {
            panic!("{name}: it knows nothing");
        };
        assert_eq!(look_up.kind(), StoreErrorKind::Denied, "{name}");
        let shown = format!("{error} {error:?} {late:?} {status} {status:?} {look_up:?}");
        assert!(shown.contains("access denied"), "{name}: {shown}");
        assert!(!shown.contains("secret"), "{name}: {shown}");
    }
    let lines = log::logged("refuses this user");
    assert!(lines.len() >= logins.len(), "{lines:?}");
    assert!(log::logged("secret").is_empty());
    let right = RedisRevocations::connect(&at(&url(":right@"), 2)).await;
    assert!(right.unwrap().status().is_ready());
}

/// Pins: each request and each sign-out of an outage added a line to the log.
#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn an_outage_adds_a_line_to_the_log_for_each_change_and_none_for_a_request() {
    // A runtime of one thread, whose log is its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (heard, _listening) = log::here();
    runtime.block_on(async {
        let mut server = RedisServer::start().await;
        let redis = at(&server.url(), 0);
        let store = RedisRevocations::connect(&redis).await.unwrap();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .revocations(store.clone())
            .throttle(RedisThrottle::new(&redis))
            .build()
            .unwrap();
        let service = layer.layer(service_fn(async |_: Request<String>| {
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
        for round in 0..2 {
            let before = heard.loud().len();
            server.kill();
            until("it is lost", async || !store.is_following()).await;
            for number in 0..40 {
                let mut request = Request::new(String::new());
                layer.sign_in(&mut request, ADA);
                if number % 8 == 0 {
                    *request.method_mut() = http::Method::POST;
                    *request.uri_mut() = "/auth/logout".parse().unwrap();
                }
                let _ = service.clone().oneshot(request).await.unwrap();
            }
            let lines = heard.loud().split_off(before);
            let causes = lines.iter().filter(|line| line.contains("redis is away"));
            assert!(causes.count() <= 2, "{round}: {lines:#?}");
            // One line for each change, with its cause: the event adds none.
            for (change, count) in [
                ("redis is away store=\"revocations\"", 1),
                ("server lost", 0),
                ("revocation store lost", 1),
                ("revocations wait for redis", 1),
            ] {
                let lines = lines.iter().filter(|line| line.contains(change));
                assert_eq!(lines.count(), count, "{round}, {change}");
            }
            assert!(lines.iter().any(|line| line.contains("refused")));
            assert!((3..=5).contains(&lines.len()), "{round}: {lines:#?}");
            server.restart().await;
            until("it is back", async || store.is_following()).await;
            let mut request = Request::new(String::new());
            layer.sign_in(&mut request, ADA);
            let answer = service.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            until("all is sent", async || store.status().unsent() == 0).await;
        }
        println!("{:#?}", heard.loud());
    });
}

/// Runs on one thread, whose log is its own.
fn alone(test: impl AsyncFnOnce(log::Log)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let (heard, _listening) = log::here();
    runtime.block_on(test(heard));
}

fn said(heard: &log::Log, what: &str) -> usize {
    let lines = heard.loud();
    lines.iter().filter(|line| line.contains(what)).count()
}

/// Pins: the guide promised a line for each refusal, and the lines that were counted were those of
/// `connect_later`.
#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn a_connect_that_is_refused_tells_its_caller_and_the_log_only_behind_the_login() {
    alone(async |heard| {
        let server = RedisServer::start_with(&["--requirepass", "right"]).await;
        let acl = ["ACL", "SETUSER", "narrow", "on", ">secret-narrow", "~*"];
        let acl = [&["-a", "right"], &acl[..], &["+@connection", "+exists"]].concat();
        assert_eq!(server.say(&acl), "OK");
        let logins = [
            ("no password", "", 0),
            ("a wrong password", ":secret-wrong@", 0),
            ("an unknown user", "nobody:secret-nobody@", 0),
            ("a user without the scripts", "narrow:secret-narrow@", 1),
        ];
        for (name, login, want) in logins {
            let before = said(&heard, "redis refuses this user");
            let url = format!("redis://{login}127.0.0.1:{}", server.port);
            let error = RedisRevocations::connect(&at(&url, 2)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Denied, "{name}: {error:?}");
            let lines = said(&heard, "redis refuses this user") - before;
            assert_eq!(lines, want, "{name}: {:#?}", heard.loud());
        }
        assert!(!heard.says("secret"));
    });
}

/// Pins: a throttle whose outage went on as a refusal never said so, and time does not mend that.
#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn a_refusal_behind_an_outage_is_said() {
    alone(async |heard| {
        let open = RedisServer::start().await;
        let closed = RedisServer::start_with(&["--requirepass", "right"]).await;
        let port = Arc::new(AtomicU16::new(open.port));
        let wire = Wire::switched(port.clone()).await;
        let throttle = RedisThrottle::new(&at(&wire.url(), 0));
        let rate = Rate::new(1_000_000, Duration::from_millis(1));
        let charges = [Charge::new(ThrottleKey::from_bytes([1; 16]), rate)];
        let charge = async || throttle.charge(&charges, Timestamp::from_secs(1_000)).await;
        let away = "redis is away store=\"throttle\"";
        let refused = "redis refuses this user";
        let _ = charge().await.unwrap();
        wire.is_now(Condition::Cut);
        until("the outage is said", async || {
            let _ = charge().await.unwrap();
            said(&heard, away) == 1
        })
        .await;
        port.store(closed.port, Ordering::SeqCst);
        wire.is_now(Condition::Whole);
        until("the refusal is said", async || {
            let _ = charge().await.unwrap();
            said(&heard, refused) == 1
        })
        .await;
        assert_eq!(said(&heard, away), 1);
    });
}

/// Pins: the last line of the log was of an outage that was over.
#[test]
#[ignore = "needs redis-server; run by tests/run"]
fn why_a_new_data_set_is_not_believed_is_said() {
    alone(async |heard| {
        let (master, heir) = (RedisServer::start().await, RedisServer::start().await);
        let before = RedisRevocations::connect(&at(&master.url(), 0)).await;
        drop(before.unwrap());
        heir.say(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
        until("the heir knows", async || heir.say(&["DBSIZE"]) != "0").await;
        heir.say(&["REPLICAOF", "NO", "ONE"]);
        heir.say(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
        let store = RedisRevocations::connect_later(&at(&heir.url(), 0));
        let refused = "redis does not let this replica write";
        until("it is said", async || said(&heard, refused) == 1).await;
        assert!(heard.loud().iter().any(|line| line.contains("NOREPLICAS")));
        heir.say(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
        until("it is followed", async || store.is_following()).await;
        assert_eq!(said(&heard, refused), 1, "once");
        assert!(heard.says("redis is followed now"));
    });
}
