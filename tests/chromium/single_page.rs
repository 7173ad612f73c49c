//! The function that the guide gives a page's scripts, in a page.

use std::time::Duration;

use crate::{
    names::ADA,
    stage::{Post, Stage},
};

const GUIDE: &str = include_str!("../../src/guide/single_page_applications.md");
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_guides_function_leads_to_the_form_and_back_to_the_fragment() {
    let (_, api) = GUIDE.split_once("```js\n").unwrap();
    let (api, _) = api.split_once("```").unwrap();
    let asks = format!("{api} return api('/me').then((answer) => answer.status)");
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    stage.sign_in(&browser, "/reports#totals").await;
    assert_eq!(browser.run(&asks).await.unwrap(), 200);

    // The application's own 401 is the script's to read.
    let own = "const fetch = async () => new Response('{\"error\":\"no\"}', { status: 401 });";
    let answered = browser.run(&format!("{own} {asks}")).await.unwrap();
    assert_eq!(answered, 401);
    browser.arrives("/reports#totals").await;

    stage.pass(DAY);
    browser.leave(&format!("{api} void api('/me')")).await;
    browser.shows("Sign in").await;
    browser.fill("email", ADA).await;
    browser.submit().await;
    browser.shows("Check your email").await;
    browser.goto(&stage.link_to(ADA)).await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.arrives("/reports#totals").await;
}
