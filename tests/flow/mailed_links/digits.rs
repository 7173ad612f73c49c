//! Six digits of the layer's own mail.

use tower_magic_link::{
    RejectionKind, SignIn,
    throttle::{Limits, Rate},
};

use super::{Site, action, ask, is_in, is_told, sign_out, type_digits};
use crate::{names::ADA, support::Answer};

pub(super) fn other_than(digits: &str) -> &'static str {
    if digits == "000000" {
        "111111"
    } else {
        "000000"
    }
}

fn is_asked_again(answer: &Answer) {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    assert!(
        answer.text().contains("id=\"problem\""),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn six_digits_sign_in_where_they_were_asked_for_and_nowhere_else() {
    let site = Site::new();
    let replica = site.replica(SignIn::Code);
    let (mut first, mut other) = (replica.browser(), replica.browser());
    let check = ask(&mut first).await;
    let digits = site.post.code();
    other.get("/auth/login").await;
    let told = type_digits(&mut other, &action(&check), &digits).await;
    is_told(&told, RejectionKind::AnotherBrowser);
    let session = is_in(&type_digits(&mut first, &action(&check), &digits).await);
    assert!(!session.is_empty());
    // A second time in this browser leads on, and after signing out nowhere.
    site.pass(90);
    let again = type_digits(&mut first, &action(&check), &digits).await;
    assert_eq!(is_in(&again), session);
    sign_out(&mut first).await;
    is_asked_again(&type_digits(&mut first, &action(&check), &digits).await);
    assert_eq!(site.heard("SignedIn {"), 1);
}

#[tokio::test]
async fn five_wrong_digits_end_the_tries_of_a_mail_also_for_the_right_ones() {
    let site = Site::new();
    let many = Rate::new(1_000, std::time::Duration::from_secs(1));
    let limits = Limits::default().codes_per_address_and_network(many);
    let replica = site.with(SignIn::Code, |builder| builder.limits(limits));
    let mut browser = replica.browser();
    let check = ask(&mut browser).await;
    let digits = site.post.code();
    for _ in 0..5 {
        let wrong = other_than(&digits);
        is_asked_again(&type_digits(&mut browser, &action(&check), wrong).await);
    }
    let told = type_digits(&mut browser, &action(&check), &digits).await;
    is_told(&told, RejectionKind::TooManyTries);
    site.pass(30);
    let check = ask(&mut browser).await;
    is_in(&type_digits(&mut browser, &action(&check), &site.post.code()).await);
}

#[tokio::test]
async fn a_new_mail_ends_the_old_digits_in_every_tab_of_the_browser() {
    new_mail_ends_the_old_digits(|_| ()).await;
}

/// Pins: what names the newest mail was compared by the current key alone.
#[tokio::test]
async fn a_new_mail_ends_the_old_digits_through_a_change_of_keys() {
    new_mail_ends_the_old_digits(Site::rotate).await;
}

async fn new_mail_ends_the_old_digits(meanwhile: impl Fn(&Site)) {
    let site = Site::new();
    let replica = site.replica(SignIn::Code);
    let mut browser = replica.browser();
    let old = action(&ask(&mut browser).await);
    let old_digits = site.post.code();
    // From a form in another tab, and not only from the page that offers another mail.
    site.pass(1);
    let new = action(&ask(&mut browser).await);
    let new_digits = site.post.code();
    meanwhile(&site);
    is_asked_again(&type_digits(&mut browser, &old, &old_digits).await);
    if old_digits != new_digits {
        is_asked_again(&type_digits(&mut browser, &new, &old_digits).await);
    }
    is_in(&type_digits(&mut browser, &new, &new_digits).await);
    // Neither does the end of the newer sign-in bring them back.
    sign_out(&mut browser).await;
    is_asked_again(&type_digits(&mut browser, &old, &old_digits).await);
}

/// Pinned: in the page of an older mail the newest one's digits were "not the code in our newest
/// email", and its own were "too old" at once.
#[tokio::test]
async fn the_page_of_an_older_mail_leads_to_that_of_the_newer_one_whatever_is_typed() {
    let (replaced, wrong) = ("You have asked for a newer email", "the right code");
    for (name, is_lost, told) in [
        ("asked", false, replaced),
        // The browser does not know of a mail whose answer it has not got.
        ("asked, and the answer was lost", true, wrong),
    ] {
        let site = Site::new();
        let replica = site.replica(SignIn::Code);
        let mut browser = replica.browser();
        let old = action(&ask(&mut browser).await);
        let old_digits = site.post.code();
        let jar = browser.jar.clone();
        site.pass(31);
        let new = action(&ask(&mut browser).await);
        let new_digits = site.post.code();
        if is_lost {
            browser.jar = jar;
        }
        let other = other_than(&new_digits);
        for digits in [new_digits.as_str(), other] {
            let answer = type_digits(&mut browser, &old, digits).await;
            is_asked_again(&answer);
            assert!(answer.read().contains(told), "{name}: {}", answer.read());
        }
        if is_lost {
            is_in(&type_digits(&mut browser, &old, &old_digits).await);
            continue;
        }
        let answer = type_digits(&mut browser, &old, &old_digits).await;
        assert!(answer.read().contains(replaced), "{name}");
        let answer = type_digits(&mut browser, &new, other).await;
        assert!(answer.read().contains(wrong), "{name}: {}", answer.read());
        is_in(&type_digits(&mut browser, &new, &new_digits).await);
    }
}

#[tokio::test]
async fn a_mail_to_another_address_or_for_somebody_else_does_not_end_a_persons_digits() {
    let site = Site::new();
    let replica = site.replica(SignIn::Code);
    let (mut browser, mut stranger) = (replica.browser(), replica.browser());
    let check = ask(&mut browser).await;
    let digits = site.post.code();
    ask(&mut stranger).await;
    browser.ask_for_link("grace@example.com", "/").await;
    is_in(&type_digits(&mut browser, &action(&check), &digits).await);
}

#[tokio::test]
async fn digits_are_good_for_ten_minutes_however_long_their_link_is() {
    for (seconds, is_good) in [(599, true), (600, false)] {
        let site = Site::new();
        let day = std::time::Duration::from_secs(24 * 60 * 60);
        let set = |builder: tower_magic_link::Builder| builder.link_lifetime(day);
        let mut browser = site.with(SignIn::LinkAndCode, set).browser();
        let check = ask(&mut browser).await;
        site.pass(seconds);
        let answer = type_digits(&mut browser, &action(&check), &site.post.code()).await;
        match is_good {
            true => drop(is_in(&answer)),
            false => is_asked_again(&answer),
        }
    }
}

/// The subject is an account's key: it must never change.
#[tokio::test]
async fn a_person_has_one_subject_by_link_and_digits_and_after_a_change_of_keys() {
    let site = Site::new();
    let replica = site.replica(SignIn::LinkAndCode);
    let mut subjects = Vec::new();
    for by_link in [true, false] {
        let mut browser = replica.browser();
        let check = browser.ask_for_link("ADA@Example.com", "/").await;
        let answer = match by_link {
            true => super::open(&mut browser, &site.post.link()).await,
            false => type_digits(&mut browser, &action(&check), &site.post.code()).await,
        };
        let text = answer.text();
        let told: Vec<_> = text.split(' ').collect();
        assert_eq!(told[2], ADA, "{text}");
        subjects.push(told[1].to_owned());
        site.rotate();
    }
    assert_eq!(subjects[0], subjects[1]);
    // SHA-256 of `tower-magic-link: subject`, a NUL and the address, by another program.
    let expected = "mail_nFbcN1KfNgrjQfFU3ou_PXnJB4fz8EjsU8zce2ZbaLw";
    assert_eq!(subjects[0], expected);
}
