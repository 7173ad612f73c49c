//! Stores that fail: one of the application's, and a Redis that refuses the password and repeats
//! it, in the clear or over TLS.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::timeout;
use tower_magic_link::{
    Builder, MagicLinkLayer, Session, SessionId, SignIn,
    clock::Timestamp,
    provider::MailedLinks,
    revocation::{Lookup, MemoryRevocations, RedisRevocations, Revocation, Revocations, Target},
    sessions::{ListedSession, MemorySessions, RedisSessions, Sessions},
    store::{Redis, StoreError, StoreErrorKind, StoreFuture},
    throttle::{Charge, Charged, MemoryThrottle, RedisThrottle, Take, Throttle, ThrottleKey},
};

use super::type_digits;
use crate::{
    names::{ADA, EVE, ORIGIN},
    redis::{RedisServer, free_port},
    rude::Rude,
    secrets::Kind,
    support::Post,
    walk::Walk,
    watched::Watched,
};

pub(super) const PASSWORD: &str = "redis-hunter2-marker";

/// A server that refuses would be waited for until the grace is over.
const BRIEF: Duration = Duration::from_millis(50);

pub(crate) async fn all(walk: &Walk) {
    of_the_application(walk).await;
    away(walk).await;
    // At once: each waits for the time of a connection.
    let codes = ["ERR", "NOAUTH", "NOPERM", "WRONGPASS", "MOVED 1", "LOADING"];
    let refusing = join_all(codes.map(async |code| by_redis(walk, &Rude::start(code).await).await));
    let tls = async { by_redis(walk, &Rude::start_with_tls("WRONGPASS").await).await };
    tokio::join!(refusing, tls, nobody(walk));
    bad_urls(walk);
}

/// A store whose errors repeat the key that it was asked for, as those of a database do.
#[derive(Clone, Debug, Default)]
struct Failing {
    memory: MemoryRevocations,
    finds: Arc<AtomicBool>,
}

fn repeats(what: &str) -> StoreError {
    StoreError::unavailable(format!("duplicate key: Key (what)=({what}) of {ADA}"))
}

impl Revocations for Failing {
    fn look_up(&self, session: &Session) -> Lookup {
        match self.finds.load(Ordering::SeqCst) {
            true => self.memory.look_up(session),
            false => Lookup::Settled(Err(repeats(session.email()))),
        }
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(repeats(&revocation.target().key())) })
    }
}

async fn of_the_application(walk: &Walk) {
    for finds in [false, true] {
        let sets: [fn(Builder) -> Builder; 2] =
            [|builder| builder, Builder::insecure_admit_on_outage];
        for set in sets {
            let store = Failing::default();
            store.finds.store(finds, Ordering::SeqCst);
            let set = |builder| set(builder).revocations(store.clone());
            let world = walk.world(set).await;
            let mut browser = walk.browser(&world.layer);
            browser.sign_in(&world, ADA, "/").await;
            walk.gather(&world);
            browser.get("/reports").await;
            // It is back.
            store.finds.store(true, Ordering::SeqCst);
            browser.get("/reports").await;
            browser.clone().post("/auth/logout", "").await;
            browser.post("/auth/logout", "everywhere=true").await;
            let target = Target::Address(ADA.to_owned());
            walk.show(&target);
            let ended = world.layer.end_sessions(target).await;
            // Its source is the application's own words.
            walk.say(&ended.unwrap_err());
            walk.show(&world.layer.check().await);
        }
    }
}

/// An index of sessions and a throttle that are away, and come back.
#[derive(Clone, Debug, Default)]
struct Away {
    is_back: Arc<AtomicBool>,
    sessions: MemorySessions,
    throttle: MemoryThrottle,
}

impl Away {
    fn fails(&self) -> bool {
        !self.is_back.load(Ordering::SeqCst)
    }
}

impl Sessions for Away {
    fn note<'a>(&'a self, session: &'a ListedSession, now: Timestamp) -> StoreFuture<'a, ()> {
        match self.fails() {
            true => Box::pin(async { Err(repeats(&session.to_record())) }),
            false => self.sessions.note(session, now),
        }
    }

    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        match self.fails() {
            true => Box::pin(async { Err(repeats(subject)) }),
            false => self.sessions.forget(subject, id),
        }
    }

    fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        match self.fails() {
            true => Box::pin(async { Err(repeats(subject)) }),
            false => self.sessions.list(subject, now),
        }
    }
}

impl Throttle for Away {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        match self.fails() {
            true => Err(repeats("a key of the throttle")),
            false => self.throttle.charge(charges, now).await,
        }
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        match self.fails() {
            true => Err(repeats("a key of the throttle")),
            false => self.throttle.take_try(key, most, until, now).await,
        }
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.throttle.give_try_back(key, now).await
    }
}

