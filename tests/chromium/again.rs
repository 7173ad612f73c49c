//! The same once more: the browser's own buttons on every page, and two clicks where one is meant.

use std::time::Duration;

use http::HeaderMap;
use tower_magic_link::{Builder, SignIn, page::CrossDevice};

use crate::{
    chromium::Chromium,
    names::ADA,
    site::{APP, MAIL, WORKOS},
    stage::{POSTS, Post, SESSION, Stage, escape, page},
    wait::eventually,
};

fn hello() -> String {
    format!("Hello {ADA}")
}

/// Reloads a page, which then is the same page.
async fn stays(browser: &Chromium, heading: &str) {
    browser.shows(heading).await;
    browser.reload().await;
    browser.shows(heading).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_back_button_leads_through_the_pages_that_were_there() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, "/reports").await;
        browser.back().await;
        browser.shows("Sign in").await;
        browser.forward().await;
        browser.shows("Check your email").await;
        browser.goto(&link).await;
        browser.shows(&hello()).await;
        browser.back().await;
        browser.shows("Check your email").await;
        browser.back().await;
        browser.shows("Sign in").await;
        browser.forward().await;
        browser.forward().await;
        browser.shows(&hello()).await;
        browser.arrives("/reports").await;

        stage.sign_out(&browser).await;
        // The page that asked is not shown again, with its address.
        browser.back().await;
        browser.shows("You’re signed out").await;
        browser.goto("/reports").await;
        browser.shows("Sign in").await;
        assert!(browser.cookie(SESSION).await.is_none(), "{post:?}");
        assert_eq!(stage.exchanges(), 1, "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_back_button_leads_through_another_browsers_answers() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        let link = stage.ask_for_link(&first, "/reports").await;
        let letters = first.text("#match-code").await.unwrap();
        second.goto(&link).await;
        second.shows("Is that you?").await;
        second.answer("code", "BBB-BBB").await;
        assert!(second.text("#problem").await.is_some(), "{post:?}");
        second.back().await;
        second.shows("Is that you?").await;
        second.answer("code", &letters).await;
        second.shows(&hello()).await;
        // A person who goes back and answers once more goes where they wanted to go, and is signed
        // in once.
        second.back().await;
        second.shows("Is that you?").await;
        second.answer("code", &letters).await;
        second.shows(&hello()).await;
        second.arrives("/reports").await;
        assert_eq!(stage.exchanges(), 1, "{post:?}");
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn every_page_can_be_reloaded() {
    let configure = |builder: Builder| builder.sign_in(SignIn::LinkAndCode);
    let stage = Stage::with(Post::Own, configure).await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    first.goto("/reports").await;
    stays(&first, "Sign in").await;
    first
        .run("document.forms[0].noValidate = true")
        .await
        .unwrap();
    first.answer("email", "ada@localhost@").await;
    // The form is sent once more, as it was.
    stays(&first, "Sign in").await;
    assert!(first.text("#problem").await.is_some());
    assert_eq!(stage.letters(), 0);
    first.answer("email", ADA).await;
    stays(&first, "Check your email").await;
    assert_eq!(stage.letters(), 1);
    let code = stage.code_to(ADA);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    first.answer("code", wrong).await;
    stays(&first, "Check your email").await;
    assert!(first.text("#problem").await.is_some());

    second.goto(&stage.link_to(ADA)).await;
    stays(&second, "Is that you?").await;
    second.answer("code", "BBB-BBB").await;
    stays(&second, "Is that you?").await;
    assert!(second.text("#problem").await.is_some());
    let letters = first.text("#match-code").await.unwrap();
    second.answer("code", &letters).await;
    stays(&second, &hello()).await;

    first.answer("code", &code).await;
    stays(&first, &hello()).await;
    first.arrives("/reports").await;
    first.goto("/auth/logout").await;
    stays(&first, "Sign out?").await;
    first.press("Sign out").await;
    stays(&first, "You’re signed out").await;
    first.goto(&stage.link_to(ADA)).await;
    stays(&first, "This link no longer works").await;
    first.press("Send a new email").await;
    stays(&first, "Check your email").await;
    first.goto(&stage.link_to(ADA)).await;
    stays(&first, &hello()).await;
    first.is_content().await;
    second.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn two_clicks_on_the_way_in_are_as_good_as_one() {
    for post in POSTS {
        let configure = |builder: Builder| builder.insecure_no_throttle();
        let stage = Stage::with(post, configure).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        first.goto("/reports").await;
        first.shows("Sign in").await;
        first.fill("email", ADA).await;
        first.send_twice("form button").await;
        first.shows("Check your email").await;
        stage.pass(Duration::from_secs(30));
        first.reload().await;
        first.send_twice("#again").await;
        first.shows("Check your email").await;
        let link = stage.link_to(ADA);
        let letters = first.text("#match-code").await.unwrap();
        // The mail that is read first, in whichever browser.
        second.goto(&link).await;
        second.shows("Is that you?").await;
        second.fill("code", &letters).await;
        second.send_twice("form button").await;
        second.shows(&hello()).await;
        second.arrives("/reports").await;

        second.goto("/auth/logout").await;
        second.shows("Sign out?").await;
        second.send_twice("form button").await;
        second.shows("You’re signed out").await;
        first.goto(&link).await;
        first.shows("This link no longer works").await;
        first.send_twice("#again").await;
        first.shows("Check your email").await;
        first.goto(&stage.link_to(ADA)).await;
        first.shows(&hello()).await;
        first.is_content().await;
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn two_clicks_on_the_link_are_two_tabs_and_both_arrive() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, "/reports").await;
        let url = format!("{MAIL}/inbox");
        // As webmail has it.
        let link = format!(
            "<a target=_blank rel=noopener href=\"{}\">Go</a>",
            escape(&link)
        );
        stage.sites.publish(&url, HeaderMap::new(), page(&link));
        browser.goto(&url).await;
        browser.click_twice("a").await;
        let tabs = eventually("two more tabs", async || {
            Some(browser.tabs().await).filter(|tabs| tabs.len() == 3)
        })
        .await;
        for tab in &tabs[1..] {
            browser.look_at(tab).await;
            browser.shows(&hello()).await;
            browser.arrives("/reports").await;
        }
        assert_eq!(stage.exchanges(), 1, "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn two_clicks_are_as_good_as_one_with_a_code_and_a_confirmation() {
    let configure = |builder: Builder| {
        builder
            .insecure_no_throttle()
            .cross_device(CrossDevice::Confirm)
            .sign_in(SignIn::LinkAndCode)
    };
    let stage = Stage::with(Post::Own, configure).await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    stage.ask(&first, "/reports").await;
    first.fill("code", &stage.code_to(ADA)).await;
    first.send_twice("form button").await;
    first.shows(&hello()).await;
    first.arrives("/reports").await;
    assert_eq!(stage.code_exchanges(), 1);
    second.goto(&stage.link_to(ADA)).await;
    second.shows("Sign in here?").await;
    second.send_twice("form button:not([name])").await;
    second.shows(&hello()).await;
    stage.sign_out(&second).await;
    stage.sign_out(&first).await;

    stage.ask(&first, "/reports").await;
    second.goto(&stage.link_to(ADA)).await;
    second.shows("Sign in here?").await;
    second.send_twice("form button[name=answer]").await;
    second.shows("This link was turned down").await;
    stage.sign_in(&second, "/reports").await;
    second.goto("/auth/logout").await;
    second.shows("Sign out?").await;
    second.send_twice("form button[name=everywhere]").await;
    second.shows("You’re signed out").await;
    first.is_content().await;
    second.is_content().await;
}

/// A second click calls off the first request wherever it is, unless the page holds it back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_second_click_while_the_first_is_under_way_does_nothing() {
    let stage = Stage::new(Post::Own).await;
    let (first, second) = (stage.hasty_browser().await, stage.hasty_browser().await);
    let twice = async |browser: &Chromium, held: &str| {
        let arrived = || {
            stage
                .sites
                .seen()
                .iter()
                .filter(|seen| seen.url.starts_with(held))
                .count()
        };
        let before = arrived();
        let button = browser.place("form button").await;
        stage.sites.hold(held);
        browser.click(&button).await;
        eventually(held, async || (arrived() > before).then_some(())).await;
        browser.click(&button).await;
        stage.sites.release();
        assert_eq!(arrived(), before + 1, "{held}");
    };
    first.goto("/reports").await;
    first.shows("Sign in").await;
    first.fill("email", ADA).await;
    twice(&first, &format!("{APP}/auth/login")).await;
    first.shows("Check your email").await;
    assert_eq!(stage.letters(), 1);
    let letters = eventually("the letters", async || first.text("#match-code").await).await;
    second.goto(&stage.link_to(ADA)).await;
    second.shows("Is that you?").await;
    second.fill("code", &letters).await;
    // WorkOS has used the link up by then, and its answer is the only one.
    twice(&second, &format!("{WORKOS}/passwordless/")).await;
    second.shows(&hello()).await;
    second.arrives("/reports").await;
    assert_eq!((stage.follows(), stage.exchanges()), (1, 1));
    first.is_content().await;
    second.is_content().await;
}
