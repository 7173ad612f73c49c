//! However often a sign-in is sealed anew, its mail has five tries; a new mail has its own.

use std::time::Duration;

use tower_magic_link::{
    RejectionKind, SignIn,
    throttle::{Limits, Rate},
};

use super::{Begun, action, is_asked_again, is_trouble};
use crate::{
    names::ADA,
    page::Page,
    support::{Answer, Browser},
};

/// Begins a sign-in that the page of a failure offers to go on with, sealed anew: its browser kept
/// a fragment.
async fn begin(browser: &mut Browser) -> String {
    let asked = browser
        .post("/auth/login", &format!("email={ADA}&fragment=1"))
        .await;
    action(&browser.follow(asked).await).expect("a field for the code")
}

/// Returns the attempt in the form that asks for another mail.
fn sealed(answer: &Answer) -> String {
    let page = Page::of(&answer.text());
    let mut fields = page.forms.iter().flat_map(|form| &form.fields);
    let field = fields.find(|field| field.name == "t");
    field.expect("the attempt").value.clone()
}

/// Pins: the page of a failure sealed the attempt with another beginning, by which its tries had
/// another name: five more in each of the first thirty seconds.
#[tokio::test]
async fn a_sign_in_that_is_sealed_anew_has_no_more_tries() {
    let many = Rate::new(1_000, Duration::from_secs(1));
    let limits = Limits::default().codes_per_address_and_network(many);
    let limits = limits.codes_per_address(many);
    let mut begun = Begun::with(SignIn::LinkAndCode, |builder| builder.limits(limits)).await;
    begun.action = begin(&mut begun.first).await;
    let wrong = begun.wrong();
    for _ in 0..5 {
        is_asked_again(&begun.type_code(wrong).await);
    }
    for second in 0..40 {
        let told = begun.type_code(wrong).await;
        is_trouble(&told, 403, RejectionKind::TooManyTries);
        begun.action = format!("/auth/code?t={}", sealed(&told));
        assert_eq!(begun.redeemed(), 5, "{second}");
        begun.world.clock.advance(Duration::from_secs(1));
    }
    let link = begun.post.link();
    assert_eq!(begun.first.get(&link).await.status(), 303);
}

#[tokio::test]
async fn the_end_of_the_tries_lasts_as_long_as_the_sign_in() {
    let mut begun = Begun::new(SignIn::Code).await;
    begun.action = begin(&mut begun.first).await;
    let (first, wrong) = (begun.action.clone(), begun.wrong());
    for _ in 0..5 {
        is_asked_again(&begun.type_code(wrong).await);
    }
    begun.action = format!("/auth/code?t={}", sealed(&begun.type_code(wrong).await));
    let told = begun.type_code(wrong).await;
    is_trouble(&told, 403, RejectionKind::TooManyTries);
    begun.world.clock.advance(Duration::from_secs(599));
    begun.action = first;
    let told = begun.type_code(wrong).await;
    is_trouble(&told, 403, RejectionKind::TooManyTries);
    assert_eq!(begun.redeemed(), 5);
}

/// WorkOS compares a code with the newest mail's, whichever page it is typed in.
#[tokio::test]
async fn the_newest_code_of_workos_signs_in_from_an_older_page_too_and_another_is_sent_on() {
    let mut begun = Begun::new(SignIn::Code).await;
    begun.world.clock.advance(Duration::from_secs(31));
    let asked = begun.first.ask_for_link(ADA, "/reports").await;
    assert_ne!(action(&asked).unwrap(), begun.action);
    let told = begun.type_code(begun.wrong()).await;
    is_asked_again(&told);
    let words = "You have asked for a newer email";
    assert!(told.read().contains(words), "{}", told.read());
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
}

#[tokio::test]
async fn a_new_mail_has_five_tries_of_its_own_and_ends_the_code_before() {
    let mut begun = Begun::new(SignIn::Code).await;
    let (old, wrong) = (begun.action.clone(), begun.wrong());
    for _ in 0..5 {
        is_asked_again(&begun.type_code(wrong).await);
    }
    let former = begun.post.code();
    begun.action = begin(&mut begun.first).await;
    assert_ne!(former, begun.post.code(), "drawn anew");
    is_asked_again(&begun.type_code(&former).await);
    let (new, code) = (begun.action.clone(), begun.post.code());
    begun.action = old;
    let told = begun.type_code(&code).await;
    is_trouble(&told, 403, RejectionKind::TooManyTries);
    begun.action = new;
    let answer = begun.type_code(&code).await;
    assert_eq!(answer.status(), 200, "a page that leads to the fragment");
}
