//! `RedisRevocations`: the suite of the port, and what it does beyond that, where a revocation was
//! given, at another replica, and at one that comes later.

use tower_magic_link::{
    Session,
    clock::{Signal, Timestamp},
    revocation::{
        Lookup, RedisRevocations, Revocation, Revocations,
        Standing::{self, Active, Revoked},
        Target,
    },
    store::{Redis, StoreFuture},
    testing::suite,
};

use crate::{
    held,
    redis::{RedisServer, until},
    session::{FAR, People, end_of, revocation, standing},
};

/// A store that answers without a wait, and has a watch.
#[derive(Debug)]
struct AtOnce(RedisRevocations);

impl Revocations for AtOnce {
    fn look_up(&self, session: &Session) -> Lookup {
        let answer = self.0.look_up(session);
        assert!(matches!(answer, Lookup::Settled(_)), "it is known at once");
        answer
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.revoke(revocation)
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        let watch = self.0.watch(session);
        assert!(watch.is_some(), "it has a watch");
        watch
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn redis_passes_the_suite_and_answers_at_once() {
    let server = RedisServer::start().await;
    let report = suite::revocations::run_shared(async |world| {
        let redis = Redis::new(&server.url()).unwrap();
        let redis = redis.namespace(world.name()).unwrap();
        AtOnce(RedisRevocations::connect(&redis).await.unwrap())
    });
    let report = report.await;
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
}

/// Two replicas of an application.
struct Replicas {
    people: People,
    here: RedisRevocations,
    there: RedisRevocations,
    redis: Redis,
}

impl Replicas {
    async fn at(redis: Redis) -> Self {
        Self {
            people: People::new(),
            here: RedisRevocations::connect(&redis).await.unwrap(),
            there: RedisRevocations::connect(&redis).await.unwrap(),
            redis,
        }
    }

    async fn end(&self, revocation: Revocation) {
        self.here.revoke(&revocation).await.unwrap();
    }

    /// Makes sure that a session stands as it should, at each replica, and at one that starts now.
    async fn all_say(&self, what: &str, cases: &[(&Session, Standing)]) {
        // What was ordered before this is heard of before this.
        let last = self.people.session("the last", 0);
        self.end(end_of(&last)).await;
        until(what, async || standing(&self.there, &last) == Some(Revoked)).await;
        let late = RedisRevocations::connect(&self.redis).await.unwrap();
        for (store, name) in [
            (&self.here, "here"),
            (&self.there, "there"),
            (&late, "late"),
        ] {
            for (number, (session, want)) in cases.iter().enumerate() {
                let got = standing(store, session);
                assert_eq!(got, Some(*want), "{what}: session {number}, {name}");
            }
        }
    }
}

/// The suite lets a replica hear of revocations in any order, and of none at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_has_heard_of_a_revocation_has_heard_of_all_before_it() {
    let server = RedisServer::start().await;
    let replicas = Replicas::at(Redis::new(&server.url()).unwrap()).await;
    let people = &replicas.people;
    let [many, later] = [20, 81].map(|second| people.session("many", second));
    replicas
        .end(revocation(Target::Subject("many".to_owned()), 20, FAR))
        .await;
    let cases = [(&many, Revoked), (&later, Active)];
    replicas.all_say("a subject", &cases).await;
    let sessions: Vec<_> = (0..1_000).map(|_| people.session("a", 10)).collect();
    let revocations: Vec<_> = sessions.iter().map(end_of).collect();
    let taken = revocations
        .iter()
        .map(|revocation| replicas.here.revoke(revocation));
    for taken in futures_util::future::join_all(taken).await {
        taken.unwrap();
    }
    let cases: Vec<_> = sessions.iter().map(|session| (session, Revoked)).collect();
    replicas.all_say("a thousand", &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_has_ended_leaves_redis_and_leaves_nothing_behind() {
    let server = RedisServer::start().await;
    let replicas = Replicas::at(Redis::new(&server.url()).unwrap()).await;
    for number in 0..10 {
        let session = replicas.people.session("a", 10);
        replicas
            .end(revocation(Target::Session(session.id()), 20, 50))
            .await;
        replicas
            .end(revocation(Target::Subject(format!("a:{number}")), 20, 50))
            .await;
    }
    assert_eq!(
        (held::revocations(&server), held::groups(&server)),
        ("20".into(), 10)
    );
    let session = replicas.people.session("a", 10);
    replicas
        .end(revocation(Target::Session(session.id()), 110, 200))
        .await;
    assert_eq!(
        (held::revocations(&server), held::groups(&server)),
        ("1".into(), 0)
    );
    // A clock that is ahead does not forget what the server's still knows.
    let far = replicas.people.session("b", 10);
    let century = 100 * 366 * 86_400;
    replicas
        .end(revocation(Target::Session(far.id()), 52, century))
        .await;
    replicas
        .end(revocation(
            Target::Subject("c".to_owned()),
            century + 1,
            century + 2,
        ))
        .await;
    replicas.all_say("a clock that is ahead", &[]).await;
    assert_eq!(held::revocations(&server), "3");
}

/// How many expired revocations a copy keeps at most: seven in each of its tables.
const EXPIRED: usize = 7 * 256;

/// Pins: a replica to which nobody signs out kept all that the others had ever ended.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_has_ended_by_the_servers_clock_leaves_every_copy_and_is_not_put_back() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let a = RedisRevocations::connect(&redis).await.unwrap();
    let b = RedisRevocations::connect(&redis).await.unwrap();
    let people = People::new();
    let second = Timestamp::from_secs;
    let past = |target| Revocation::new(target, second(20), second(50));
    let ended = (0..3_000).flat_map(|number| {
        let session = people.session("a", 10);
        [
            past(Target::Session(session.id())),
            past(Target::Subject(format!("user_{number}"))),
        ]
    });
    let ended: Vec<_> = ended.collect();
    let taken = ended.iter().map(|revocation| a.revoke(revocation));
    futures_util::future::join_all(taken).await;
    let last = people.session("a", 10);
    a.revoke(&end_of(&last)).await.unwrap();
    until("b hears", async || standing(&b, &last) == Some(Revoked)).await;
    assert_eq!(b.len(), 1, "what had ended when it was heard of");
    assert!((2..=EXPIRED + 64).contains(&a.len()), "{}", a.len());

    server.say(&["FLUSHALL"]);
    let held = || held::revocations(&server);
    until("it is refilled", async || held() != "0").await;
    let late = RedisRevocations::connect(&redis).await.unwrap();
    assert_eq!((&*held(), late.len()), ("1", 1));
}

/// Pins: a revocation's moment, which another machine's clock says, was taken for the time at which
/// to forget.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn no_copy_forgets_by_the_clock_of_who_gives_a_revocation() {
    let server = RedisServer::start().await;
    let replicas = Replicas::at(Redis::new(&server.url()).unwrap()).await;
    let one = replicas.people.session("one", 10);
    let many = replicas.people.session("many", 10);
    replicas.end(end_of(&one)).await;
    replicas
        .end(revocation(Target::Subject("many".to_owned()), 20, FAR))
        .await;
    // As many as fill every table and every list.
    let ahead = (0..2_000).flat_map(|number| {
        let session = replicas.people.session("a", 10);
        [
            revocation(Target::Session(session.id()), FAR + 1, FAR + 2),
            revocation(Target::Subject(format!("a{number}")), FAR + 1, FAR + 2),
        ]
    });
    let ahead: Vec<_> = ahead.collect();
    let taken = ahead
        .iter()
        .map(|revocation| replicas.here.revoke(revocation));
    futures_util::future::join_all(taken).await;
    replicas
        .all_say(
            "a clock that is ahead",
            &[(&one, Revoked), (&many, Revoked)],
        )
        .await;
}
