//! One mail, one sign-in.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, RejectionKind, SignIn, SigningKey, clock::Clock, provider::Identity,
};

use super::{Site, action, answer_elsewhere, ask, is_in, is_told, open, sign_out, type_digits};
use crate::names::ADA;

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_link_of_our_own_mail_signs_in_and_leads_on_who_visits_it_again() {
    let site = Site::new();
    let mut browser = site.replica(SignIn::Link).browser();
    ask(&mut browser).await;
    let link = site.post.link();
    let first = is_in(&open(&mut browser, &link).await);
    // Within the minute and long after it, and more often than a link may be exchanged: the browser
    // has the session.
    for seconds in [1, 300, 30, 30, 30, 30, 30, 30, 30] {
        site.pass(seconds);
        assert_eq!(is_in(&open(&mut browser, &link).await), first);
    }
    assert_eq!(site.heard("SignedIn {"), 1);
}

#[tokio::test]
async fn after_signing_out_the_link_is_used_in_the_same_browser() {
    for seconds in [0, 120] {
        let site = Site::new();
        let mut browser = site.replica(SignIn::Link).browser();
        ask(&mut browser).await;
        let link = site.post.link();
        is_in(&open(&mut browser, &link).await);
        sign_out(&mut browser).await;
        site.pass(seconds);
        is_told(&open(&mut browser, &link).await, RejectionKind::LinkUsed);
        assert_eq!(site.heard("SignedIn {"), 1, "{seconds}");
    }
}

/// Pins: two browsers that brought one code within a minute shared one session.
#[tokio::test]
async fn in_another_browser_than_the_one_that_redeemed_it_the_link_is_used() {
    for seconds in [0, 120] {
        let site = Site::new();
        let replica = site.replica(SignIn::Link);
        let (mut first, mut other) = (replica.browser(), replica.browser());
        let check = ask(&mut first).await;
        let link = site.post.link();
        is_in(&open(&mut first, &link).await);
        site.pass(seconds);
        let told = answer_elsewhere(&mut other, &link, &check).await;
        is_told(&told, RejectionKind::LinkUsed);
        assert!(!other.jar.contains_key("__Host-magic-link"));
    }
}

#[tokio::test]
async fn another_browser_that_answers_first_has_the_session_and_the_first_one_none() {
    let site = Site::new();
    let replica = site.replica(SignIn::Link);
    let (mut first, mut other) = (replica.browser(), replica.browser());
    let check = ask(&mut first).await;
    let link = site.post.link();
    is_in(&answer_elsewhere(&mut other, &link, &check).await);
    is_told(&open(&mut first, &link).await, RejectionKind::LinkUsed);
}

#[tokio::test]
async fn a_mail_with_both_signs_in_once_by_either() {
    let site = Site::new();
    let replica = site.replica(SignIn::LinkAndCode);
    let (mut first, mut other) = (replica.browser(), replica.browser());
    let check = ask(&mut first).await;
    let (link, digits) = (site.post.link(), site.post.code());
    let session = is_in(&type_digits(&mut first, &action(&check), &digits).await);
    // In that browser the link leads on, and in another one it is used.
    assert_eq!(is_in(&open(&mut first, &link).await), session);
    let told = answer_elsewhere(&mut other, &link, &check).await;
    is_told(&told, RejectionKind::LinkUsed);
    assert_eq!(site.heard("SignedIn {"), 1);

    let mut third = replica.browser();
    let check = ask(&mut third).await;
    let (link, digits) = (site.post.link(), site.post.code());
    is_in(&open(&mut third, &link).await);
    sign_out(&mut third).await;
    let told = type_digits(&mut third, &action(&check), &digits).await;
    assert_eq!(told.status(), 422, "{}", told.text());
    assert!(!third.jar.contains_key("__Host-magic-link"));
}

#[tokio::test]
async fn a_visit_of_a_robot_or_without_our_state_uses_nothing_up() {
    let site = Site::new();
    let replica = site.replica(SignIn::Link);
    let mut first = replica.browser();
    ask(&mut first).await;
    let link = site.post.link();
    let mut robot = replica.browser();
    for _ in 0..5 {
        let page = robot.get(&link).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        assert!(!page.text().contains(ADA));
    }
    // What the link leads to belongs to its browser, and to its attempt.
    let callback = first.get(&link).await.location().to_owned();
    let elsewhere = robot.get(&callback).await;
    assert_eq!(elsewhere.status(), 200, "{}", elsewhere.text());
    let (before, _) = callback.split_once("&state=").unwrap();
    let mut second = replica.browser();
    ask(&mut second).await;
    let other = second.get(&site.post.link()).await.location().to_owned();
    let (_, state) = other.split_once("&state=").unwrap();
    // A code of another attempt, with the browser's own state.
    let crossed = second.get(&format!("{before}&state={state}")).await;
    is_told(&second.follow(crossed).await, RejectionKind::LinkUsed);
    let landed = second.get(&other).await;
    is_in(&second.follow(landed).await);
    is_in(&open(&mut first, &link).await);
}

/// A key that leaked makes links and digits, too. Whoever was on the way with one as the key was
/// replaced got a session of the next key.
#[tokio::test]
async fn what_a_replaced_key_has_sealed_makes_no_session_though_it_was_opened_before() {
    for (sign_in, is_replaced) in [
        (SignIn::Link, true),
        (SignIn::Link, false),
        (SignIn::Code, true),
        (SignIn::Code, false),
    ] {
        let site = Site::new();
        let (keys, now) = (site.keys.handle(), Clock::now(&site.clock));
        let replica = site.with(sign_in, |builder| {
            builder.authorize(move |_: Identity| {
                // While the application is asked: the proof was found good.
                let new = SigningKey::generate().unwrap();
                match is_replaced {
                    true => keys.replace(&KeyRing::new(new)),
                    false => keys.rotate(&new, now + HOUR, now).unwrap(),
                }
                async { true }
            })
        });
        let mut browser = replica.browser();
        let check = ask(&mut browser).await;
        let answer = match sign_in {
            SignIn::Code => {
                let digits = site.post.code();
                type_digits(&mut browser, &action(&check), &digits).await
            }
            _ => open(&mut browser, &site.post.link()).await,
        };
        let name = format!("{sign_in:?}, replaced: {is_replaced}");
        assert_eq!(
            site.heard("SignedIn {"),
            usize::from(!is_replaced),
            "{name}"
        );
        match is_replaced {
            true => is_told(&answer, RejectionKind::AttemptExpired),
            false => drop(is_in(&answer)),
        }
    }
}
