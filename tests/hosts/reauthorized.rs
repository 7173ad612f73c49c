//! The application's word on sessions that go on: when it is asked, and what comes of its answer.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, service_fn};
use tower_magic_link::{
    Authorization, Builder, Email, Grant, MagicLinkLayer, Session,
    companion::Issued,
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::StoreFuture,
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::ADA,
    site::{SESSION, builder, document, program, with_cookie},
};

mod ended;
mod issued;
mod outage;

const EVERY: Duration = Duration::from_secs(300);

type Hook = fn() -> Result<Authorization, String>;

/// A layer whose sessions are asked about every five minutes, and what was heard of it.
struct Asked {
    clock: ManualClock,
    layer: MagicLinkLayer,
    times: Arc<AtomicUsize>,
    events: Arc<Mutex<Vec<String>>>,
}

fn role(role: &str) -> Grant {
    Grant::new().claims(&json!({ "role": role })).unwrap()
}

fn asked(hook: Hook, set: impl FnOnce(Builder) -> Builder) -> Asked {
    let clock = ManualClock::new();
    let (times, events) = (
        Arc::<AtomicUsize>::default(),
        Arc::<Mutex<Vec<_>>>::default(),
    );
    let (counted, heard) = (times.clone(), events.clone());
    let builder = set(builder(&clock).public_path("/about"))
        .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")))
        .reauthorize(EVERY, move |_: Session| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { hook() }
        });
    let layer = builder.build().unwrap();
    Asked {
        clock,
        layer,
        times,
        events,
    }
}

impl Asked {
    fn sign_in(&self) -> Issued {
        let ada = Identity::new("prof_ada", Email::parse(ADA).unwrap());
        let issued = self.layer.issuer().issue_granted(&ada, &role("admin"));
        issued.unwrap()
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }

    fn has_told_of_a_failure(&self) -> bool {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .any(|event| event.contains("ReauthorizeFailed"))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let inner = service_fn(async |request: Request<Full<Bytes>>| {
            let session = request.extensions().get::<Session>();
            let claims = session.map(|session| session.claims::<Value>().unwrap());
            let text = claims.map_or("nobody".to_owned(), |claims| json!(claims).to_string());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
        });
        Answer::of(self.layer.layer(inner), request).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(with_cookie(program(path), &format!("{SESSION}={token}")))
            .await
    }
}

/// Returns the token that a response gives the browser.
fn renewed(answer: &Answer) -> Option<String> {
    Some(answer.cookies().remove(SESSION)?.0)
}

const ADMIN: &str = r#"{"role":"admin"}"#;
const READER: &str = r#"{"role":"reader"}"#;

/// Says later what it knows at once.
#[derive(Clone, Debug, Default)]
struct Slow(MemoryRevocations);

