//! Browsers that do not keep our cookies: they are told so, and are not sent round and round.

use crate::{
    chromium::Chromium,
    names::ADA,
    site::APP,
    stage::{ARRIVED, BROWSER, POSTS, Post, SESSION, Stage},
};

const BLOCKED: &str = "Your browser blocks our cookie";

/// Asserts that a page names the cookie that is missed.
async fn names(browser: &Chromium, cookie: &str) {
    let detail = browser.text(".detail").await.unwrap();
    assert!(
        detail.starts_with(&format!("Cookie: {cookie}.")),
        "{detail}"
    );
    assert!(detail.ends_with(APP), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_browser_that_blocks_cookies_is_told_so_and_nothing_is_used_up() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser_without_cookies().await;
        browser.goto("/reports").await;
        browser.shows("Sign in").await;
        browser.fill("email", ADA).await;
        let before = stage.sites.seen().len();
        browser.submit().await;
        browser.shows(BLOCKED).await;
        names(&browser, BROWSER).await;
        // It was asked for mail, and was told: no loop.
        let seen = stage.sites.seen().split_off(before);
        let paths: Vec<_> = seen.iter().map(|seen| &seen.url[APP.len()..]).collect();
        assert_eq!(paths, ["/auth/login", "/auth/check"], "{post:?}");

        let link = stage.link_to(ADA);
        browser.goto(&link).await;
        browser.shows("Is that you?").await;
        browser.answer("code", "BCDFGH").await;
        browser.shows(BLOCKED).await;
        names(&browser, BROWSER).await;
        browser.press("Try again").await;
        browser.shows("Sign in").await;
        assert_eq!(browser.jar().await.len(), 0, "{post:?}");
        assert_eq!(stage.exchanges(), 0, "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_browser_that_drops_the_session_cookie_is_told_so_once() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    stage.sign_in(&browser, "/reports").await;
    assert!(browser.cookie(ARRIVED).await.is_some());
    browser.forget_cookie(SESSION).await;
    let before = stage.sites.seen().len();
    browser.goto("/reports").await;
    browser.shows(BLOCKED).await;
    names(&browser, SESSION).await;
    let seen = stage.sites.seen().split_off(before);
    let paths: Vec<_> = seen.iter().map(|seen| &seen.url[APP.len()..]).collect();
    assert_eq!(paths, ["/reports", "/auth/login"]);
    assert!(browser.cookie(ARRIVED).await.is_none());

    // The next try is an honest one.
    browser.press("Try again").await;
    browser.shows("Sign in").await;
    stage.sign_in(&browser, "/reports").await;
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_browser_that_forgets_everything_in_between_is_another_one() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, "/reports").await;
        let letters = browser.text("#match-code").await.unwrap();
        browser.forget().await;
        browser.goto(&link).await;
        browser.shows("Is that you?").await;
        browser.answer("code", &letters).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports").await;
        browser.is_content().await;
    }
}
