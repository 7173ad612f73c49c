//! A data set that is new: Redis was emptied or restarted, or a key of it is gone.

use std::time::Duration;

use tokio::time::Instant;
use tower_magic_link::{
    Session,
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
    },
    store::Redis,
};

use super::{connect, end, is_back};
use crate::{
    held,
    redis::{Condition, RedisServer, Wire, until},
    session::{People, end_of, standing},
};

/// How many sessions have ended before Redis is emptied, in each round.
const ROUNDS: [usize; 4] = [20, 20, 2_000, 20_000];
/// With every replica there, a confirmed end is obeyed everywhere within this.
const OBEYED: Duration = Duration::from_millis(2_500);

fn at(url: &str) -> Redis {
    Redis::new(url).unwrap()
}

/// Pins: a replica that started beside a Redis that had come back empty found nothing there, and
/// said that sessions which had ended were active, for as long as the others were putting back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_starts_beside_an_emptied_redis_admits_nothing_that_has_ended() {
    for ended in ROUNDS {
        let mut server = RedisServer::start().await;
        let redis = at(&server.url());
        let (a, b) = (connect(&redis).await, connect(&redis).await);
        let sessions = end_many(&a, ended).await;
        until("b hears", async || b.len() == ended).await;
        server.kill();
        let new = RedisRevocations::connect_later(&redis);
        server.restart().await;
        let mut asked = 0;
        until("the new replica believes", async || {
            for session in sessions.iter().step_by(1 + ended / 20) {
                asked += 1;
                assert_ne!(standing(&new, session), Some(Active), "{ended}, {asked}");
            }
            new.is_following()
        })
        .await;
        for session in &sessions {
            assert_eq!(standing(&new, session), Some(Revoked));
        }
        assert_eq!([a.len(), b.len(), new.len()], [ended; 3]);
        println!("{ended}: asked {asked} times");
    }
}

/// Pins: where the set alone was deleted or evicted, the replicas went on, and a new one loaded an
/// empty set and admitted all that had ended, for good.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn whichever_key_is_lost_is_put_back_or_nobody_is_vouched_for() {
    for key in ["ended", "groups", "state", "stream"] {
        let server = RedisServer::start().await;
        let redis = at(&server.url());
        let (a, b) = (connect(&redis).await, connect(&redis).await);
        let sessions = end_many(&a, 50).await;
        until("b hears", async || b.len() == 50).await;
        server.say(&["DEL", &format!("{{tower-magic-link}}:{key}")]);
        let new = RedisRevocations::connect_later(&redis);
        until("the new replica believes", async || {
            for session in &sessions {
                assert_ne!(standing(&new, session), Some(Active), "{key}");
            }
            new.is_following()
        })
        .await;
        for session in &sessions {
            assert_eq!(standing(&new, session), Some(Revoked), "{key}");
        }
        let later = People::new().session("later", 10);
        end(&new, &later).await;
        for (name, store) in [("a", &a), ("b", &b)] {
            let took = until("it hears", async || {
                standing(store, &later) == Some(Revoked)
            })
            .await;
            assert!(took < OBEYED, "{key}, {name}: {took:?}");
        }
        assert_eq!(held::revocations(&server), "51", "{key}");
    }
}

/// Pins: a stream that was deleted was taken for one without news.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_was_in_a_stream_that_is_deleted_is_loaded() {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port).await;
    let a = connect(&at(&server.url())).await;
    let b = connect(&at(&wire.url())).await;
    let one = People::new().session("one", 10);
    wire.is_now(Condition::Cut);
    until("it is noticed", async || !b.is_following()).await;
    end(&a, &one).await;
    server.say(&["DEL", "{tower-magic-link}:stream"]);
    wire.is_now(Condition::Whole);
    is_back("cut", &b).await;
    assert_eq!(standing(&b, &one), Some(Revoked), "before it believes");
}

/// Pins: whoever was putting back read no stream meanwhile, and a sign-out that another replica had
/// confirmed held there only once all was put back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_is_confirmed_while_a_redis_is_refilled_is_obeyed_at_once() {
    let server = RedisServer::start().await;
    let redis = at(&server.url());
    let stores = [
        connect(&redis).await,
        connect(&redis).await,
        connect(&redis).await,
    ];
    let [a, others @ ..] = &stores;
    let ended = 30_000;
    end_many(a, ended).await;
    until("they hear", async || {
        stores.iter().all(|store| store.len() == ended)
    })
    .await;
    server.say(&["FLUSHALL"]);
    let people = People::new();
    let mut slowest = Duration::ZERO;
    let began = Instant::now();
    let mut more = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let session = people.session("meanwhile", 10);
        end(a, &session).await;
        more += 1;
        for store in others {
            let took = until("it hears", async || {
                standing(store, &session) == Some(Revoked)
            })
            .await;
            slowest = slowest.max(took);
        }
    }
    println!("{more} ended meanwhile; the slowest was obeyed after {slowest:?}");
    assert!(slowest < OBEYED, "{slowest:?}");
    until("it is refilled", async || {
        held::revocations(&server) == (ended + more).to_string()
    })
    .await;
    assert!(stores.iter().all(RedisRevocations::is_following));
}

async fn end_many(store: &RedisRevocations, count: usize) -> Vec<Session> {
    let people = People::new();
    let sessions: Vec<_> = (0..count).map(|_| people.session("a", 10)).collect();
    let revocations: Vec<_> = sessions.iter().map(end_of).collect();
    let taken = revocations
        .iter()
        .map(|revocation| store.revoke(revocation));
    let taken = futures_util::future::join_all(taken).await;
    assert!(taken.iter().all(Result::is_ok));
    sessions
}
