//! The index of live sessions: what is in it, and that nothing depends on it.

mod full;
mod loose;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderValue;
use tokio::time::Instant;
use tower::Layer;
use tower_magic_link::{
    Builder, Email, MagicLinkLayer, PeerAddr, Session, SessionId,
    clock::{Clock, Timestamp},
    event::Event,
    provider::Identity,
    revocation::{Lookup, Revocation, Revocations, Standing, Target},
    sessions::{ListedSession, MemorySessions, Sessions},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::{ADA, EVE},
    script::{Act, Script},
    site::{application, builder, builder_with, keys, program, with_cookie},
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn issue(layer: &MagicLinkLayer, subject: &str, address: &str) -> (Session, String) {
    let identity = Identity::new(subject, Email::parse(address).unwrap());
    let issued = layer.issuer().issue(&identity).unwrap();
    let cookie = issued.set_cookie();
    let cookie = cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    (issued.session().clone(), cookie)
}

async fn ids(layer: &MagicLinkLayer, subject: &str) -> Vec<SessionId> {
    let listed = layer.sessions_of(subject).await.unwrap();
    listed.iter().map(ListedSession::id).collect()
}

#[tokio::test]
async fn a_subjects_live_sessions_are_listed_and_no_others() {
    let clock = ManualClock::new();
    let builder = builder(&clock).idle_timeout(HOUR);
    let layer = builder
        .session_index(MemorySessions::default())
        .build()
        .unwrap();
    let (phone, _) = issue(&layer, "ada", ADA);
    clock.advance(Duration::from_secs(10));
    let (laptop, _) = issue(&layer, "ada", ADA);
    clock.advance(Duration::from_secs(10));
    let (tablet, _) = issue(&layer, "ada", ADA);
    issue(&layer, "eve", EVE);
    let all = [tablet.id(), laptop.id(), phone.id()];
    assert_eq!(ids(&layer, "ada").await, all, "the last one first");
    assert_eq!(ids(&layer, "nobody").await, []);

    layer.issuer().sign_out(&tablet).await.unwrap();
    assert_eq!(ids(&layer, "ada").await, [laptop.id(), phone.id()]);
    layer
        .end_sessions(Target::Session(phone.id()))
        .await
        .unwrap();
    assert_eq!(
        ids(&layer, "ada").await,
        [laptop.id()],
        "ended, not signed out"
    );
    clock.set(laptop.expires_at() - Duration::from_secs(1));
    assert_eq!(ids(&layer, "ada").await, [laptop.id()]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ids(&layer, "ada").await, [], "it has expired");

    issue(&layer, "ada", ADA);
    layer
        .end_sessions(Target::Address(ADA.to_owned()))
        .await
        .unwrap();
    assert_eq!(ids(&layer, "ada").await, []);
}

/// An index that keeps text, as one that several machines share does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<String>>>);

impl Sessions for Written {
    fn note<'a>(&'a self, session: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        self.0.lock().unwrap().push(session.to_record());
        Box::pin(async { Ok(()) })
    }

    fn forget<'a>(&'a self, _: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        let mut records = self.0.lock().unwrap();
        records.retain(|record| ListedSession::from_record(record).unwrap().id() != id);
        Box::pin(async { Ok(()) })
    }

    fn list<'a>(&'a self, subject: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        let records = self.0.lock().unwrap();
        let listed = records
            .iter()
            .map(|text| ListedSession::from_record(text).unwrap());
        let listed: Vec<_> = listed
            .filter(|listed| listed.subject() == subject)
            .collect();
        Box::pin(async { Ok(listed) })
    }
}

