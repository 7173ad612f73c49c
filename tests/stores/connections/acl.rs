//! The ACL that the guide names: all that the stores need, and no word too many.

use tower_magic_link::{
    clock::Timestamp,
    revocation::{RedisRevocations, Revocations, Standing, Target},
    sessions::{ListedSession, RedisSessions, Sessions},
    store::Redis,
    throttle::{RedisThrottle, Throttle},
};

use super::{log, works};
use crate::{
    redis::{RedisServer, until},
    session::{FAR, NOON, People, after, revocation, standing},
    throttle::key,
};

/// The line of the guide, without its password.
const RIGHTS: [&str; 7] = [
    "~{tower-magic-link}:*",
    "+@read",
    "+@write",
    "+@scripting",
    "+@connection",
    "+time",
    "+info",
];

/// A session, as the index writes it.
const RECORD: &str = r#"{"sid":"AAECAwQFBgcICQoLDA0ODw","sub":"ada","email":"ada@example.com",
    "iat":1,"exp":9000000000,"auth_time":1}"#;

const GUIDE: &str = include_str!("../../../src/guide/running_more_than_one.md");

/// Returns a server with a user of these rights, and the address for that user.
async fn server(rights: &[&str]) -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    let user = [&["ACL", "SETUSER", "app", "on", ">word"], rights].concat();
    assert_eq!(server.say(&user), "OK");
    let url = format!("{}/1", server.url().replace("//", "//app:word@"));
    (server, Redis::new(&url).unwrap())
}

/// Calls every script and every command of the stores.
async fn everything(redis: &Redis) {
    works(redis).await;
    let throttle = RedisThrottle::new(redis);
    let _ = throttle
        .take_try(key(2), 5, after(600), NOON)
        .await
        .unwrap();
    throttle.give_try_back(key(2), NOON).await.unwrap();
    let store = RedisRevocations::connect(redis).await.unwrap();
    let listed = ListedSession::from_record(RECORD).unwrap();
    let sessions = RedisSessions::new(redis);
    sessions
        .note(&listed, Timestamp::from_secs(10))
        .await
        .unwrap();
    let found = sessions
        .list("ada", Timestamp::from_secs(10))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    sessions.forget("ada", listed.id()).await.unwrap();
    let everybody = Target::Organization("org".to_owned());
    store.revoke(&revocation(everybody, 20, FAR)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_rights_that_the_guide_names_are_enough_for_every_command() {
    assert!(GUIDE.contains(&RIGHTS.join(" ")), "the guide");
    let (server, redis) = server(&RIGHTS).await;
    everything(&redis).await;
    // After that, Redis has lost what it knew: this is put back.
    let known = RedisRevocations::connect(&redis).await.unwrap();
    let people = People::new();
    let session = people.session("a", 10);
    for number in 0..1_100 {
        let target = Target::Subject(format!("subject-{number}"));
        drop(known.revoke(&revocation(target, 20, FAR)));
    }
    let end = crate::session::end_of(&session);
    known.revoke(&end).await.unwrap();
    let count = known.len();
    server.say(&["FLUSHALL"]);
    let fresh = RedisRevocations::connect(&redis).await.unwrap();
    until("it is put back", async || fresh.len() == count).await;
    assert_eq!(standing(&fresh, &session), Some(Standing::Revoked));
    assert_eq!(server.say(&["ACL", "LOG"]), "", "nothing was denied");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn each_word_of_the_line_is_needed() {
    for word in RIGHTS {
        let rights: Vec<_> = RIGHTS.into_iter().filter(|right| *right != word).collect();
        let (server, redis) = server(&rights).await;
        let store = RedisRevocations::connect_later(&redis);
        let throttle = RedisThrottle::new(&redis);
        until(word, async || {
            let _ = throttle
                .take_try(key(2), 5, after(600), NOON)
                .await
                .unwrap();
            // What the ACL denies is in the server's log.
            !server.say(&["ACL", "LOG"]).is_empty()
        })
        .await;
        if word == "+info" {
            until("it does without", async || store.is_following()).await;
        }
        assert_eq!(store.is_following(), word == "+info", "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_user_without_info_is_served_and_the_log_says_so_once() {
    log::listen();
    let rights: Vec<_> = RIGHTS.into_iter().filter(|word| *word != "+info").collect();
    let (server, redis) = server(&rights).await;
    works(&redis).await;
    RedisRevocations::connect(&redis).await.unwrap();
    let address = format!("127.0.0.1:{}", server.port);
    let lines = log::logged("may not run INFO");
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(&address))
        .collect();
    assert_eq!(lines.len(), 1, "once for all connections: {lines:?}");
    assert!(
        lines[0].starts_with("WARN") && !lines[0].contains("word"),
        "{lines:?}"
    );
}
