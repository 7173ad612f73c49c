//! Being remembered: the tick box, how the choice travels, and how long who made it is signed in.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tower_magic_link::{
    Builder, MagicLinkLayer, Session, SignIn,
    clock::Clock,
    emulator::{Endpoint, Fault},
    page::{DefaultPages, LoginPage, Page, Pages, RememberMe},
    revocation::{Lookup, Revocation, Revocations, Standing},
    store::StoreFuture,
    testing::ManualClock,
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, Post, World, app_of, by_own_link, client},
};

const SESSION: &str = "__Host-magic-link";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const FORM: &str = "/auth/login?return_to=/reports";

/// Sessions of 12 hours that end after an idle hour; 30 days for whoever asks.
fn remembering(builder: Builder) -> Builder {
    builder.idle_timeout(HOUR).remember_me(30 * DAY)
}

fn ticked(name: &str) -> String {
    format!("email=ada%40example.com&remember_me={name}")
}

/// Returns the seconds of the session cookie that an answer sets; `None` when it goes with the
/// browser.
fn max_age(answer: &Answer) -> Option<i64> {
    let set = answer.set_cookies().into_iter();
    let mut cookies = set.map(|cookie| cookie::Cookie::parse(cookie).unwrap());
    let cookie = cookies.find(|cookie| cookie.name() == SESSION);
    let cookie = cookie.unwrap_or_else(|| panic!("no session: {}", answer.text()));
    cookie.max_age().map(|age| age.whole_seconds())
}

/// Signs in by the provider's mail, and returns the answer that sets the cookie.
async fn sign_in(world: &World, browser: &mut Browser, form: &str) -> Answer {
    browser.get(FORM).await;
    let answer = browser.post(FORM, form).await;
    browser.follow(answer).await;
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await
}