/// A revocation also ends what began within the minute after it, but not the sign-in that knew it.
#[tokio::test]
async fn who_signs_in_at_once_after_signing_out_everywhere_is_listed() {
    let clock = ManualClock::new();
    let index = builder(&clock).session_index(Written::default());
    let layer = index.build().unwrap();
    let (before, _) = issue(&layer, "ada", ADA);
    layer.issuer().sign_out_everywhere(&before).await.unwrap();
    clock.advance(Duration::from_secs(30));
    let (again, cookie) = issue(&layer, "ada", ADA);
    let request = with_cookie(program("/"), &cookie);
    let admitted = Answer::of(layer.layer(application()), request).await;
    assert_eq!(admitted.status(), 200);
    for _ in 0..2 {
        assert_eq!(ids(&layer, "ada").await, [again.id()]);
    }
    layer.issuer().sign_out_everywhere(&again).await.unwrap();
    assert_eq!(ids(&layer, "ada").await, []);
}

#[tokio::test]
async fn a_renewal_tells_the_device_and_its_network() {
    let cases = [
        ("192.0.2.7:4000", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:4000", "2001:db8:1:2::/64"),
        ("[::ffff:192.0.2.7]:4000", "192.0.2.7"),
    ];
    for (peer, network) in cases {
        let clock = ManualClock::new();
        let builder = builder(&clock).idle_timeout(HOUR);
        let layer = builder
            .session_index(MemorySessions::default())
            .build()
            .unwrap();
        let (session, cookie) = issue(&layer, "ada", ADA);
        let ask = async |agent: &str| {
            let mut request = with_cookie(program("/"), &cookie);
            let agent = HeaderValue::from_str(agent).unwrap();
            request.headers_mut().insert("user-agent", agent);
            let peer = PeerAddr::from(peer.parse::<std::net::SocketAddr>().unwrap());
            request.extensions_mut().insert(peer);
            assert_eq!(
                Answer::of(layer.layer(application()), request)
                    .await
                    .status(),
                200
            );
        };
        ask("early/1.0").await;
        let [listed] = <[_; 1]>::try_from(layer.sessions_of("ada").await.unwrap()).unwrap();
        assert_eq!(
            (listed.user_agent(), listed.network()),
            (None, None),
            "issued"
        );
        clock.advance(HOUR / 2);
        ask(&format!("late/1.0 {}", "x".repeat(400))).await;
        let [listed] = <[_; 1]>::try_from(layer.sessions_of("ada").await.unwrap()).unwrap();
        let agent = listed.user_agent().unwrap();
        assert!(
            agent.starts_with("late/1.0 x") && agent.len() == 256,
            "{agent}"
        );
        assert_eq!(listed.network(), Some(network));
        assert_eq!(
            (listed.id(), listed.auth_time()),
            (session.id(), session.auth_time())
        );
        assert_eq!(listed.renewed_at(), clock.now());
        assert_eq!(listed.expires_at(), clock.now() + HOUR);
        let read = ListedSession::from_record(&listed.to_record()).unwrap();
        assert_eq!(read.to_record(), listed.to_record());
        let shown = format!("{listed:?}");
        assert!(!shown.contains("ada") && !shown.contains("late"), "{shown}");
    }
    assert!(ListedSession::from_record("{}").is_none());
}

/// How an index fails.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Fails,
    Hangs,
    Panics,
    PanicsLater,
}

/// An index that is away, never answers, or panics.
#[derive(Debug)]
struct Away(Trouble);

impl Away {
    fn answer<T: Send + 'static>(&self) -> StoreFuture<'_, T> {
        match self.0 {
            Trouble::Fails => Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) }),
            Trouble::Hangs => Box::pin(std::future::pending()),
            Trouble::Panics => panic!("the index panics"),
            Trouble::PanicsLater => Box::pin(async {
                tokio::task::yield_now().await;
                panic!("the index panics, later")
            }),
        }
    }
}

impl Sessions for Away {
    fn note<'a>(&'a self, _: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        self.answer()
    }

    fn forget<'a>(&'a self, _: &'a str, _: SessionId) -> StoreFuture<'a, ()> {
        self.answer()
    }

    fn list<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        self.answer()
    }
}

