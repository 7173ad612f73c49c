//! Both halves of a double click sign in to the same session.

use std::{pin::pin, time::Duration};

use tower_magic_link::{MagicLinkLayer, RejectionKind};

use super::{
    asked_again, begun, is_asked_for_the_match_code, is_told_of_a_used_link, is_trouble, parts,
};
use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, World, app_of, client},
};

/// A second click calls the first one off: the link is used, and the answer that signed in was not
/// waited for.
#[tokio::test]
async fn a_second_click_on_the_link_shares_the_session_of_the_first_in_the_same_browser_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    let unsigned = browser.clone();
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert!(burnt.contains("error=access_denied"));
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
    let first = browser.get(&used).await;
    let second = unsigned.clone().get(&burnt).await;
    assert_eq!(second.location(), "/reports");
    let token = |answer: &Answer| answer.set_cookies()[0].split(';').next().map(str::to_owned);
    assert_eq!(token(&second), token(&first));
    is_trouble(&stranger.get(&burnt).await, 400, RejectionKind::LinkUsed);

    // What was signed out since is not handed out again.
    browser.post("/auth/logout", "").await;
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
    assert_eq!(world.exchanges(), 1);

    let mut late = world.browser();
    late.ask_for_link(ADA, "/reports").await;
    let unsigned = late.clone();
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert_eq!(late.get(&used).await.location(), "/reports");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(unsigned.clone().get(&burnt).await.location(), "/reports");
    world.clock.advance(Duration::from_secs(1));
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
}

#[tokio::test]
async fn the_refused_half_of_a_double_click_shares_the_other_halfs_session() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (_, state) = parts(&callback);
    let refused = format!("/auth/callback?error=access_denied&state={state}");
    let first = browser.clone().get(&callback).await;
    assert_eq!(first.location(), "/reports");
    let second = browser.clone().get(&refused).await;
    assert_eq!(second.location(), "/reports");
    assert_eq!(second.set_cookies(), first.set_cookies());
    assert_eq!(world.exchanges(), 1);

    // Whoever signs out in between is not signed in again by it.
    let (mut leaving, callback) = begun(&world).await;
    let (_, state_of_leaving) = parts(&callback);
    leaving.get(&callback).await;
    leaving.post("/auth/logout", "").await;
    let again = format!("/auth/callback?error=access_denied&state={state_of_leaving}");
    is_told_of_a_used_link(leaving, &again).await;

    // Another browser gets nothing by it, and neither does the same one later.
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    is_trouble(&stranger.get(&refused).await, 400, RejectionKind::LinkUsed);
    world.clock.advance(Duration::from_secs(60));
    is_told_of_a_used_link(browser, &refused).await;
}

/// Of two clicks the one that is too late may be heard of first.
#[tokio::test]
async fn the_refused_half_of_a_double_click_waits_for_the_other_half() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    let (mut one, mut other) = (browser.clone(), browser.clone());
    let (again, granted) = {
        let mut waits = pin!(one.get(&burnt));
        let a_while = Duration::from_millis(50);
        let early = tokio::time::timeout(a_while, waits.as_mut()).await;
        assert!(early.is_err(), "it waits");
        let granted = other.get(&callback).await;
        (asked_again(&waits.await).to_owned(), granted)
    };
    let refused = one.get(&again).await;
    assert_eq!(granted.location(), "/reports");
    assert_eq!(refused.location(), "/reports");
    assert_eq!(refused.set_cookies(), granted.set_cookies());
    assert_eq!(world.exchanges(), 1);
    // Where another replica gave the session, the jar that the two tabs have in common is all that
    // tells of it.
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(other.get(&again).await.location(), "/reports");
}

#[tokio::test]
async fn who_finds_a_link_used_is_kept_waiting_once() {
    let world = World::new().await;
    let (browser, _) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    is_trouble(&stranger.get(&burnt).await, 400, RejectionKind::LinkUsed);
    is_trouble(
        &world.browser().get(&burnt).await,
        400,
        RejectionKind::LinkUsed,
    );
    is_told_of_a_used_link(browser.clone(), &burnt).await;
    for twice in ["&waited=1&waited=1", "&waited="] {
        let answer = browser.clone().get(&format!("{burnt}{twice}")).await;
        is_trouble(&answer, 400, RejectionKind::Malformed);
    }
}

/// A reload of a slow callback, or the second of two tabs, may come to another replica, to which
/// the provider says that the code is used.
#[tokio::test]
async fn a_callback_that_another_replica_answers_too_is_let_in_by_the_session_of_the_first() {
    let world = World::new().await;
    let other = MagicLinkLayer::builder(client(&world.workos), world.keys.clone())
        .public_url(ORIGIN)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let (mut here, callback) = begun(&world).await;
    let mut there = Browser::new(app_of(&other), ORIGIN);
    there.jar = here.jar.clone();
    let none = there.clone();

    assert_eq!(here.get(&callback).await.location(), "/reports");
    let answer = there.get(&callback).await;
    let again = asked_again(&answer).to_owned();
    assert!(!again.contains("code="), "{again}");
    assert_eq!(world.exchanges(), 2);
    // The two tabs have one jar.
    there.jar = here.jar.clone();
    let answer = there.get(&again).await;
    assert_eq!(answer.location(), "/reports");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.exchanges(), 2);
    // Who has no session by then is told.
    let answer = is_told_of_a_used_link(none, &callback).await;
    assert!(answer.text().contains("return_to=/reports"));

    // A browser that has to answer first gets its answer at once.
    let mut stranger = Browser::new(app_of(&other), ORIGIN);
    is_asked_for_the_match_code(&stranger.get(&callback).await);
}
