//! The whole walk: form, mail, link, session, sign-out.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use tower_magic_link::{
    Builder, Session, SignIn,
    emulator::Endpoint,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreErrorKind, StoreFuture},
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Post, World, by_own_link},
};

#[tokio::test]
async fn a_person_signs_in_by_mail_uses_the_application_and_signs_out() {
    let world = World::new().await;
    let mut browser = world.browser();

    let refused = browser.get("/reports?page=2").await;
    assert_eq!(
        refused.location(),
        "/auth/login?return_to=/reports%3Fpage%3D2"
    );
    assert_eq!(world.hits(), 0);

    let form = browser.follow(refused).await;
    assert_eq!(form.status(), 200);
    assert!(
        form.text()
            .contains(r#"action="/auth/login?return_to=/reports%3Fpage%3D2""#),
        "{}",
        form.text()
    );

    let posted = browser
        .post(
            "/auth/login?return_to=/reports%3Fpage%3D2",
            "email=ada%40example.com",
        )
        .await;
    assert!(posted.location().starts_with("/auth/check?t="));
    let check = browser.follow(posted).await;
    assert!(check.text().contains(ADA), "{}", check.text());

    let callback = world.follow_mail(ADA).await;
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports?page=2");
    let page = browser.follow(landed).await;
    assert_eq!(page.text(), "/reports?page=2 for ada@example.com");

    let old = browser.clone();
    let out = browser.post("/auth/logout", "").await;
    assert_eq!(out.location(), "/auth/logout");
    let out = browser.follow(out).await;
    assert_eq!(out.status(), 200);
    assert!(!browser.jar.contains_key("__Host-magic-link"));

    let replayed = old.clone().get("/reports").await;
    assert_eq!(replayed.location(), "/auth/login?return_to=/reports");
    assert_eq!(world.hits(), 1);
    let asked = [Endpoint::Create, Endpoint::Send, Endpoint::Token]
        .map(|endpoint| world.emulator().count(endpoint));
    assert_eq!(asked, [1, 1, 1]);
}

#[tokio::test]
async fn a_script_learns_who_is_signed_in_and_a_stranger_nothing() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    let who = browser.get("/auth/session").await;
    let who: serde_json::Value = serde_json::from_str(&who.text()).unwrap();
    assert_eq!(who["email"], ADA);
    let page = include_str!("../../src/lib.rs").replace("//!", "");
    let (_, shown) = page.split_once("```json").unwrap();
    let shown = shown.split_once("```").unwrap().0;
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let fields = |json: &serde_json::Value| -> Vec<_> {
        json.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(fields(&who), fields(&shown), "as the crate's page shows it");
    let stranger = world.browser().get("/auth/session").await;
    assert_eq!(
        (stranger.status().as_u16(), stranger.code().as_str()),
        (401, "no_session")
    );
}

/// The guide's block for the scripts of a page, and its link back to the page that asked.
#[tokio::test]
async fn a_script_without_a_session_gets_the_problem_that_the_guide_shows() {
    let guide = include_str!("../../src/guide/single_page_applications.md");
    let (_, shown) = guide.split_once("```json").unwrap();
    let shown = shown.split_once("```").unwrap().0;
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let world = World::new().await;
    let request = Request::get("/api/me")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-site", "same-origin")
        .header("referer", format!("{ORIGIN}/reports"));
    let request = request.body(Full::default()).unwrap();
    let answer = world.browser().send(request).await;
    assert_eq!(answer.status(), 401);
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem, shown);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_person_and_nobody_elses() {
    let world = World::new().await;
    let (mut one, mut two) = (world.signed_in(ADA).await, world.signed_in(ADA).await);
    let mut other = world.signed_in("bob@example.com").await;
    one.post("/auth/logout", "everywhere=true").await;
    assert_eq!(two.get("/").await.status(), 303);
    assert_eq!(other.get("/").await.status(), 200);
}

/// Pinned: a link yields `prof_…`, a code `user_…`, and only the sessions of the one were ended.
#[tokio::test]
async fn signing_out_everywhere_ends_what_a_person_began_by_the_other_method() {
    for from_code in [true, false] {
        let post = Post::default();
        let configure =
            |builder: Builder| builder.mailer(post.clone()).sign_in(SignIn::LinkAndCode);
        let world = World::with(configure).await;
        let by_code = async |email| {
            let mut browser = world.browser();
            let check = browser.ask_for_link(email, "/").await.text();
            let (_, rest) = check.split_once("action=\"/auth/code?t=").unwrap();
            let action = format!("/auth/code?t={}", rest.split_once('"').unwrap().0);
            let code = format!("code={}", post.code());
            assert_eq!(browser.post(&action, &code).await.location(), "/");
            browser
        };
        let mut code = by_code(ADA).await;
        let mut bob = by_code("bob@example.com").await;
        // The same mailbox name, elsewhere.
        let mut other_ada = by_code("ada@example.org").await;
        let mut link = world.browser();
        link.ask_for_link("Ada@Example.com", "/").await;
        let redirect = link.get(&post.link()).await;
        let signed_in = by_own_link(&mut link, &redirect).await;
        assert_eq!(signed_in.location(), "/");

        let mut subjects = Vec::new();
        for browser in [&mut code, &mut link] {
            let who = browser.get("/auth/session").await.text();
            let who: serde_json::Value = serde_json::from_str(&who).unwrap();
            subjects.push(who["subject"].as_str().unwrap().to_owned());
        }
        assert!(subjects[0].starts_with("user_"), "{subjects:?}");
        assert!(subjects[1].starts_with("prof_"), "{subjects:?}");

        let (from, other) = match from_code {
            true => (&mut code, &mut link),
            false => (&mut link, &mut code),
        };
        let out = from.post("/auth/logout", "everywhere=true").await;
        assert_eq!(out.location(), "/auth/logout");
        assert_eq!(other.get("/").await.status(), 303, "from code: {from_code}");
        for browser in [&mut bob, &mut other_ada] {
            assert_eq!(browser.get("/").await.status(), 200);
        }
    }
}

/// A store that takes no order of one kind.
#[derive(Debug)]
struct Refusing {
    kind: &'static str,
    taken: MemoryRevocations,
}

impl Revocations for Refusing {
    fn look_up(&self, session: &Session) -> Lookup {
        self.taken.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        if revocation.target().key().starts_with(self.kind) {
            return Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) });
        }
        self.taken.revoke(revocation)
    }
}

