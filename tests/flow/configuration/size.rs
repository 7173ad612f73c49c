//! A session too large for a cookie is refused and harms no other session.

use http::{Request, header};
use tower_magic_link::{
    Email, KeyRing, MagicLinkLayer, SigningKey,
    provider::Identity,
    testing::{ManualClock, StubProvider},
};

use super::{HOUR, MINUTE, SECRET, keys};
use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, World, app_of},
};

/// Signs in with a first name of so many bytes, up to the answer to the callback.
async fn sign_in_as(world: &World, browser: &mut Browser, name: usize) -> Answer {
    let name = "n".repeat(name);
    world
        .emulator()
        .next_profile(|profile| profile.with_names(name, "L"));
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await
}

fn session_cookie(browser: &Browser) -> Option<usize> {
    let (name, token) = browser.jar.get_key_value("__Host-magic-link")?;
    Some(name.len() + token.len())
}

#[tokio::test]
async fn a_session_too_large_for_a_cookie_is_a_page_and_an_event_and_the_next_one_is_none_the_worse()
 {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = sign_in_as(&world, &mut browser, 4_000).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(
        answer.set_cookies().is_empty(),
        "{:?}",
        answer.set_cookies()
    );
    assert!(!answer.text().contains("nnnn"), "{}", answer.text());
    assert_eq!(session_cookie(&browser), None);
    assert!(
        world.heard().contains("SessionTooLarge"),
        "{}",
        world.heard()
    );
    assert!(!world.heard().contains("SignedIn"), "{}", world.heard());
    assert_eq!(browser.get("/reports").await.status(), 303);

    let answer = sign_in_as(&world, &mut browser, 3).await;
    assert_eq!(answer.location(), "/reports");
    assert_eq!(
        browser.follow(answer).await.text(),
        "/reports for ada@example.com"
    );
}

#[tokio::test]
async fn a_program_is_told_that_its_session_is_too_large() {
    let world = World::new().await;
    let mut browser = world.browser();
    world
        .emulator()
        .next_profile(|profile| profile.with_organization("o".repeat(5_000)));
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let request = Request::get(callback)
        .header(header::ACCEPT, "application/json")
        .body("".into())
        .unwrap();
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status().as_u16(), answer.code().as_str()),
        (502, "session_too_large")
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.set_cookies().is_empty());
}

#[tokio::test]
async fn whoever_is_signed_in_stays_so_when_a_new_session_is_too_large() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(sign_in_as(&world, &mut browser, 4_000).await.status(), 502);
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
}

/// A browser takes name and value of 4,096 octets together; three letters more in the name are four
/// in the cookie.
#[tokio::test]
async fn a_cookie_may_be_as_large_as_a_browser_takes_and_no_larger() {
    let world = World::new().await;
    let mut browser = world.browser();
    sign_in_as(&world, &mut browser, 900).await;
    let size = session_cookie(&browser).unwrap();
    let largest = 900 + (4_096 - size) / 4 * 3;
    assert_eq!(
        sign_in_as(&world, &mut browser, largest).await.status(),
        303
    );
    assert!((4_093..=4_096).contains(&session_cookie(&browser).unwrap()));
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
    assert_eq!(
        sign_in_as(&world, &mut browser, largest + 3).await.status(),
        502
    );
}

/// The keys were changed for one with a longer name, under which the renewed token is a little too
/// large.
#[tokio::test]
async fn a_session_that_has_become_too_large_to_renew_lives_on_unrenewed() {
    let (provider, clock) = (StubProvider::new(), ManualClock::new());
    let layer_of = |keys: KeyRing| {
        MagicLinkLayer::builder(provider.clone(), keys)
            .public_url(ORIGIN)
            .clock(clock.clone())
            .idle_timeout(HOUR)
            .build()
            .unwrap()
    };
    let mut browser = Browser::new(app_of(&layer_of(keys())), ORIGIN);
    browser.ask_for_link(ADA, "/").await;
    let link = provider.last_link().unwrap();
    let (_, state) = link.expose().split_once("&state=").unwrap();
    let identity = Identity::new("prof_ada", Email::parse(ADA).unwrap());
    let code = provider.code_for(identity.with_names(Some("n".repeat(2_740)), None));
    let callback = format!("/auth/callback?code={code}&state={state}");
    assert_eq!(browser.get(&callback).await.status(), 303);
    let size = session_cookie(&browser).unwrap();
    assert!((4_040..=4_096).contains(&size), "{size}");

    clock.advance(20 * MINUTE);
    for (id, is_renewed) in [("k".repeat(64), false), ("k".to_owned(), true)] {
        let key = SigningKey::generate().unwrap().with_id(id).unwrap();
        let old = SigningKey::hs256(SECRET).unwrap();
        let layer = layer_of(KeyRing::new(key).retire(old).unwrap());
        let mut later = Browser::new(app_of(&layer), ORIGIN);
        later.jar.clone_from(&browser.jar);
        let answer = later.get("/").await;
        assert_eq!(answer.text(), "/ for ada@example.com");
        assert_eq!(answer.set_cookies().len(), usize::from(is_renewed));
    }
}
