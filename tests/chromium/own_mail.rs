//! `examples/own_mail.rs` in a real browser: the example's own process, and nobody else.

use crate::{
    names::ADA,
    program::Program,
    stage::{Post, Stage},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn with_our_own_mail_alone_a_person_signs_in_by_the_link_once_and_out_again() {
    let mut program = Program::example("own_mail", &[]);
    let origin = program.says("listening on ");
    // The stage has the browsers, and its own sites are not visited.
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    browser.goto(&format!("{origin}/")).await;
    browser.shows("Sign in").await;
    browser.fill("email", ADA).await;
    browser.submit().await;
    browser.shows("Check your email").await;
    let link = program.says(&format!("sign-in link for {ADA}: "));
    assert!(link.starts_with(&format!("{origin}/auth/")), "{link}");
    // The mail is read beside the page that waits for it.
    browser.open_tab().await;
    browser.goto(&link).await;
    browser.arrives(&format!("{origin}/")).await;
    let greeting = format!("Hello {ADA}");
    assert_eq!(browser.text("body").await, Some(greeting.clone()));
    browser.is_content().await;
    // In its browser the link leads on.
    browser.goto(&link).await;
    browser.arrives(&format!("{origin}/")).await;
    assert_eq!(browser.text("body").await, Some(greeting));

    browser.goto(&format!("{origin}/auth/logout")).await;
    browser.shows("Sign out?").await;
    browser.press("Sign out").await;
    browser.shows("You’re signed out").await;
    browser.goto(&link).await;
    browser.shows("This link no longer works").await;
    browser.is_content().await;
    assert!(stage.sites.seen().is_empty());
}
