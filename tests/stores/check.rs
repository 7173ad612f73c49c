//! The self-test of the stores in Redis: one that is fit, one that evicts, one that is gone, and
//! users of few rights.

use std::time::Duration;

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    check::Report,
    clock::Timestamp,
    revocation::RedisRevocations,
    sessions::RedisSessions,
    store::Redis,
    testing::{ManualClock, StubProvider},
    throttle::RedisThrottle,
};

use crate::{
    names::ORIGIN,
    redis::{RedisServer, until},
    row::{Row, Value},
};

const STORES: [&str; 3] = ["revocation store", "throttle", "session index"];
const ANSWERS: &str = "redis answers, and is the primary";
const WRITES: &str = "redis lets this user write and run scripts";
const CLOCK: &str = "redis's clock agrees with this machine's";
const KEEPS: &str = "redis keeps keys that have no expiry";
const FOLLOWS: &str = "this process has all that has ended";

async fn check(
    redis: &Redis,
    store: &RedisRevocations,
    set: impl FnOnce(Builder) -> Builder,
) -> Report {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .revocation_timeout(Duration::from_secs(10))
        .revocations(store.clone())
        .throttle(RedisThrottle::new(redis))
        .session_index(RedisSessions::new(redis));
    set(builder).build().unwrap().check().await
}

/// Returns the line of a store about something.
fn line(report: &Report, store: &str, what: &str) -> String {
    let what = format!("{store}: {what}");
    let line = report.lines().iter().find(|line| line.what() == what);
    line.unwrap_or_else(|| panic!("{what} in {report}"))
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_fit_passes_and_keeps_nothing_of_the_self_test() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url())
        .unwrap()
        .settle(Duration::ZERO)
        .unwrap();
    let store = RedisRevocations::connect(&redis).await.unwrap();
    let keys = server.say(&["DBSIZE"]);
    let report = check(&redis, &store, |builder| builder).await;
    assert!(report.is_ok(), "{report}");
    for store in STORES {
        for what in [ANSWERS, WRITES, CLOCK] {
            assert!(line(&report, store, what).starts_with("passed"), "{report}");
        }
    }
    let follows = "the server is the one that this process follows";
    for what in [KEEPS, FOLLOWS, follows] {
        let line = line(&report, "revocation store", what);
        assert!(line.starts_with("passed"), "{report}");
    }
    assert_eq!(server.say(&["DBSIZE"]), keys, "no key is left");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_evicts_or_has_another_time_has_failed() {
    let arguments = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let server = RedisServer::start_with(&arguments).await;
    let redis = Redis::new(&server.url())
        .unwrap()
        .settle(Duration::ZERO)
        .unwrap();
    let store = RedisRevocations::connect(&redis).await.unwrap();
    let yesterday = ManualClock::at(Timestamp::from_secs(1_700_000_000));
    let report = check(&redis, &store, |builder| builder.clock(yesterday)).await;
    let evicts = line(&report, "revocation store", KEEPS);
    let want = "its maxmemory-policy is allkeys-lru, which drops them when memory is full; run CONFIG SET \
                maxmemory-policy noeviction";
    assert!(
        evicts.starts_with("failed") && evicts.contains(want),
        "{report}"
    );
    let row = Row {
        name: "a Redis that evicts",
        read: evicts,
        setting: "maxmemory-policy",
        value: Value::Shown("allkeys-lru"),
        cure: "run CONFIG SET maxmemory-policy noeviction",
    };
    assert_eq!(row.faults(), [""; 0]);
    let clock = line(&report, "throttle", CLOCK);
    assert!(
        clock.starts_with("failed") && clock.contains("behind redis's"),
        "{report}"
    );
    assert!(
        line(&report, "throttle", WRITES).starts_with("passed"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_redis_that_is_gone_has_failed_for_each_store() {
    let mut server = RedisServer::start().await;
    let redis = Redis::new(&server.url())
        .unwrap()
        .settle(Duration::ZERO)
        .unwrap();
    let store = RedisRevocations::connect(&redis).await.unwrap();
    server.kill();
    until("it is noticed", async || !store.is_following()).await;
    let report = check(&redis, &store, |builder| builder).await;
    for store in STORES {
        let line = line(&report, store, ANSWERS);
        assert!(line.starts_with("failed"), "{report}");
        assert!(
            line.contains("see whether redis runs at its URL"),
            "{report}"
        );
    }
    let follows = line(&report, "revocation store", FOLLOWS);
    assert!(follows.starts_with("failed"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_user_without_the_rights_is_told_which_and_no_password_is_shown() {
    let server = RedisServer::start().await;
    let say = |user: &str, rights: &[&str]| {
        let order = [&["ACL", "SETUSER", user, "on", ">s3cret"], rights].concat();
        assert_eq!(server.say(&order), "OK");
    };
    let ours = ["~{tower-magic-link}:*", "+@read", "+@connection", "+time"];
    say("reads", &[&ours[..], &["+@scripting", "+info"]].concat());
    say(
        "uninformed",
        &[&ours[..], &["+@scripting", "+@write"]].concat(),
    );
    say("elsewhere", &["~other:*", "+@all"]);
    say(
        "blind",
        &["~{tower-magic-link}:*", "+@all", "-xread", "-hvals"],
    );
    let cases = [
        (
            "reads",
            "s3cret",
            WRITES,
            "failed",
            "give the user the ACL that store::Redis names",
        ),
        (
            "uninformed",
            "s3cret",
            KEEPS,
            "not checked",
            "add +info to its ACL",
        ),
        ("uninformed", "s3cret", WRITES, "passed", ""),
        (
            "blind",
            "s3cret",
            WRITES,
            "failed",
            "its ACL lacks XREAD; give the user the ACL that store::Redis names",
        ),
        ("blind", "s3cret", FOLLOWS, "failed", "NOPERM"),
        (
            "elsewhere",
            "s3cret",
            ANSWERS,
            "failed",
            "check the user, the password and the ACL",
        ),
        (
            "reads",
            "s3cret2",
            ANSWERS,
            "failed",
            "check the user, the password and the ACL",
        ),
    ];
    for (user, password, what, outcome, want) in cases {
        let url = server.url().replace("//", &format!("//{user}:{password}@"));
        let redis = Redis::new(&url).unwrap();
        let store = RedisRevocations::connect_later(&redis);
        if what == FOLLOWS {
            let has_failed = async || store.status().last_error().is_some();
            until("it has tried", has_failed).await;
        }
        let report = check(&redis, &store, |builder| builder).await;
        let line = line(&report, "revocation store", what);
        assert!(
            line.starts_with(outcome) && line.contains(want),
            "{user}: {report}"
        );
        assert!(!report.to_string().contains("s3cret"), "{user}: {report}");
    }
}

/// Pins: the self-test passed beside a store that could never load.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_store_whose_every_load_fails_has_failed() {
    let server = RedisServer::start().await;
    let ended = "{tower-magic-link}:ended";
    assert_eq!(server.say(&["SET", ended, "of another program"]), "OK");
    let redis = Redis::new(&server.url()).unwrap();
    let store = RedisRevocations::connect_later(&redis);
    until("it has tried", async || {
        store.status().last_error().is_some()
    })
    .await;
    let report = check(&redis, &store, |builder| builder).await;
    let follows = line(&report, "revocation store", FOLLOWS);
    assert!(follows.starts_with("failed"), "{report}");
    assert!(follows.contains("WRONGTYPE"), "{report}");
    assert!(follows.contains("another program has keys"), "{report}");
}
