//! Replicas whose clocks differ by up to a minute: signing out everywhere ends what began before
//! it, and spares what begins after it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use tower::Layer;
use tower_magic_link::{
    Email, KeyRing, MagicLinkLayer, Session,
    clock::Timestamp,
    companion::Issued,
    provider::Identity,
    revocation::{
        IntoRevocations, Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target,
    },
    store::{StoreError, StoreFuture},
    testing::{Browser, ManualClock, StubProvider},
};

use crate::{
    answer::Answer,
    names::{ADA, EVE, ORIGIN},
    site::{SESSION, application, keys, program, with_cookie},
};

const NOON: u64 = 1_767_268_800;
/// By how many seconds the other replica's clock is ahead.
const SKEWS: [i64; 9] = [-60, -45, -30, -6, 0, 6, 30, 45, 60];

/// A store of the application's own, in which every look-up waits.
#[derive(Clone, Debug, Default)]
struct Waiting(MemoryRevocations);

impl Revocations for Waiting {
    fn look_up(&self, session: &Session) -> Lookup {
        let (store, session) = (self.0.clone(), session.clone());
        Lookup::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            match store.look_up(&session) {
                Lookup::Settled(answer) => answer,
                Lookup::Pending(answer) => answer.await,
            }
        }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.revoke(revocation)
    }
}

struct Replica {
    layer: MagicLinkLayer,
    clock: ManualClock,
    provider: StubProvider,
}

impl Replica {
    fn new(keys: &KeyRing, ahead: i64, store: impl Revocations) -> Self {
        let now = NOON.checked_add_signed(ahead).unwrap();
        let clock = ManualClock::at(Timestamp::from_secs(now));
        let provider = StubProvider::new();
        let layer = MagicLinkLayer::builder(provider.clone(), keys.clone())
            .public_url(ORIGIN)
            .clock(clock.clone())
            .revocations(store)
            .insecure_no_throttle()
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        Self {
            layer,
            clock,
            provider,
        }
    }

    /// Signs a person in by a link, and returns their cookie.
    async fn sign_in(&self, address: &str) -> String {
        let browser = self.browser(address).await;
        let token = browser.cookie(SESSION).expect("a session");
        format!("{SESSION}={token}")
    }

    /// Returns the browser of a person who has opened a link.
    async fn browser(&self, address: &str) -> Browser {
        let service = self.layer.layer(application::<Full<Bytes>>());
        let mut browser = Browser::new(service, ORIGIN).with_clock(self.clock.clone());
        browser.get("/x").await;
        browser.submit_login(address).await;
        browser.open(self.provider.last_link()).await;
        browser
    }

    async fn admits(&self, cookie: &str) -> bool {
        let request = with_cookie(program("/x"), cookie);
        let answer = Answer::of(self.layer.layer(application()), request).await;
        match answer.status() {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            other => panic!("{other}: {}", answer.text()),
        }
    }

    async fn sign_out_everywhere(&self, cookie: &str) {
        let session = self
            .layer
            .explain(&with_cookie(program("/x"), cookie).into_parts().0);
        let session = session.session().expect("a session").clone();
        let issuer = self.layer.issuer();
        issuer.sign_out_everywhere(&session).await.unwrap();
    }
}

/// Two replicas that share a store.
struct Pair([Replica; 2]);

impl Pair {
    fn new<S: Revocations + Clone>(ahead: i64, store: &S) -> Self {
        let keys = keys();
        Self([0, ahead].map(|ahead| Replica::new(&keys, ahead, store.clone())))
    }

    fn pass(&self, seconds: u64) {
        for replica in &self.0 {
            replica.clock.advance(Duration::from_secs(seconds));
        }
    }

    /// Makes sure which sessions live, at both replicas.
    async fn say(&self, name: &str, cookies: &[String], want: bool) {
        for (number, cookie) in cookies.iter().enumerate() {
            for (at, replica) in self.0.iter().enumerate() {
                let admits = replica.admits(cookie).await;
                assert_eq!(admits, want, "{name}: session {number} at replica {at}");
            }
        }
    }

    async fn both_sign_in(&self, address: &str) -> Vec<String> {
        let mut cookies = Vec::new();
        for replica in &self.0 {
            cookies.push(replica.sign_in(address).await);
        }
        cookies
    }
}

/// Signs out everywhere three times, at one replica and the other, and in again after each.
async fn walk<S: Revocations + Clone>(name: &str, ahead: i64, wait: u64, store: &S) {
    let pair = Pair::new(ahead, store);
    let strangers = pair.both_sign_in(EVE).await;
    let mut mine = pair.both_sign_in(ADA).await;
    for (round, at) in [0, 1, 1, 0, 1].into_iter().enumerate() {
        let name = format!("{name}, {ahead} s ahead, {wait} s between, round {round} at {at}");
        pair.say(&name, &mine, true).await;
        pair.pass(wait);
        pair.0[at].sign_out_everywhere(&mine[round % 2]).await;
        pair.say(&format!("{name}, ended"), &mine, false).await;
        pair.pass(wait);
        mine = pair.both_sign_in(ADA).await;
    }
    pair.say(&format!("{name}, {ahead}: the last"), &mine, true)
        .await;
    pair.say(&format!("{name}, {ahead}: another's"), &strangers, true)
        .await;
}

