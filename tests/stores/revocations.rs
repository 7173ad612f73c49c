//! What every revocation store does, where a revocation was given, at another replica, and at one
//! that comes later.

use std::sync::Arc;

use futures_util::FutureExt;
use tower_magic_link::{
    Session,
    clock::Timestamp,
    provider::Identity,
    revocation::{
        MemoryRevocations, RedisRevocations, Revocation, Revocations,
        Standing::{self, Active, Revoked},
        Target,
    },
    store::Redis,
};

use crate::{
    redis::{RedisServer, until},
    session::{FAR, People, end_of, revocation, standing},
};

/// Two replicas of an application; in memory there is one alone.
struct Replicas {
    people: People,
    here: Arc<dyn Revocations>,
    there: Arc<dyn Revocations>,
    redis: Option<Redis>,
}

impl Replicas {
    fn in_memory() -> Self {
        let store = MemoryRevocations::default();
        Self {
            people: People::new(),
            here: Arc::new(store.clone()),
            there: Arc::new(store),
            redis: None,
        }
    }

    async fn at(redis: Redis) -> Self {
        Self {
            people: People::new(),
            here: Arc::new(RedisRevocations::connect(&redis).await.unwrap()),
            there: Arc::new(RedisRevocations::connect(&redis).await.unwrap()),
            redis: Some(redis),
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
        until(what, async || {
            standing(&*self.there, &last) == Some(Revoked)
        })
        .await;
        let late: Arc<dyn Revocations> = match &self.redis {
            Some(redis) => Arc::new(RedisRevocations::connect(redis).await.unwrap()),
            None => self.here.clone(),
        };
        for (store, name) in [
            (&self.here, "here"),
            (&self.there, "there"),
            (&late, "late"),
        ] {
            for (number, (session, want)) in cases.iter().enumerate() {
                let got = standing(&**store, session);
                assert_eq!(got, Some(*want), "{what}: session {number}, {name}");
            }
        }
    }
}

async fn one_session_ends_and_no_other(replicas: &Replicas) {
    let people = &replicas.people;
    let (one, other) = (people.session("a", 10), people.session("a", 10));
    replicas
        .all_say("before", &[(&one, Active), (&other, Active)])
        .await;
    replicas.end(end_of(&one)).await;
    replicas
        .all_say("one", &[(&one, Revoked), (&other, Active)])
        .await;
    replicas.end(end_of(&one)).await;
    replicas
        .all_say("again", &[(&one, Revoked), (&other, Active)])
        .await;
}

async fn a_subjects_sessions_end_up_to_the_moment(replicas: &Replicas) {
    let people = &replicas.people;
    let [before, same, later] = [19, 20, 21].map(|second| people.session("a", second));
    let another = people.session("b", 19);
    replicas
        .end(revocation(Target::Subject("a".to_owned()), 20, FAR))
        .await;
    let cases = [
        (&before, Revoked),
        (&same, Revoked),
        (&later, Active),
        (&another, Active),
    ];
    replicas.all_say("a subject", &cases).await;
}

async fn what_sessions_have_in_common_ends_them(replicas: &Replicas) {
    let people = &replicas.people;
    let of = |name: &str, email: &str| {
        let identity = Identity::new(format!("prof_{name}"), email.parse().unwrap())
            .with_organization(Some(format!("org_{name}")))
            .with_connection(Some(format!("conn_{name}")))
            .with_provider_session(Some(format!("session_{name}")));
        people.session_of(&identity, 10)
    };
    let targets: [fn(&str) -> Target; 5] = [
        |name| Target::Address(format!("{}@EXAMPLE.com", name.to_ascii_uppercase())),
        |name| Target::Connection(format!("conn_{name}")),
        |name| Target::Organization(format!("org_{name}")),
        |name| Target::ProviderSession(format!("session_{name}")),
        |name| Target::Subject(format!("prof_{name}")),
    ];
    for (number, target) in targets.into_iter().enumerate() {
        let (a, b) = (format!("a:{number}"), format!("b{number}"));
        let ada = of(&a, &format!("ada{number}@example.com"));
        let eve = of(&b, &format!("eve{number}@example.com"));
        let name = if number == 0 {
            format!("ada{number}")
        } else {
            a
        };
        let target = target(&name);
        assert!(target.names(&ada) && !target.names(&eve), "{target:?}");
        replicas.end(revocation(target.clone(), 9, FAR)).await;
        replicas
            .all_say("a second early", &[(&ada, Active), (&eve, Active)])
            .await;
        replicas.end(revocation(target, 10, FAR)).await;
        replicas
            .all_say("in time", &[(&ada, Revoked), (&eve, Active)])
            .await;
    }
}

async fn an_earlier_revocation_does_not_shorten_a_later_one(replicas: &Replicas) {
    let people = &replicas.people;
    let one = people.session("one", 10);
    let many = people.session("many", 40);
    let (id, all) = (
        Target::Session(one.id()),
        Target::Subject("many".to_owned()),
    );
    replicas.end(revocation(id.clone(), 20, FAR)).await;
    replicas.end(revocation(id, 20, 30)).await;
    replicas.end(revocation(all.clone(), 40, FAR)).await;
    replicas.end(revocation(all, 20, 30)).await;
    // Enough for what has ended by the second 100 to be forgotten.
    let passing: Vec<_> = (0..300).map(|_| people.session("p", 10)).collect();
    for session in &passing {
        let target = Target::Session(session.id());
        replicas.end(revocation(target, 100, 50)).await;
    }
    replicas
        .all_say("the longer holds", &[(&one, Revoked), (&many, Revoked)])
        .await;
}

async fn revocations_that_come_together_all_hold(replicas: &Replicas) {
    let people = &replicas.people;
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

async fn who_watches_a_session_hears_of_its_end(replicas: &Replicas) {
    let people = &replicas.people;
    for store in [&replicas.here, &replicas.there] {
        let (one, other) = (people.session("a", 10), people.session("b", 10));
        let mut mine = store.watch(&one).unwrap();
        let mut others = store.watch(&other).unwrap();
        assert!((&mut mine).now_or_never().is_none());
        replicas.end(end_of(&people.session("c", 10))).await;
        assert!((&mut mine).now_or_never().is_none());
        replicas.end(end_of(&one)).await;
        mine.await;
        assert!((&mut others).now_or_never().is_none());
        store.watch(&one).unwrap().await;
    }
}

/// The list.
async fn behave(make: impl AsyncFn(&str) -> Replicas) {
    one_session_ends_and_no_other(&make("one").await).await;
    a_subjects_sessions_end_up_to_the_moment(&make("subject").await).await;
    what_sessions_have_in_common_ends_them(&make("common").await).await;
    an_earlier_revocation_does_not_shorten_a_later_one(&make("later").await).await;
    revocations_that_come_together_all_hold(&make("together").await).await;
    who_watches_a_session_hears_of_its_end(&make("watch").await).await;
}

#[tokio::test]
async fn memory_behaves() {
    behave(async |_| Replicas::in_memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn redis_behaves() {
    let server = RedisServer::start().await;
    behave(async |name| {
        Replicas::at(Redis::new(&server.url()).unwrap().namespace(name).unwrap()).await
    })
    .await;
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
    let count =
        |key: &str, command: &str| server.say(&[command, &format!("{{tower-magic-link}}:{key}")]);
    assert_eq!(
        (count("ended", "ZCARD"), count("groups", "HLEN")),
        ("20".into(), "10".into())
    );
    let session = replicas.people.session("a", 10);
    replicas
        .end(revocation(Target::Session(session.id()), 110, 200))
        .await;
    assert_eq!(
        (count("ended", "ZCARD"), count("groups", "EXISTS")),
        ("1".into(), "0".into())
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
    assert_eq!(count("ended", "ZCARD"), "3");
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
    let held = || server.say(&["ZCARD", "{tower-magic-link}:ended"]);
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
