//! A link is used once, and its callback makes one exchange and one session.

use std::time::Duration;

use tower_magic_link::{
    RejectionKind,
    emulator::{Endpoint, Fault, Hold},
};

use super::{begun, is_asked_for_the_match_code, is_told_of_a_used_link, is_trouble};
use crate::{
    names::{ADA, EVE},
    support::{Answer, World},
};

#[tokio::test]
async fn a_repeated_callback_gives_the_same_session_for_a_minute_in_the_same_browser_alone() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let stranger = world.browser();
    let before = browser.clone();
    let first = browser.get(&callback).await;
    assert_eq!(first.location(), "/reports");

    for (name, after) in [
        ("at once", 0),
        ("a second later", 1),
        ("59 seconds later", 58),
    ] {
        world.clock.advance(Duration::from_secs(after));
        let again = before.clone().get(&callback).await;
        assert_eq!(again.location(), "/reports", "{name}");
        let token = |answer: &Answer| {
            answer.set_cookies()[0]
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(token(&again), token(&first), "{name}");
        is_asked_for_the_match_code(&stranger.clone().get(&callback).await);
    }
    assert_eq!(world.exchanges(), 1);

    world.clock.advance(Duration::from_secs(2));
    // Signed in: the used link is no trouble. Not signed in: it is.
    assert_eq!(browser.get(&callback).await.location(), "/reports");
    let answer = is_told_of_a_used_link(before, &callback).await;
    assert!(
        answer.text().contains(ADA),
        "a new link needs no typing: {}",
        answer.text()
    );
}

#[tokio::test]
async fn a_used_link_is_no_way_in_for_a_session_of_another_address() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let mut first = browser.clone();
    first.get(&callback).await;
    let mut eve = browser;
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(eve.sign_in(&world, EVE, "/").await.status(), 200);
    is_told_of_a_used_link(eve, &callback).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callbacks_at_once_make_one_exchange_and_one_session() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let hold = Hold::new();
    world
        .emulator()
        .order_always(Endpoint::Token, Fault::Hold(hold.clone()));
    let clicks: Vec<_> = (0..64)
        .map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move { browser.get(&callback).await })
        })
        .collect();
    hold.wait_for(1).await;
    hold.release();
    let mut cookies = Vec::new();
    for click in clicks {
        let answer = click.await.unwrap();
        assert_eq!(answer.location(), "/reports");
        cookies.push(answer.set_cookies());
    }
    cookies.dedup();
    assert_eq!((cookies.len(), world.exchanges()), (1, 1));
    assert_eq!(world.heard().matches("SignedIn").count(), 1);
}

#[tokio::test]
async fn an_attempt_ends_with_its_link_and_the_code_of_the_link() {
    let world = World::new().await;
    for (name, after, is_over) in [
        ("a second early", 1_499, false),
        ("on the second", 1_500, true),
    ] {
        let (mut browser, callback) = begun(&world).await;
        world.clock.advance(Duration::from_secs(after));
        // The code is good for ten minutes after the click; WorkOS's half of it is not what is
        // asked here.
        let answer = if is_over {
            let answer = browser.get(&callback).await;
            is_trouble(&answer, 400, RejectionKind::AttemptExpired);
            answer
        } else {
            // The emulator has forgotten the code by then, so that the attempt is what passed.
            is_told_of_a_used_link(browser, &callback).await
        };
        assert!(
            answer.text().contains(ADA),
            "{name}: a new link needs no typing"
        );
    }
}

#[tokio::test]
async fn a_link_that_was_opened_before_or_too_late_offers_a_new_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert!(burnt.contains("error=access_denied"));
    let answer = is_told_of_a_used_link(browser.clone(), &burnt).await;
    assert!(
        answer.text().contains(r#"name="email""#),
        "{}",
        answer.text()
    );
    assert_eq!(browser.get(&used).await.status(), 303);
    // And now that the person is signed in, the burnt link leads where it was meant to.
    assert_eq!(browser.get(&burnt).await.location(), "/");
}

#[tokio::test]
async fn a_link_that_no_longer_works_says_so_in_any_browser_and_shows_a_stranger_no_address() {
    let world = World::new().await;
    let (_, callback) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    world.clock.advance(Duration::from_secs(1_500));
    for (path, trouble) in [
        (&callback, RejectionKind::AttemptExpired),
        (&burnt, RejectionKind::LinkUsed),
    ] {
        let answer = world.browser().get(path).await;
        is_trouble(&answer, 400, trouble);
        assert!(!answer.text().contains(ADA), "{}", answer.text());
    }
}
