//! What else the browser brings to a callback: tabs, earlier sessions, HEAD requests.

use http::Request;

use super::{begun, is_asked_for_the_match_code};
use crate::{
    names::{ADA, EVE},
    support::World,
};

const SESSION: &str = "__Host-magic-link";

#[tokio::test]
async fn another_browsers_link_signs_nobody_in_and_offers_to_start_here() {
    let world = World::new().await;
    let (mut attacker, callback) = begun(&world).await;
    // A victim with a browser cookie of their own, and one without any.
    let mut victim = world.browser();
    victim.get("/auth/login").await;
    for mut victim in [victim, world.browser()] {
        let answer = victim.get(&callback).await;
        is_asked_for_the_match_code(&answer);
        assert!(answer.text().contains("/auth/login"), "{}", answer.text());
        assert!(
            !answer.text().contains(ADA),
            "a stranger is shown no address"
        );
        assert!(!victim.jar.contains_key(SESSION));
    }
    assert_eq!(world.exchanges(), 0);
    // Nothing was used up.
    let answer = attacker.get(&callback).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_finish() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/one").await;
    let one = world.follow_mail(ADA).await;
    browser.ask_for_link(ADA, "/two").await;
    let two = world.follow_mail(ADA).await;
    assert_eq!(browser.get(&one).await.location(), "/one");
    assert_eq!(browser.get(&two).await.location(), "/two");
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_bearer_token_beside_a_callback_neither_ends_nor_saves_a_session() {
    let world = World::with(|builder| builder.bearer_tokens()).await;
    let mut browser = world.signed_in(ADA).await;
    let before = browser.clone();
    let program = world.signed_in("bob@example.com").await;
    let field = format!("Bearer {}", program.jar[SESSION]);

    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let request = Request::get(callback).header("authorization", field);
    let landed = browser.send(request.body("".into()).unwrap()).await;
    assert_eq!(landed.location(), "/");
    // Of the two only the cookie is the browser's own (fixation).
    assert_eq!(before.clone().get("/").await.status(), 303);
    assert_eq!(program.clone().get("/").await.status(), 200);
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_session_that_was_there_before_ends_when_a_new_one_begins() {
    let world = World::new().await;
    let eve = world.signed_in(EVE).await;
    // Eve's cookie, planted in Ada's browser.
    let mut ada = world.browser();
    ada.jar.insert(SESSION.to_owned(), eve.jar[SESSION].clone());
    assert_eq!(
        ada.sign_in(&world, ADA, "/").await.text(),
        "/ for ada@example.com"
    );
    assert_ne!(ada.jar[SESSION], eve.jar[SESSION]);
    assert_eq!(eve.clone().get("/").await.status(), 303);
}

#[tokio::test]
async fn asking_by_head_or_ahead_of_the_person_finishes_nothing() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let head = browser
        .send(Request::head(&callback).body("".into()).unwrap())
        .await;
    assert_eq!((head.status().as_u16(), head.body.len()), (200, 0));
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ] {
        let request = Request::get(&callback)
            .header(name, value)
            .body("".into())
            .unwrap();
        let answer = browser.send(request).await;
        assert_eq!(answer.status(), 503, "{name}");
        assert!(answer.set_cookies().is_empty(), "{name}");
    }
    assert_eq!(world.exchanges(), 0);
    assert_eq!(browser.get(&callback).await.location(), "/reports");
}