impl Revocations for Slow {
    fn look_up(&self, session: &Session) -> Lookup {
        let standing = self.0.look_up(session);
        Lookup::Pending(Box::pin(async {
            tokio::task::yield_now().await;
            match standing {
                Lookup::Settled(standing) => standing,
                Lookup::Pending(standing) => standing.await,
            }
        }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.revoke(revocation)
    }
}

/// By default no cookie is renewed, and the hook has an interval of its own.
#[tokio::test]
async fn a_changed_role_shows_at_the_first_request_after_the_interval() {
    let stores: [fn(Builder) -> Builder; 2] = [
        |builder| builder,
        |builder| builder.revocations(Slow::default()),
    ];
    for store in stores {
        for path in ["/x", "/about"] {
            let site = asked(|| Ok(Authorization::Granted(role("reader"))), store);
            let token = site.sign_in().token().expose().to_owned();
            site.clock.advance(EVERY - Duration::from_secs(1));
            let early = site.get(path, &token).await;
            assert_eq!((early.text().as_str(), site.times()), (ADMIN, 0), "{path}");
            assert_eq!(renewed(&early), None, "{path}");

            site.clock.advance(Duration::from_secs(1));
            let due = site.get(path, &token).await;
            assert_eq!((due.text().as_str(), site.times()), (READER, 1), "{path}");
            assert_eq!(due.header("cache-control"), "no-store");
            let token = renewed(&due).unwrap();
            let next = site.get(path, &token).await;
            assert_eq!((next.text().as_str(), site.times()), (READER, 1), "{path}");
            assert_eq!(renewed(&next), None, "{path}");
            site.clock.advance(EVERY);
            site.get(path, &token).await;
            assert_eq!(site.times(), 2, "{path}");
        }
    }
}

/// The end of a session is none of the hook's: it is where it was.
#[tokio::test]
async fn what_is_allowed_stays_as_it_is_and_lives_no_longer() {
    let site = asked(|| Ok(Authorization::Allowed), |builder| builder);
    let issued = site.sign_in();
    let end = issued.session().expires_at();
    let mut token = issued.token().expose().to_owned();
    for _ in 0..3 {
        site.clock.advance(EVERY);
        let answer = site.get("/x", &token).await;
        assert_eq!(answer.text(), ADMIN);
        token = renewed(&answer).unwrap();
        let who = site.get("/auth/session", &token).await;
        let who: Value = serde_json::from_slice(&who.body).unwrap();
        assert_eq!(who["expires_at"], end.as_secs());
    }
    site.clock.set(end);
    assert_eq!(site.get("/x", &token).await.status(), 401);
    assert_eq!(
        site.times(),
        3,
        "it is asked about no session that has ended"
    );
}

#[tokio::test]
async fn a_session_that_the_application_ends_is_over_for_all_its_tokens() {
    for store in [
        |builder: Builder| builder,
        |builder: Builder| builder.revocations(Slow::default()),
    ] {
        let site = asked(|| Ok(Authorization::Denied), store);
        let token = site.sign_in().token().expose().to_owned();
        let other = site.sign_in().token().expose().to_owned();
        site.clock.advance(EVERY);
        let ended = site.get("/x", &token).await;
        assert_eq!(
            (ended.status().as_u16(), ended.code().as_str()),
            (401, "revoked_session")
        );
        assert!(ended.cookies().is_empty(), "there may be a newer one");
        let told = site.events.lock().unwrap().concat();
        assert!(told.contains("by: Application"), "{told}");
        // Found in the store from now on, and not asked about again.
        assert_eq!(site.get("/x", &token).await.status(), 401);
        let cookie = format!("{SESSION}={token}");
        let page = site.send(with_cookie(document("/x"), &cookie)).await;
        assert_eq!(page.cookies()[SESSION].1, 0, "the browser drops the cookie");
        assert_eq!(site.times(), 1);
        let public = site.get("/about", &token).await;
        assert_eq!(public.text(), "nobody");
        let public = site.get("/about", &other).await;
        assert_eq!((public.text().as_str(), site.times()), ("nobody", 2));
        assert_eq!(site.get("/x", &other).await.status(), 401);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_keeps_what_was_granted_and_is_told() {
    let hooks: [(&str, Hook); 3] = [
        ("an error", || Err("the database is down".to_owned())),
        ("another subject", || {
            Ok(Authorization::Granted(role("reader").subject("another")))
        }),
        ("more than a cookie holds", || {
            let long = Some("x".repeat(4_000));
            Ok(Authorization::Granted(role("reader").names(long, None)))
        }),
    ];
    for (name, hook) in hooks {
        let site = asked(hook, |builder| builder);
        let token = site.sign_in().token().expose().to_owned();
        site.clock.advance(EVERY);
        let answer = site.get("/x", &token).await;
        assert_eq!(answer.text(), ADMIN, "{name}");
        assert!(site.has_told_of_a_failure(), "{name}");
        // The next try is an interval later, so that an outage does not slow every request.
        let token = renewed(&answer).expect(name);
        assert_eq!(site.get("/x", &token).await.text(), ADMIN, "{name}");
        assert_eq!(site.times(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_delays_its_request_by_two_seconds_and_no_other() {
    let clock = ManualClock::new();
    let layer = builder(&clock)
        .reauthorize(EVERY, |_: Session| pending::<bool>())
        .build()
        .unwrap();
    let ada = Identity::new("prof_ada", Email::parse(ADA).unwrap());
    let sign_in = || layer.issuer().issue(&ada).unwrap();
    let old = sign_in();
    clock.advance(EVERY);
    let new = sign_in();
    for (issued, want) in [(&old, 2), (&new, 0)] {
        let cookie = format!("{SESSION}={}", issued.token().expose());
        let request = with_cookie(program("/x"), &cookie);
        let began = tokio::time::Instant::now();
        let answer = Answer::of(layer.layer(crate::site::application()), request).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(began.elapsed().as_secs(), want);
    }
}

#[tokio::test]
async fn nobody_is_asked_about_a_bearer_token_or_at_an_endpoint() {
    let site = asked(
        || Ok(Authorization::Granted(role("reader"))),
        Builder::bearer_tokens,
    );
    let token = site.sign_in().token().expose().to_owned();
    site.clock.advance(EVERY);
    let mut request = program("/x");
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    assert_eq!(site.send(request).await.text(), ADMIN);
    let who = site.get("/auth/session", &token).await;
    let who: Value = serde_json::from_slice(&who.body).unwrap();
    assert_eq!(who["claims"], json!({ "role": "admin" }));
    assert_eq!(site.times(), 0);
}

/// A proxy that asks for each request hears the new word, and carries the new cookie.
#[tokio::test]
async fn a_proxy_hears_what_is_granted_now() {
    let site = asked(
        || {
            Ok(Authorization::Granted(
                Grant::new().organization("tenant-b"),
            ))
        },
        |builder| builder,
    );
    let token = site.sign_in().token().expose().to_owned();
    let ask = || with_cookie(program("/"), &format!("{SESSION}={token}"));
    let before = Answer::of(site.layer.forward_auth(), ask()).await;
    assert_eq!(before.header("x-auth-organization"), "");
    site.clock.advance(EVERY);
    let permit = Answer::of(site.layer.forward_auth(), ask()).await;
    assert_eq!(permit.header("x-auth-organization"), "tenant-b");
    assert!(renewed(&permit).is_some());

    let site = asked(|| Ok(Authorization::Denied), |builder| builder);
    let token = site.sign_in().token().expose().to_owned();
    site.clock.advance(EVERY);
    let ask = with_cookie(program("/"), &format!("{SESSION}={token}"));
    let refused = Answer::of(site.layer.forward_auth(), ask).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.header("x-auth-decision"), "");
}

#[test]
fn an_interval_under_a_second_does_not_build() {
    let clock = ManualClock::new();
    for (every, is_taken) in [(999, false), (1_000, true)] {
        let every = Duration::from_millis(every);
        let builder = builder(&clock).reauthorize(every, |_: Session| async { true });
        assert_eq!(builder.build().is_ok(), is_taken, "{every:?}");
    }
}
