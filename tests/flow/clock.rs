//! A clock that is set back, or forth, by an hour: what is over stays over.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    clock::{Clock, Timestamp},
    revocation::{Lookup, MemoryRevocations, Revocations, Standing},
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, World, app_of, client},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Sets the clock an hour back.
fn set_back(world: &World) -> Timestamp {
    let back = world.clock.now() - HOUR;
    world.clock.set(back);
    back
}

async fn is_refused(browser: &Browser, name: &str) {
    // A clone: the refusal removes the cookie.
    assert_eq!(browser.clone().get("/").await.status(), 303, "{name}");
}

#[tokio::test]
async fn an_expired_session_stays_expired() {
    for (name, lifetime) in [("its lifetime", 12 * HOUR), ("its idle time", 2 * HOUR)] {
        let world = World::with(|builder| builder.idle_timeout(lifetime)).await;
        let browser = world.signed_in(ADA).await;
        world.clock.advance(lifetime - SECOND);
        assert_eq!(browser.clone().get("/").await.status(), 200, "{name}");
        world.clock.advance(SECOND);
        is_refused(&browser, name).await;
        set_back(&world);
        is_refused(&browser, name).await;
        world.clock.set(Timestamp::from_secs(0));
        is_refused(&browser, name).await;
    }
}

#[tokio::test]
async fn who_is_signed_in_stays_so_until_the_same_end_when_the_clock_steps() {
    let world = World::new().await;
    let browser = world.signed_in(ADA).await;
    let begun = world.clock.now();
    let cases = [
        ("an hour back", begun - HOUR, 200),
        ("an hour forth", begun + HOUR, 200),
        ("back to where it began", begun, 200),
        ("a second early", begun + 12 * HOUR - SECOND, 200),
        ("at the end", begun + 12 * HOUR, 303),
        ("before the end again", begun + 11 * HOUR, 303),
    ];
    for (name, now, want) in cases {
        world.clock.set(now);
        assert_eq!(browser.clone().get("/").await.status(), want, "{name}");
    }
}

#[tokio::test]
async fn a_session_that_was_ended_stays_ended() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    let copy = browser.clone();
    let other = world.signed_in(ADA).await;
    browser.post("/auth/logout", "").await;
    let back = set_back(&world);
    is_refused(&copy, "set back").await;
    // Everywhere, by a clock that is an hour behind: it ends what began later by that clock.
    other.clone().post("/auth/logout", "everywhere=true").await;
    is_refused(&other, "everywhere").await;
    world.clock.set(back + HOUR + HOUR);
    is_refused(&copy, "set forth").await;
    is_refused(&other, "everywhere, set forth").await;
}

/// The clocks of two replicas may be a minute apart.
#[tokio::test]
async fn signing_out_everywhere_ends_what_a_replica_ahead_of_this_one_has_begun() {
    let key = SigningKey::generate().unwrap();
    let ended = MemoryRevocations::default();
    let clock = ManualClock::new();
    let replica = |ahead| {
        MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(key.clone()))
            .public_url(ORIGIN)
            .clock(ManualClock::at(clock.now() + ahead))
            .revocations(ended.clone())
            .build()
            .unwrap()
    };
    let (here, ahead) = (replica(Duration::ZERO), replica(30 * SECOND));
    let mut asking = Request::post("/auth/logout")
        .header("host", "app.example.com")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from("everywhere=true"))
        .unwrap();
    let session = ahead.sign_in(&mut asking, ADA);
    let earlier = here.sign_in(&mut Request::new(()), ADA);
    assert_eq!(
        Browser::new(app_of(&here), ORIGIN)
            .send(asking)
            .await
            .status(),
        303
    );
    clock.advance(31 * SECOND);
    let later = replica(Duration::ZERO).sign_in(&mut Request::new(()), ADA);
    let standing = |session| match ended.look_up(session) {
        Lookup::Settled(standing) => standing.unwrap(),
        Lookup::Pending(_) => panic!("memory does not wait"),
    };
    assert_eq!(standing(&session), Standing::Revoked);
    assert_eq!(standing(&earlier), Standing::Revoked);
    assert_eq!(standing(&later), Standing::Active);
}

/// Pins: a replica whose clock is behind took the sign-out for one of no session. It said that the
/// person was signed out and recorded nothing, and a copy of the cookie worked on at the others. Of
/// a sign-out everywhere, which ends nothing there, it said that the session had ended.
#[tokio::test]
async fn signing_out_at_a_replica_whose_clock_is_behind_ends_the_session_at_the_others() {
    let key = SigningKey::generate().unwrap();
    let ended = MemoryRevocations::default();
    let clock = ManualClock::new();
    let replica = |now| {
        let keys = KeyRing::new(key.clone());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
        let builder = builder
            .clock(ManualClock::at(now))
            .revocations(ended.clone());
        builder.build().unwrap()
    };
    let (right, behind) = (replica(clock.now()), replica(clock.now() - HOUR));
    for planted in ["", "__Host-magic-link=planted; "] {
        let mut signed_in = Request::new(());
        right.sign_in(&mut signed_in, ADA);
        let own = signed_in.headers()["cookie"].to_str().unwrap();
        let cookies = format!("{planted}{own}");
        let ask = |layer, request: http::request::Builder, form: &'static str| {
            let request = request
                .header("host", "app.example.com")
                .header("accept", "text/html")
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded");
            let mut browser = Browser::new(app_of(layer), ORIGIN);
            async move { browser.send(request.body(form.into()).unwrap()).await }
        };
        let there = |method, cookies| {
            Request::builder()
                .method(method)
                .uri("/auth/logout")
                .header("cookie", cookies)
        };
        let page = ask(&behind, there("GET", own), "").await;
        assert!(page.text().contains(ADA), "{}", page.text());
        let everywhere = ask(&behind, there("POST", &cookies), "everywhere=true").await;
        assert_eq!(everywhere.status(), 503, "{planted:?}: it ends nothing");
        assert_eq!(everywhere.header("retry-after"), "", "{planted:?}");
        let (page, told) = (everywhere.read(), RejectionKind::SignOutNotRecorded);
        assert!(page.contains(told.heading()), "{planted:?}: {page}");
        assert!(page.contains(told.happened()), "{planted:?}: {page}");
        let home = || Request::get("/").header("cookie", own);
        assert_eq!(ask(&right, home(), "").await.status(), 200);
        let out = ask(&behind, there("POST", &cookies), "").await;
        assert_eq!(out.location(), "/auth/logout", "{planted:?}");
        assert_eq!(ask(&right, home(), "").await.status(), 303, "{planted:?}");
    }
}