/// Pinned: a panic was one of each request that began, renewed or ended a session, and no sign-out
/// was recorded.
#[tokio::test(start_paused = true)]
async fn an_index_that_is_away_keeps_nobody_out_and_is_told_once() {
    use Trouble::{Fails, Hangs, Panics, PanicsLater};
    for trouble in [Fails, Hangs, Panics, PanicsLater] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let clock = ManualClock::new();
        let builder = builder(&clock).idle_timeout(HOUR);
        let builder = builder.session_index(Away(trouble));
        let builder = builder.on_event(move |event, _| {
            if let Event::ServerLost { store } | Event::ServerRecovered { store } = event {
                heard.lock().unwrap().push(store.to_string());
            }
        });
        let layer = builder.build().unwrap();
        for _ in 0..3 {
            let (session, cookie) = issue(&layer, "ada", ADA);
            let ask = || with_cookie(program("/"), &cookie);
            clock.advance(HOUR / 2);
            let answer = Answer::of(layer.layer(application()), ask()).await;
            assert_eq!(answer.status(), 200);
            assert!(!answer.cookies().is_empty(), "{trouble:?}: renewed");
            layer.issuer().sign_out(&session).await.unwrap();
            let answer = Answer::of(layer.layer(application()), ask()).await;
            assert_eq!(answer.status(), 401, "{trouble:?}");
        }
        layer.sessions_of("ada").await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(*told.lock().unwrap(), ["sessions"], "{trouble:?}");
    }
}

/// A store that records no end.
#[derive(Debug)]
struct Forgetful;

impl Revocations for Forgetful {
    fn look_up(&self, _: &Session) -> Lookup {
        Lookup::Settled(Ok(Standing::Active))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }
}

/// Pinned: it left the list, and worked on.
#[tokio::test]
async fn a_session_whose_end_was_not_recorded_stays_on_the_list() {
    let builder = builder(&ManualClock::new()).revocations(Forgetful);
    let builder = builder.session_index(MemorySessions::default());
    let layer = builder.build().unwrap();
    let (session, _) = issue(&layer, "ada", ADA);
    layer.issuer().sign_out(&session).await.unwrap_err();
    assert_eq!(ids(&layer, "ada").await, [session.id()]);
}

#[tokio::test]
async fn without_an_index_no_session_is_listed_and_with_one_ends_must_be_known() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    issue(&layer, "ada", ADA);
    assert_eq!(ids(&layer, "ada").await, []);
    // A layer that admits people meanwhile does not know either who has ended.
    for is_admitting in [false, true] {
        for script in [Script::pending(Act::Fail), Script::pending(Act::Hang)] {
            let builder = builder(&ManualClock::new()).revocations(script);
            let builder = builder.session_index(MemorySessions::default());
            let layer = match is_admitting {
                true => builder.insecure_admit_on_outage().build().unwrap(),
                false => builder.build().unwrap(),
            };
            for _ in 0..3 {
                issue(&layer, "ada", ADA);
            }
            let began = Instant::now();
            layer.sessions_of("ada").await.unwrap_err();
            assert!(began.elapsed() < Duration::from_secs(4), "all at once");
        }
    }
}

/// Pinned: only the token's end counted, and the store.
#[tokio::test]
async fn a_session_that_the_layer_no_longer_admits_is_not_listed() {
    let (clock, keys, index) = (ManualClock::new(), keys(), Written::default());
    let layer = |narrow: fn(Builder) -> Builder| {
        let builder = builder_with(&clock, &keys).session_index(index.clone());
        narrow(builder).build().unwrap()
    };
    let wide = layer(|builder| builder.session_lifetime(DAY).idle_timeout(DAY));
    let (session, _) = issue(&wide, "ada", ADA);
    clock.advance(2 * HOUR);
    let narrowed: [fn(Builder) -> Builder; 3] = [
        |builder| builder.session_lifetime(HOUR).idle_timeout(HOUR),
        |builder| builder.session_lifetime(DAY).email_domains(["example.org"]),
        |builder| builder.session_lifetime(DAY).organization("org_1"),
    ];
    for narrow in narrowed {
        assert_eq!(ids(&layer(narrow), "ada").await, []);
    }
    assert_eq!(ids(&wide, "ada").await, [session.id()], "it is kept");
}