/// Pins: at 30 s ahead a session survived signing out everywhere for its whole life, and at 30 s
/// behind the next sign-in had ended before it began.
#[tokio::test]
async fn everywhere_ends_what_began_before_and_the_next_sign_in_lives_at_any_skew_of_a_minute() {
    for ahead in SKEWS {
        for wait in [0, 1, 20, 61] {
            walk("memory", ahead, wait, &MemoryRevocations::default()).await;
            walk("a store that waits", ahead, wait, &Waiting::default()).await;
        }
    }
}

fn ada() -> Identity {
    Identity::new("user-1", Email::parse(ADA).unwrap())
}

fn cookie_of(issued: &Issued) -> String {
    format!("{SESSION}={}", issued.token().expose())
}

/// What the application issues by itself comes after what the store knows, too.
#[tokio::test]
async fn what_an_issuer_makes_after_everywhere_lives_at_any_skew_of_a_minute() {
    for ahead in SKEWS {
        let pair = Pair::new(ahead, &MemoryRevocations::default());
        let issued = || {
            pair.0.each_ref().map(|replica| {
                let issued = replica.layer.issuer().issue(&ada()).unwrap();
                (cookie_of(&issued), issued.session().clone())
            })
        };
        let mut mine = issued();
        for at in [0, 1, 1, 0] {
            let name = format!("{ahead} s ahead, at {at}");
            let issuer = pair.0[at].layer.issuer();
            issuer.sign_out_everywhere(&mine[1 - at].1).await.unwrap();
            let cookies = mine.map(|(cookie, _)| cookie);
            pair.say(&format!("{name}, ended"), &cookies, false).await;
            mine = issued();
            let cookies = mine.each_ref().map(|(cookie, _)| cookie.clone());
            pair.say(&name, &cookies, true).await;
        }
        // A further session of the same sign-in ends with it, and not before.
        let further = pair.0[0].layer.issuer().issue_from(&mine[1].1).unwrap();
        pair.say("further", &[cookie_of(&further)], true).await;
        pair.0[1].sign_out_everywhere(&mine[0].0).await;
        pair.say("further", &[cookie_of(&further)], false).await;
    }
}

/// Where nobody can wait for the store, the dates decide: exactly, where the clocks agree.
#[tokio::test]
async fn what_an_issuer_makes_with_a_store_that_waits_goes_by_the_date() {
    let pair = Pair::new(0, &Waiting::default());
    let issue = || pair.0[0].layer.issuer().issue(&ada()).unwrap();
    let before = issue();
    pair.pass(1);
    let issuer = pair.0[1].layer.issuer();
    issuer.sign_out_everywhere(before.session()).await.unwrap();
    pair.pass(1);
    let after = issue();
    pair.say("before", &[cookie_of(&before)], false).await;
    pair.say("after", &[cookie_of(&after)], true).await;
}

/// A revocation of the application's own, given at once after a sign-in that came after another.
#[tokio::test]
async fn no_earlier_revocation_hides_a_later_one() {
    let store = MemoryRevocations::default();
    let pair = Pair::new(0, &store);
    let first = pair.0[0].sign_in(ADA).await;
    pair.0[0].sign_out_everywhere(&first).await;
    pair.pass(1);
    let again = pair.0[1].sign_in(ADA).await;
    pair.say("again", std::slice::from_ref(&again), true).await;
    pair.pass(1);
    let now = Timestamp::from_secs(NOON + 2);
    let target = Target::Address(ADA.to_owned());
    let until = now + Duration::from_secs(86_400);
    store.record(&Revocation::new(target, now, until));
    pair.say("banned", &[again], false).await;
}

/// Only a person of whom a revocation is known costs a sign-in more than one look-up.
#[tokio::test]
async fn a_closure_is_asked_once_for_a_new_session_and_twice_if_its_person_is_banned() {
    for (is_banned, want) in [(false, 1), (true, 2)] {
        let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counts = asked.clone();
        let store = move |_: Session| {
            counts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move {
                Ok::<_, StoreError>(match is_banned {
                    true => Standing::Revoked,
                    false => Standing::Active,
                })
            }
        };
        let replica = Replica::new(&keys(), 0, store.into_revocations());
        let browser = replica.browser(ADA).await;
        assert_eq!(browser.cookie(SESSION).is_some(), !is_banned);
        // Once more where the sign-in leads to.
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), want + 1);
    }
}