#[tokio::test]
async fn signing_out_everywhere_gives_both_orders_and_tells_of_either_that_was_not_taken() {
    for kind in ["subject:", "address:"] {
        let store = Refusing {
            kind,
            taken: MemoryRevocations::default(),
        };
        let world = World::with(|builder| builder.revocations(store)).await;
        let (mut one, mut two) = (world.signed_in(ADA).await, world.signed_in(ADA).await);
        let out = one.post("/auth/logout", "everywhere=true").await;
        assert_eq!(out.status(), 503, "{kind}");
        assert!(!one.jar.contains_key("__Host-magic-link"), "{kind}");
        assert!(world.heard().contains("is_recorded: false"), "{kind}");
        // The other order was given all the same.
        assert_eq!(two.get("/").await.status(), 303, "{kind}");
    }
}

#[tokio::test]
async fn whoever_has_no_session_is_not_told_that_it_was_signed_out_everywhere() {
    let world = World::new().await;
    let expired = world.signed_in(ADA).await;
    world.clock.advance(Duration::from_secs(12 * 60 * 60));
    let mut ada = world.signed_in(ADA).await;
    let name = "__Host-magic-link";
    let mut forged = world.browser();
    forged.jar.insert(name.into(), "forged".into());
    let cases = [
        ("no_session", world.browser()),
        ("expired_session", expired),
        ("invalid_session", forged),
    ];
    for (code, mut browser) in cases {
        let out = browser.post("/auth/logout", "everywhere=true").await;
        assert_eq!(out.status(), 401, "{code}");
        assert!(out.text().contains("your session has ended"), "{code}");
        assert!(!browser.jar.contains_key(name), "{code}");
        // Here alone, nothing is claimed that is not so.
        let out = browser.post("/auth/logout", "").await;
        assert_eq!(out.location(), "/auth/logout");
    }
    // Two cookies, none of which is good.
    let both = Request::post("/auth/logout")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", format!("{name}=forged; {name}=other"))
        .body(Full::from("everywhere=true"))
        .unwrap();
    let out = world.browser().send(both).await;
    assert_eq!(
        (out.status().as_u16(), out.code()),
        (401, "no_session".into())
    );
    assert!(!world.heard().contains("SignedOut"), "{}", world.heard());
    assert_eq!(ada.get("/").await.status(), 200);
}

/// "You're signed in as" would frighten whoever has just signed out everywhere.
#[tokio::test]
async fn a_browser_whose_session_was_ended_elsewhere_is_not_told_that_it_is_signed_in() {
    let world = World::new().await;
    let (mut one, mut two) = (world.signed_in(ADA).await, world.signed_in(ADA).await);
    assert!(two.get("/auth/logout").await.text().contains(ADA));
    one.post("/auth/logout", "everywhere=true").await;
    let page = two.get("/auth/logout").await;
    assert_eq!(page.status(), 200);
    assert!(!page.text().contains(ADA), "{}", page.text());
}

/// The cookie is gone: whoever tried again in five seconds, as the page said, ended nothing.
#[tokio::test]
async fn a_sign_out_that_is_not_recorded_says_how_to_be_certain_and_names_no_wait() {
    let store = Refusing {
        kind: "session:",
        taken: MemoryRevocations::default(),
    };
    let world = World::with(|builder| builder.revocations(store)).await;
    let mut browser = world.signed_in(ADA).await;
    let out = browser.post("/auth/logout", "").await;
    assert_eq!(out.status(), 503);
    assert_eq!(out.header("retry-after"), "");
    assert!(
        out.text().contains("To be certain, sign in again"),
        "{}",
        out.text()
    );
    assert!(!out.text().contains("seconds"), "{}", out.text());
}

#[tokio::test]
async fn asking_to_sign_out_ends_nothing_until_the_button_is_pressed() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    let page = browser.get("/auth/logout").await;
    assert!(page.text().contains("<button"), "{}", page.text());
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_public_path_gets_the_session_where_there_is_one() {
    let world = World::with(|builder| builder.public_path("/about")).await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(
        browser.get("/about").await.text(),
        "/about for ada@example.com"
    );
    assert_eq!(
        world.browser().get("/about").await.text(),
        "/about for nobody"
    );
    browser.post("/auth/logout", "").await;
    assert_eq!(browser.get("/about").await.text(), "/about for nobody");
}

#[tokio::test]
async fn a_program_is_told_where_to_sign_in_and_is_never_redirected() {
    let world = World::new().await;
    let request = Request::post("/api/reports").body("{}".into()).unwrap();
    let answer = world.browser().send(request).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.code(), "no_session");
    assert!(
        answer
            .header("www-authenticate")
            .contains("https://app.example.com/auth/login")
    );
}

#[tokio::test]
async fn a_listener_that_panics_keeps_nobody_out() {
    let world = World::with(|builder| builder.on_event(|event, _| panic!("{event:?}"))).await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(browser.get("/reports").await.status(), 200);
    assert_eq!(browser.post("/auth/logout", "").await.status(), 303);
    assert_eq!(browser.get("/reports").await.status(), 303);
}
