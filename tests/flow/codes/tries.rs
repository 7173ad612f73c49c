//! How many tries a code allows, and when it expires.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{task::yield_now, time::timeout};
use tower_magic_link::{RejectionKind, SignIn};

use super::{Begun, action, is_asked_again, is_trouble};
use crate::{keys::rotate, names::ADA, throttle::Slow};

#[tokio::test]
async fn an_empty_field_and_what_is_no_code_are_no_try() {
    let mut begun = Begun::new(SignIn::Code).await;
    for typed in ["", "+", "-", "12345", "1234567", "abcdef", "BKQ-TMR"].repeat(2) {
        is_asked_again(&begun.type_code(typed).await);
    }
    assert_eq!(begun.redeemed(), 0);
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

#[tokio::test]
async fn five_wrong_codes_end_the_tries_and_the_link_still_works() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let wrong = begun.wrong();
    for _ in 0..5 {
        is_asked_again(&begun.type_code(wrong).await);
    }
    let code = begun.post.code();
    let answer = begun.type_code(&code).await;
    is_trouble(&answer, 403, RejectionKind::TooManyTries);
    assert!(answer.text().contains(ADA), "a new mail needs no typing");
    assert_eq!(begun.redeemed(), 5);
    let link = begun.post.link();
    assert_eq!(begun.first.get(&link).await.status(), 303);
}

/// Pins: tries were counted by a name of the current key, so a change of keys gave five more.
#[tokio::test]
async fn five_wrong_codes_end_the_tries_through_a_change_of_keys() {
    let mut begun = Begun::new(SignIn::Code).await;
    let (wrong, code) = (begun.wrong(), begun.post.code());
    for number in 0..5 {
        if number == 3 {
            rotate(&begun.world);
        }
        is_asked_again(&begun.type_code(wrong).await);
    }
    let answer = begun.type_code(&code).await;
    is_trouble(&answer, 403, RejectionKind::TooManyTries);
}

#[tokio::test]
async fn a_double_click_redeems_the_code_once() {
    let begun = Begun::new(SignIn::Code).await;
    let form = format!("code={}", begun.post.code());
    let click = || {
        let (mut browser, form) = (begun.first.clone(), form.clone());
        let action = begun.action.clone();
        async move { browser.post(&action, &form).await }
    };
    let (one, other) = tokio::join!(click(), click());
    assert_eq!((one.location(), other.location()), ("/reports", "/reports"));
    assert_eq!(one.set_cookies(), other.set_cookies());
    assert_eq!(
        click().await.set_cookies(),
        one.set_cookies(),
        "and a reload"
    );
    assert_eq!(begun.redeemed(), 1);
}

#[tokio::test]
async fn both_halves_of_a_double_click_sign_in_by_the_last_try() {
    let mut begun = Begun::new(SignIn::Code).await;
    for _ in 0..4 {
        is_asked_again(&begun.type_code(begun.wrong()).await);
    }
    let form = format!("code={}", begun.post.code());
    let (mut one, mut other) = (begun.first.clone(), begun.first.clone());
    let (one, other) = tokio::join!(
        one.post(&begun.action, &form),
        other.post(&begun.action, &form)
    );
    assert_eq!((one.location(), other.location()), ("/reports", "/reports"));
}

#[tokio::test]
async fn a_used_code_is_no_trouble_for_who_is_signed_in_by_it() {
    let mut begun = Begun::new(SignIn::Code).await;
    let code = begun.post.code();
    let mut signed_in = begun.first.clone();
    let form = format!("code={code}");
    assert_eq!(signed_in.post(&begun.action, &form).await.status(), 303);
    begun.world.clock.advance(Duration::from_secs(61));
    let again = signed_in.post(&begun.action, &form).await;
    assert_eq!(again.location(), "/reports");
    is_asked_again(&begun.type_code(&code).await);
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    begun.world.clock.advance(Duration::from_secs(601));
    let code = begun.post.code();
    is_asked_again(&begun.type_code(&code).await);

    let mut begun = Begun::new(SignIn::Code).await;
    begun.world.clock.advance(Duration::from_secs(601));
    let code = begun.post.code();
    is_trouble(
        &begun.type_code(&code).await,
        400,
        RejectionKind::AttemptExpired,
    );
}

#[tokio::test]
async fn the_page_of_a_wrong_code_can_be_opened_again() {
    let mut begun = Begun::new(SignIn::Code).await;
    is_asked_again(&begun.type_code(begun.wrong()).await);
    let again = begun.first.get(&begun.action.clone()).await;
    let field = begun.first.follow(again).await;
    assert_eq!(action(&field), Some(begun.action.clone()));
    assert_eq!(begun.redeemed(), 1);
    // Nothing else of the query goes on: a header cannot hold what another parser takes.
    let more = format!("{}&x=\u{e9}", begun.action);
    let again = begun.first.get(&more).await;
    let check = begun.action.replace("/auth/code", "/auth/check");
    assert_eq!(again.location(), check);
    let nothing = begun.first.get("/auth/code").await;
    assert_eq!(nothing.location(), "/auth/login");
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

/// Pins: who pressed again before the answer, five times, had no try left, though nothing had been
/// compared.
#[tokio::test]
async fn a_code_that_is_called_off_before_it_is_compared_costs_no_try() {
    let slow = Slow::default();
    let mut begun = Begun::with(SignIn::Code, |builder| builder.throttle(slow.clone())).await;
    for press in 1..=6 {
        slow.is_held.store(true, Ordering::SeqCst);
        let (mut browser, action) = (begun.first.clone(), begun.action.clone());
        let form = format!("code={}", begun.post.code());
        let pressed = tokio::spawn(async move { drop(browser.post(&action, &form).await) });
        let all = |count: &AtomicUsize| count.load(Ordering::SeqCst) == press;
        until(|| all(&slow.taken)).await;
        pressed.abort();
        assert!(pressed.await.unwrap_err().is_cancelled());
        slow.is_held.store(false, Ordering::SeqCst);
        until(|| all(&slow.given_back)).await;
    }
    assert_eq!(begun.redeemed(), 0);
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

async fn until(is_so: impl Fn() -> bool) {
    let waits = async {
        while !is_so() {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waits).await.unwrap();
}
