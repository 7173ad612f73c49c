//! A browser that has signed in before: what its cookie is good for, and what not.

use tower_magic_link::{
    SigningKey,
    clock::Clock,
    throttle::{Limits, Rate},
};

use super::{SECOND, begin, exchange::follow, status};
use crate::{
    names::{ADA, EVE},
    support::{Browser, World},
};

const KNOWN: &str = "__Host-magic-link-known";
const SESSION: &str = "__Host-magic-link";
const PEER: Option<&str> = Some("192.0.2.1");

/// A world in which strangers have used up everything but what known browsers have.
async fn flooded() -> World {
    let limits = Limits::default()
        .mails(Rate::new(11, 60 * SECOND))
        .mails_per_address(Rate::new(2, 3_600 * SECOND));
    World::with(|builder| builder.limits(limits)).await
}

async fn flood(world: &World) {
    for number in 0..20 {
        let peer = format!("10.1.{number}.1");
        status(world, ADA, Some(&peer)).await;
        status(world, &format!("s{number}@example.org"), Some(&peer)).await;
    }
}

async fn asks(browser: &mut Browser, email: &str) -> u16 {
    let answer = begin(browser, email, PEER, &[]).await;
    answer.status().as_u16()
}

#[tokio::test]
async fn a_known_browser_mails_its_own_person_past_a_flood_and_nobody_else() {
    let world = flooded().await;
    let mut browser = world.signed_in(ADA).await;
    flood(&world).await;
    assert_eq!(status(&world, ADA, PEER).await, 429);
    for (email, want) in [
        (EVE, 429),
        ("ada+tag@example.com", 303),
        (ADA, 303),
        (ADA, 429),
    ] {
        assert_eq!(asks(&mut browser, email).await, want, "{email}");
    }
    // After signing out, here and everywhere, it is known all the same.
    world.clock.advance(3_600 * SECOND);
    browser.post("/auth/logout", "everywhere=on").await;
    assert!(!browser.jar.contains_key(SESSION));
    flood(&world).await;
    assert_eq!(asks(&mut browser, ADA).await, 303);
}

#[tokio::test]
async fn a_stolen_cookie_and_all_browsers_of_one_person_together_have_narrow_limits() {
    let world = World::new().await;
    // Each sign-in in a new browser makes another known one.
    let mut browsers = Vec::new();
    for _ in 0..5 {
        browsers.push(world.signed_in(ADA).await);
        world.clock.advance(600 * SECOND);
    }
    let ids: std::collections::BTreeSet<_> = browsers.iter().map(|one| &one.jar[KNOWN]).collect();
    assert_eq!(ids.len(), 5);
    let mut got = Vec::new();
    for (number, browser) in browsers.iter_mut().enumerate() {
        let mut mailed = 0;
        for _ in 0..4 {
            let peer = format!("10.1.{number}.1");
            mailed += u32::from(begin(browser, ADA, Some(&peer), &[]).await.status() == 303);
        }
        got.push(mailed);
    }
    // Three each of their own, six together, then what the address has besides.
    assert_eq!(got.iter().sum::<u32>(), 6 + 10, "{got:?}");
}

#[tokio::test]
async fn the_cookie_proves_nothing_else_and_what_is_no_cookie_of_ours_proves_nothing() {
    let world = flooded().await;
    let browser = world.signed_in(ADA).await;
    let known = browser.jar[KNOWN].clone();
    let mut bare = world.browser();
    bare.jar.insert(KNOWN.to_owned(), known.clone());
    // No session, no sign-in to finish, and no name in clear.
    assert_eq!(bare.get("/reports").await.status(), 303);
    bare.jar.insert(SESSION.to_owned(), known.clone());
    assert_eq!(bare.get("/reports").await.status(), 303);
    assert!(!known.contains("ada") && known.len() < 120, "{known}");
    flood(&world).await;
    let other = World::new().await.signed_in(ADA).await;
    for forged in [
        browser.jar["__Host-magic-link-arrived"].clone(),
        browser.jar[SESSION].clone(),
        other.jar[KNOWN].clone(),
        known.replace(&known[..4], "AAAA"),
        String::new(),
    ] {
        let mut forger = world.browser();
        forger.jar.insert(KNOWN.to_owned(), forged.clone());
        assert_eq!(asks(&mut forger, ADA).await, 429, "{forged}");
    }
}

#[tokio::test]
async fn a_browser_is_known_for_180_days_from_its_last_sign_in_and_by_the_same_id() {
    let world = flooded().await;
    let mut browser = world.signed_in(ADA).await;
    let day = 86_400 * SECOND;
    world.clock.advance(100 * day);
    browser.sign_in(&world, ADA, "/").await;
    world.clock.advance(180 * day - SECOND);
    flood(&world).await;
    assert_eq!(asks(&mut browser, ADA).await, 303);
    world.clock.advance(SECOND);
    flood(&world).await;
    assert_eq!(asks(&mut browser, ADA).await, 429);
}

/// Each sign-in seals the cookie by the key of then.
#[tokio::test]
async fn after_a_key_has_ended_a_browser_is_known_that_has_signed_in_since_the_change() {
    let world = flooded().await;
    let (mut browser, mut absent) = (world.signed_in(ADA).await, world.signed_in(EVE).await);
    let now = world.clock.now();
    let new = SigningKey::generate().unwrap();
    let until = now + 43_200 * SECOND;
    world.keys.handle().rotate(&new, until, now).unwrap();
    world.clock.advance(3_600 * SECOND);
    browser.sign_in(&world, ADA, "/").await;
    world.clock.advance(36_000 * SECOND);
    flood(&world).await;
    assert_eq!(asks(&mut absent, EVE).await, 303, "until the key ends");
    world.clock.advance(3_600 * SECOND);
    flood(&world).await;
    assert_eq!(asks(&mut browser, ADA).await, 303);
    assert_eq!(asks(&mut absent, EVE).await, 429);
}

#[tokio::test]
async fn without_limits_no_browser_is_known() {
    let world = World::with(tower_magic_link::Builder::insecure_no_throttle).await;
    let browser = world.signed_in(ADA).await;
    assert!(!browser.jar.contains_key(KNOWN));
}

/// In the browser that began, a link was paid for by its mail.
#[tokio::test]
async fn a_link_is_charged_to_everybody_in_another_browser_alone() {
    let limits = Limits::default().exchanges(Rate::new(1, 3_600 * SECOND));
    let world = World::with(|builder| builder.limits(limits)).await;
    for number in 0..4 {
        let mut browser = world.browser();
        let email = format!("n{number}@example.com");
        browser.ask_for_link(&email, "/").await;
        let callback = world.follow_mail(&email).await;
        let answer = follow(&mut browser, &callback, PEER).await;
        assert_eq!(answer.location(), "/", "{number}");
    }
    let mut got = Vec::new();
    for number in 0..3 {
        let mut first = world.browser();
        let email = format!("m{number}@example.com");
        let check = first.ask_for_link(&email, "/").await;
        let text = check.text();
        let (_, code) = text.split_once("id=\"match-code\">").unwrap();
        let code = code.split('<').next().unwrap().to_owned();
        let callback = world.follow_mail(&email).await;
        let mut other = world.browser();
        other.get(&callback).await;
        let answer = other.post(&callback, &format!("code={code}")).await;
        got.push(answer.status().as_u16());
    }
    assert_eq!(got, [303, 429, 429]);
}
