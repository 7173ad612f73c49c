//! A frame of the application whose session has ended.

use http::HeaderMap;
use tower_magic_link::page::DefaultPages;

use crate::{
    screens::{folder, picture},
    site::APP,
    stage::{ARRIVED, Post, SESSION, Stage, page},
    wait::eventually,
};

/// What the frame of the page shows.
const IN_FRAME: &str =
    "return document.querySelector('iframe').contentDocument?.querySelector('h1')?.textContent";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_frame_whose_session_has_ended_says_so_and_leads_out_and_back() {
    let pages = DefaultPages::new().application_name("Acme");
    let stage = Stage::with(Post::Own, |builder| builder.pages(pages)).await;
    let browser = stage.browser().await;
    let board = format!("{APP}/public/board");
    let html = page("<h1>Board</h1><iframe src=\"/widget\" width=420 height=420></iframe>");
    stage.sites.publish(&board, HeaderMap::new(), html);
    stage.sign_in(&browser, "/").await;
    for cookie in [SESSION, ARRIVED] {
        browser.forget_cookie(cookie).await;
    }
    browser.goto(&board).await;
    eventually("a page in the frame", async || {
        let shown = browser.run(IN_FRAME).await.ok()?;
        (shown == "You’re not signed in").then_some(())
    })
    .await;
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    let picture = picture(&browser).await;
    std::fs::write(folder.join("frame.png"), picture).unwrap();

    // A click on the link, as a person's: into the whole window, and back to the page around it.
    let press =
        "document.querySelector('iframe').contentDocument.querySelector('a.button').click()";
    browser.leave(press).await;
    browser.arrives("/auth/login?return_to=/public/board").await;
    browser.shows("Sign in").await;
}