/// A wall clock that can be set, and one that only runs.
#[derive(Clone, Debug)]
struct Dials {
    wall: ManualClock,
    running: ManualClock,
}

impl Clock for Dials {
    fn now(&self) -> Timestamp {
        self.wall.now()
    }

    fn running(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.running.now().as_secs()))
    }
}

/// Pins: a sign-in that began at another replica was found too old, until a restart.
#[tokio::test]
async fn a_replica_whose_clock_was_once_ahead_ends_what_began_at_another() {
    let world = World::new().await;
    let [wall, running] = [(); 2].map(|()| ManualClock::at(world.clock.now()));
    let clock = Dials {
        wall: wall.clone(),
        running: running.clone(),
    };
    let builder = MagicLinkLayer::builder(client(&world.workos), world.keys.clone());
    let builder = builder.public_url(ORIGIN).clock(clock);
    let once_ahead = builder.build().unwrap();
    let mut there = Browser::new(app_of(&once_ahead), ORIGIN);
    wall.advance(HOUR);
    there.get("/auth/login").await;
    wall.set(world.clock.now());
    there.get("/auth/login").await;
    for later in [world.clock.now() + 2 * HOUR, world.clock.now() + 9 * HOUR] {
        for clock in [&world.clock, &wall, &running] {
            clock.set(later);
        }
        let mut browser = world.browser();
        browser.ask_for_link(ADA, "/reports").await;
        let callback = world.follow_mail(ADA).await;
        there.jar.clone_from(&browser.jar);
        let landed = there.get(&callback).await;
        assert_eq!(landed.location(), "/reports", "{}", landed.text());
        // And the other way round.
        let mut began = Browser::new(app_of(&once_ahead), ORIGIN);
        began.ask_for_link(ADA, "/reports").await;
        let callback = world.follow_mail(ADA).await;
        browser.jar.clone_from(&began.jar);
        let landed = browser.get(&callback).await;
        assert_eq!(landed.location(), "/reports", "{}", landed.text());
    }
}

#[tokio::test]
async fn a_sign_in_that_was_over_stays_over() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    world.clock.advance(Duration::from_secs(25 * 60));
    let late = browser.get(&callback).await;
    assert!(
        late.read()
            .contains(RejectionKind::AttemptExpired.heading())
    );
    set_back(&world);
    let again = browser.get(&callback).await;
    assert_eq!(again.status(), 400);
    assert!(
        again
            .read()
            .contains(RejectionKind::AttemptExpired.heading()),
        "{}",
        again.text()
    );
    assert_eq!(world.exchanges(), 0, "the provider is not asked");
}

#[tokio::test]
async fn wrong_codes_are_counted_on() {
    let post = Post::default();
    let mailed = |builder: Builder| builder.mailer(post.clone()).sign_in(SignIn::Code);
    let world = World::with(mailed).await;
    let mut browser = world.browser();
    let check = browser.ask_for_link(ADA, "/").await.text();
    let (_, rest) = check.split_once("action=\"/auth/code?t=").unwrap();
    let action = format!("/auth/code?t={}", rest.split_once('"').unwrap().0);
    let right = post.code();
    let wrong = if right == "000000" {
        "111111"
    } else {
        "000000"
    };
    // Forth and back between the tries: neither gives one back.
    for (step, want) in [(0, 422), (60, 422), (0, 422), (60, 422), (0, 422)] {
        world.clock.advance(Duration::from_secs(step));
        let answer = browser.post(&action, &format!("code={wrong}")).await;
        assert_eq!(answer.status(), want, "{}", answer.text());
        if step == 60 {
            set_back(&world);
        }
    }
    for name in ["set back", "set back once more"] {
        let answer = browser.post(&action, &format!("code={right}")).await;
        assert_eq!(answer.status(), 403, "{name}: {}", answer.text());
        assert!(
            answer
                .text()
                .contains(RejectionKind::TooManyTries.heading())
        );
        set_back(&world);
    }
}

#[tokio::test]
async fn what_was_mailed_is_counted_on() {
    let world = World::new().await;
    let ask = async || world.browser().ask_for_link(ADA, "/").await.status();
    let mut taken = 0;
    while ask().await == 200 {
        taken += 1;
        assert!(taken < 100, "there is a limit");
    }
    assert!(taken > 0);
    set_back(&world);
    assert_eq!(ask().await, 429);
    world.clock.advance(HOUR);
    assert_eq!(ask().await, 429, "back where it was");
}