async fn away(walk: &Walk) {
    let away = Away::default();
    let post = Post::default();
    let set = |builder: Builder| {
        let builder = builder.mailer(Watched::new(post.clone(), walk));
        let builder = builder.session_index(away.clone()).throttle(away.clone());
        builder.sign_in(SignIn::LinkAndCode)
    };
    let world = walk.world(set).await;
    for _ in 0..2 {
        let mut browser = walk.browser(&world.layer);
        let check = browser.ask_for_link(ADA, "/").await;
        type_digits(&mut browser, &check, &post.code()).await;
        let session = world.layer.sign_in(&mut http::Request::new(()), ADA);
        // Its source is the application's own words.
        let _ = world.layer.sessions_of(session.subject()).await;
        walk.keep(world.layer.issuer().sign_out(&session).await)
            .unwrap();
        away.is_back.store(true, Ordering::SeqCst);
    }
}

/// Keeps what a Redis that does not answer has the layer say.
async fn by_redis(walk: &Walk, server: &Rude) {
    walk.secrets.add(Kind::RedisPassword, PASSWORD);
    let (scheme, port) = match server.authority {
        Some(_) => ("rediss", server.port),
        None => ("redis", server.port),
    };
    let redis = Redis::new(&format!("{scheme}://app:{PASSWORD}@localhost:{port}")).unwrap();
    let redis = match &server.authority {
        Some(authority) => redis.ca_certificates(authority).unwrap(),
        None => redis,
    };
    let redis = redis.connect_timeout(Duration::from_millis(200)).unwrap();
    let sentinels = redis.clone().sentinels_of("mymaster");
    let sentinels = sentinels.sentinel_login("app", PASSWORD);
    tokio::join!(used(walk, &redis, BRIEF), used(walk, &sentinels, BRIEF));
}

/// Uses all stores there, and waits so long until the ended sessions are loaded.
async fn used(walk: &Walk, redis: &Redis, patience: Duration) {
    walk.show(redis);
    let _ = walk.keep(RedisRevocations::connect(redis).await);
    let revocations = RedisRevocations::connect_later(redis);
    let post = Post::default();
    let provider = Watched::new(MailedLinks::new(), walk);
    let builder = MagicLinkLayer::builder(provider, walk.keys.clone())
        .public_url(ORIGIN)
        .mailer(Watched::new(post, walk))
        .insecure_answer_when_sent()
        .revocations(Watched::new(revocations.clone(), walk))
        .throttle(RedisThrottle::new(redis))
        .session_index(RedisSessions::new(redis));
    let layer = walk.hear(builder).build().unwrap();
    walk.show(&layer);
    let report = layer.check().await;
    walk.show(&report);
    walk.say(&report);
    let mut browser = walk.browser(&layer);
    browser.ask_for_link(EVE, "/").await;
    let mut request = http::Request::get("/reports").body("".into()).unwrap();
    let session = layer.sign_in(&mut request, ADA);
    browser.send(request).await;
    let _ = walk.keep(layer.issuer().sign_out_everywhere(&session).await);
    let _ = walk.keep(layer.sessions_of(session.subject()).await);
    let _ = timeout(patience, revocations.first_load()).await;
    let status = revocations.status();
    walk.show(&status);
    walk.say(&status);
    if let Some(error) = status.last_error() {
        walk.say(error);
        walk.show(&error.cause());
    }
}

/// A real Redis, with the right password and a wrong one, that evicts keys.
pub(crate) async fn at_a_real_redis(walk: &Walk) {
    walk.secrets.add(Kind::RedisPassword, PASSWORD);
    let evicting = [
        "--maxmemory",
        "100mb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--requirepass",
        PASSWORD,
    ];
    let server = RedisServer::start_with(&evicting).await;
    let wrong = format!("{PASSWORD}-and-more");
    walk.secrets.add(Kind::RedisPassword, &wrong);
    for (password, patience) in [(PASSWORD, Duration::from_secs(20)), (wrong.as_str(), BRIEF)] {
        let url = format!("redis://default:{password}@127.0.0.1:{}", server.port);
        used(walk, &Redis::new(&url).unwrap(), patience).await;
    }
}

/// Nobody listens there.
async fn nobody(walk: &Walk) {
    let (port, _held) = free_port();
    let redis = Redis::new(&format!("redis://app:{PASSWORD}@127.0.0.1:{port}")).unwrap();
    used(walk, &redis, BRIEF).await;
}

fn bad_urls(walk: &Walk) {
    for url in [
        format!("http://app:{PASSWORD}@127.0.0.1"),
        format!("{PASSWORD}@127.0.0.1"),
        format!("redis://app:{PASSWORD}@"),
        format!("redis+unix:///nowhere?pass={PASSWORD}&x"),
        format!("redis://app:{PASSWORD}@127.0.0.1/x/{PASSWORD}"),
    ] {
        let _ = walk.keep(Redis::new(&url));
    }
    walk.show(&StoreErrorKind::Denied);
}
