//! Arriving from another site: what `SameSite=Lax` lets through.

use http::HeaderMap;

use crate::{
    names::ADA,
    site::{APP, MAIL},
    stage::{Post, SESSION, Stage, page},
    wait::eventually,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_link_on_another_sites_page_signs_in_and_arrives_in_one_go() {
    for post in [Post::Own, Post::WorkOs] {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, "/reports").await;
        let before = stage.sites.seen().len();

        browser.goto(&stage.mail(&link)).await;
        browser.press("Sign in to Acme").await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports").await;

        let seen = stage.sites.seen().split_off(before);
        let hops: Vec<_> = seen
            .iter()
            .filter(|seen| seen.url.starts_with(APP) && seen.from.is_some())
            .filter(|seen| !seen.url.ends_with(".ico"))
            .map(|seen| (&seen.url[APP.len()..], seen.from.as_deref().unwrap()))
            .collect();
        // Cross-site to the end, and never by way of the form, which is where a Strict cookie
        // leads.
        let mut want = vec![
            ("/auth/open", "cross-site"),
            ("/auth/callback", "cross-site"),
            ("/reports", "cross-site"),
        ];
        if post == Post::WorkOs {
            want.remove(0);
        }
        assert_eq!(hops, want, "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn who_is_signed_in_arrives_signed_in_from_another_sites_page() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    stage.sign_in(&browser, "/").await;
    browser.goto(&stage.mail(&format!("{APP}/reports"))).await;
    browser.press("Sign in to Acme").await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.arrives("/reports").await;
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn another_sites_form_neither_signs_in_nor_out() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    stage.sign_in(&browser, "/").await;
    let mails = stage.letters();
    for path in ["login", "logout"] {
        let url = format!("{MAIL}/{path}");
        let html = page(&format!(
            "<form method=post action=\"{APP}/auth/{path}\"><input name=email value=\"{ADA}\"><button>Win</button></form>"
        ));
        stage.sites.publish(&url, HeaderMap::new(), html);
        browser.goto(&url).await;
        browser.press("Win").await;
        browser.shows("That came from another website").await;
    }
    assert_eq!(stage.letters(), mails);
    assert!(browser.cookie(SESSION).await.is_some());
    browser.goto("/").await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn another_site_cannot_frame_a_page() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    let url = format!("{MAIL}/frame");
    let html = page(&format!("<iframe src=\"{APP}/auth/login\"></iframe>"));
    stage.sites.publish(&url, HeaderMap::new(), html);
    browser.goto(&url).await;
    eventually("the refusal to frame a page", async || {
        let said = browser.complaints().await.concat();
        said.contains("frame-ancestors 'none'").then_some(())
    })
    .await;
}
