//! The fragment of where a person wanted to go (`/page#part`): it never leaves the browser, and is
//! there again at the end.

use http::{HeaderMap, StatusCode};
use serde_json::json;
use tower_magic_link::page::{DefaultPages, OnwardPage, Page, Pages};

use crate::{
    chromium::Chromium,
    names::ADA,
    site::{APP, MAIL},
    stage::{POSTS, Post, Stage},
};

/// Returns what is kept in the browser for the application: all of its keys and values.
async fn kept(browser: &Chromium) -> serde_json::Value {
    browser
        .run("return Object.entries(localStorage)")
        .await
        .unwrap()
}

/// Returns the statuses with which callbacks were answered.
fn callbacks(stage: &Stage) -> Vec<StatusCode> {
    let url = format!("{APP}/auth/callback");
    let seen = stage.sites.seen();
    let callbacks = seen.iter().filter(|seen| seen.url == url);
    callbacks.map(|seen| seen.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_fragment_is_there_again_after_the_sign_in() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage
            .ask_for_link(&browser, "/reports?year=2026#part/2")
            .await;
        assert_ne!(kept(&browser).await, json!([]), "{post:?}");
        // The mail is read in another tab of the same browser.
        browser.open_tab().await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports?year=2026#part/2").await;
        assert_eq!(callbacks(&stage), [StatusCode::OK], "{post:?}");
        // It is used once.
        assert_eq!(kept(&browser).await, json!([]), "{post:?}");
        // The page between is none to go back to.
        browser.back().await;
        assert_ne!(
            browser.text("h1").await.as_deref(),
            Some("You’re signed in"),
            "{post:?}"
        );
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn without_a_fragment_nothing_is_kept_and_no_page_stands_between() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, "/reports").await;
        assert_eq!(kept(&browser).await, json!([]), "{post:?}");
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports").await;
        assert_eq!(kept(&browser).await, json!([]), "{post:?}");
        assert_eq!(callbacks(&stage), [StatusCode::SEE_OTHER], "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn what_was_put_into_the_storage_leads_nowhere_else() {
    let stage = Stage::with(Post::Own, |builder| builder.insecure_no_throttle()).await;
    let browser = stage.browser().await;
    // Each after the moment at which it was kept; the last ones are a day old, and of no moment at
    // all.
    let cases = [
        ("javascript:alert(1)", "Date.now()", "/reports"),
        ("https://mail.example.org/", "Date.now()", "/reports"),
        ("//mail.example.org/", "Date.now()", "/reports"),
        ("", "Date.now()", "/reports"),
        (
            "#x://mail.example.org/",
            "Date.now()",
            "/reports#x://mail.example.org/",
        ),
        ("#old", "Date.now() - 86400001", "/reports"),
        ("#never", "''", "/reports"),
    ];
    for (value, moment, arrives) in cases {
        let link = stage.ask_for_link(&browser, "/reports#part").await;
        let put =
            format!("localStorage.setItem(Object.keys(localStorage)[0], {moment} + {value:?})");
        browser.run(&put).await.unwrap();
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives(arrives).await;
        assert_eq!(kept(&browser).await, json!([]), "{value:?}");
        stage.sign_out(&browser).await;
    }
    assert_eq!(callbacks(&stage), [StatusCode::OK; 7]);
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_script_leads_to_no_other_site() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    let headers = stage.sites.page_headers().await;
    let greeting = crate::stage::page("<h1>Arrived</h1>");
    stage.sites.publish(
        &format!("{APP}/public/there"),
        HeaderMap::new(),
        greeting.clone(),
    );
    stage
        .sites
        .publish(&format!("{MAIL}/there"), HeaderMap::new(), greeting);
    let cases = [
        ("/public/there", "Arrived"),
        ("https://mail.example.org/there", "You’re signed in"),
        ("//mail.example.org/there", "You’re signed in"),
        ("javascript:document.body.remove()", "You’re signed in"),
    ];
    for (to, heading) in cases {
        let page = format!("{APP}/public/onward");
        let html = DefaultPages::new().render(&Page::Onward(OnwardPage::new(to)));
        stage.sites.publish(&page, headers.clone(), html);
        let before = stage.sites.seen().len();
        browser.goto(&page).await;
        // Whatever the script does, it has done by the time of the browser's next page.
        browser.shows(heading).await;
        browser.goto("/public/there").await;
        browser.shows("Arrived").await;
        let seen = stage.sites.seen().split_off(before);
        assert!(
            seen.iter().all(|seen| !seen.url.starts_with(MAIL)),
            "{to}: {seen:?}"
        );
    }
    browser.is_content().await;
}