#[tokio::test]
async fn the_form_has_a_box_where_remembering_is_offered_and_keeps_its_tick_beside_a_problem() {
    let world = World::new().await;
    let form = world.browser().get("/auth/login").await;
    assert!(!form.text().contains("remember_me"), "{}", form.text());

    let world = World::with(remembering).await;
    let mut browser = world.browser();
    let offered = r#"<input name="remember_me" type="checkbox" value="true">"#;
    let form = browser.get("/auth/login").await;
    assert!(form.text().contains(offered), "{}", form.text());
    for (form, want) in [
        ("email=no&remember_me=true", true),
        ("email=no&remember_me=no", false),
        ("email=no", false),
    ] {
        let answer = browser.post("/auth/login", form).await;
        assert_eq!(answer.status(), 422);
        let text = answer.text();
        assert_eq!(text.contains(r#"value="true" checked>"#), want, "{form}");
        assert_eq!(text.contains(offered), !want, "{form}");
    }
}

#[test]
fn pages_of_ones_own_are_told_of_the_box() {
    let page = LoginPage::new("/auth/login");
    assert!(!page.offers_remember_me());
    let page = page.with_remember_me(RememberMe::Ticked);
    assert!(page.offers_remember_me());
    assert_eq!(page.remember_me(), Some(RememberMe::Ticked));
    let html = DefaultPages::new().render(&Page::Login(page));
    assert!(html.contains("Keep me signed in"));
}

#[tokio::test]
async fn who_ticks_the_box_is_remembered_and_who_does_not_goes_with_the_browser() {
    let month = Some(30 * 24 * 3_600);
    let cases = [
        ("ticked", ticked("true"), month),
        (
            "ticked, as a box without a value says it",
            ticked("on"),
            month,
        ),
        ("another value", ticked("false"), None),
        ("a number", ticked("1"), None),
        ("empty", ticked(""), None),
        ("not ticked", "email=ada%40example.com".to_owned(), None),
    ];
    for (name, form, want) in cases {
        let world = World::with(remembering).await;
        let mut browser = world.browser();
        let answer = sign_in(&world, &mut browser, &form).await;
        assert_eq!(answer.location(), "/reports", "{name}");
        assert_eq!(max_age(&answer), want, "{name}");
        let lifetime = if want.is_some() { 30 * DAY } else { HOUR };
        world.clock.advance(lifetime - Duration::from_secs(1));
        let last = browser.clone().get("/").await;
        assert_eq!(last.status(), 200, "{name}");
        // Renewed: still not kept beyond the browser.
        if want.is_none() {
            assert_eq!(max_age(&last), None, "{name}");
        } else {
            assert!(last.set_cookies().is_empty(), "{name}: no end is later");
        }
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(browser.get("/").await.status(), 303, "{name}");
    }
    let world = World::with(remembering).await;
    let twice = format!("{}&remember_me=on", ticked("on"));
    let mut browser = world.browser();
    browser.get(FORM).await;
    assert_eq!(browser.post(FORM, &twice).await.status(), 400);
}

#[tokio::test]
async fn where_it_is_not_offered_nobody_is_remembered_and_the_cookie_outlives_the_browser_as_ever()
{
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = sign_in(&world, &mut browser, &ticked("true")).await;
    assert_eq!(max_age(&answer), Some(12 * 3_600));
    // Nor would they be, were it offered later.
    let payload = browser.jar[SESSION].split('.').nth(1).unwrap().to_owned();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(!payload.contains("\"rem\""), "{payload}");
    world.clock.advance(12 * HOUR);
    assert_eq!(browser.get("/").await.status(), 303);
}

#[tokio::test]
async fn the_choice_goes_with_the_sign_in_whatever_finishes_it() {
    for (form, want) in [
        (ticked("true"), true),
        ("email=ada%40example.com".to_owned(), false),
    ] {
        let post = Post::default();
        let mailed = |builder: Builder| {
            remembering(builder)
                .mailer(post.clone())
                .sign_in(SignIn::LinkAndCode)
        };
        let world = World::with(mailed).await;
        let begin = async || {
            let mut first = world.browser();
            first.get(FORM).await;
            let answer = first.post(FORM, &form).await;
            let check = first.follow(answer).await.text();
            world.clock.advance(MINUTE);
            (first, check)
        };
        let is_right = |answer: &Answer, name: &str| {
            assert_eq!(answer.location(), "/reports", "{name}");
            assert_eq!(max_age(answer).is_some(), want, "{name}");
        };

        let (mut first, _) = begin().await;
        let redirect = first.get(&post.link()).await;
        is_right(&by_own_link(&mut first, &redirect).await, "own link");

        let (mut first, check) = begin().await;
        let (_, rest) = check.split_once("action=\"/auth/code?t=").unwrap();
        let action = format!("/auth/code?t={}", rest.split_once('"').unwrap().0);
        let code = format!("code={}", post.code());
        is_right(&first.post(&action, &code).await, "code");

        let (_, check) = begin().await;
        let (_, rest) = check.split_once("id=\"match-code\">").unwrap();
        let letters = format!("code={}", rest.split_once('<').unwrap().0);
        let mut other = world.browser();
        other.get(&post.link()).await;
        let redirect = other.post(&post.link(), &letters).await;
        is_right(&by_own_link(&mut other, &redirect).await, "other browser");

        let (mut first, check) = begin().await;
        let (_, rest) = check.split_once("name=\"t\" value=\"").unwrap();
        let sealed = rest.split_once('"').unwrap().0;
        let again = format!("email=ada%40example.com&t={sealed}");
        let answer = first.post(FORM, &again).await;
        first.follow(answer).await;
        let redirect = first.get(&post.link()).await;
        is_right(&by_own_link(&mut first, &redirect).await, "another mail");
    }
}

/// Signs in by the mail that a page's button asks for.
async fn by_its_button(world: &World, browser: &mut Browser, page: &str) -> Answer {
    let (_, rest) = page.split_once("name=\"t\" value=\"").expect("the attempt");
    let sealed = rest.split_once('"').unwrap().0;
    let again = format!("email=ada%40example.com&t={sealed}");
    let answer = browser.post(FORM, &again).await;
    browser.follow(answer).await;
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await
}

#[tokio::test]
async fn a_new_mail_after_a_link_that_came_too_late_keeps_the_choice() {
    let world = World::with(remembering).await;
    let mut browser = world.browser();
    browser.get(FORM).await;
    let answer = browser.post(FORM, &ticked("true")).await;
    browser.follow(answer).await;
    let callback = world.follow_mail(ADA).await;
    world.clock.advance(HOUR);
    let late = browser.get(&callback).await.text();
    let again = by_its_button(&world, &mut browser, &late).await;
    assert_eq!(max_age(&again), Some(30 * 24 * 3_600));
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_is_asked_for_again_at_once_with_the_choice() {
    let world = World::with(remembering).await;
    let mut browser = world.browser();
    browser.get(FORM).await;
    world
        .emulator()
        .order(Endpoint::Send, Fault::Status(http::StatusCode::BAD_REQUEST));
    let failed = browser.post(FORM, &ticked("true")).await.text();
    let again = by_its_button(&world, &mut browser, &failed).await;
    assert_eq!(max_age(&again), Some(30 * 24 * 3_600));
}

/// A store that forgets an order on the very second on which it may.
#[derive(Clone, Debug)]
struct Forgetful {
    clock: ManualClock,
    orders: Arc<Mutex<Vec<Revocation>>>,
}

impl Revocations for Forgetful {
    fn look_up(&self, session: &Session) -> Lookup {
        let now = self.clock.now();
        let orders = self.orders.lock().unwrap();
        let is_ended = orders.iter().any(|order| {
            now < order.until()
                && order.target().names(session)
                && session.auth_time() <= order.at()
        });
        Lookup::settled(if is_ended {
            Standing::Revoked
        } else {
            Standing::Active
        })
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.orders.lock().unwrap().push(revocation.clone());
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn the_end_of_a_remembered_session_is_remembered_for_as_long_as_its_token_would_live() {
    for everywhere in ["", "everywhere=true"] {
        let clock = ManualClock::new();
        let store = Forgetful {
            clock: clock.clone(),
            orders: Arc::default(),
        };
        let builder = |builder| remembering(builder).clock(clock.clone()).revocations(store);
        let world = World::with(builder).await;
        let mut browser = world.browser();
        sign_in(&world, &mut browser, &ticked("true")).await;
        let copy = browser.clone();
        assert_eq!(copy.clone().get("/").await.status(), 200);
        if everywhere.is_empty() {
            browser.post("/auth/logout", everywhere).await;
        } else {
            // From a session of an hour: the other ones may be remembered.
            let mut short = world.browser();
            sign_in(&world, &mut short, "email=ada%40example.com").await;
            short.post("/auth/logout", everywhere).await;
        }
        for hours in [0, 1, 12, 24, 29 * 24 - 37, 24 - 1] {
            clock.advance(HOUR * hours);
            // A clone: the refusal removes the cookie.
            let answer = copy.clone().get("/").await;
            assert_eq!(
                answer.status(),
                303,
                "{everywhere} after {hours} more hours"
            );
        }
    }
}

#[tokio::test]
async fn a_shorter_time_and_switching_it_off_hold_at_once() {
    let world = World::with(remembering).await;
    let mut browser = world.browser();
    sign_in(&world, &mut browser, &ticked("true")).await;
    let at = |configure: fn(Builder) -> Builder| {
        let builder = MagicLinkLayer::builder(client(&world.workos), world.keys.clone())
            .public_url(ORIGIN)
            .clock(world.clock.clone());
        let layer = configure(builder).build().unwrap();
        let mut other = Browser::new(app_of(&layer), ORIGIN);
        other.jar = browser.jar.clone();
        other
    };
    type Configure = fn(Builder) -> Builder;
    let cases: [(&str, u64, Configure); 3] = [
        ("off, with an idle hour", 1, |b| b.idle_timeout(HOUR)),
        ("off", 12, |b| b),
        ("shorter", 7 * 24, |b| b.remember_me(7 * DAY)),
    ];
    let mut passed = 0;
    for (name, hours, configure) in cases {
        world
            .clock
            .advance(HOUR * u32::try_from(hours - passed).unwrap() - MINUTE);
        let mut used = at(configure);
        let who = used.get("/auth/session").await.text();
        let who: serde_json::Value = serde_json::from_str(&who).unwrap();
        let end = world.clock.now() + MINUTE;
        assert_eq!(who["expires_at"], end.as_secs(), "{name}");
        let live = used.get("/").await;
        assert_eq!(live.status(), 200, "{name}");
        // Only an idle time leaves a later end, and it is to be had.
        let is_renewed = !live.set_cookies().is_empty();
        assert_eq!(is_renewed, hours == 1, "{name}");
        world.clock.advance(MINUTE);
        passed = hours;
        assert_eq!(at(configure).get("/").await.status(), 303, "{name}");
        let later = used.get("/").await.status();
        assert_eq!(later, if is_renewed { 200 } else { 303 }, "{name}");
    }
    assert_eq!(browser.get("/").await.status(), 200);
}
