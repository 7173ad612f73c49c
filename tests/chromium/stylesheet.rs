//! The default pages with a style sheet of the application's own.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tower_magic_link::page::DefaultPages;

use crate::{
    chromium::Chromium,
    names::ADA,
    site::{APP, MAIL, Sites},
    stage::{Post, Stage, page},
    wait::eventually,
};

const SHEET: &str = "@import \"other.css\";
    @font-face { font-family: Own; src: url(own.woff2) }
    :root { --accent: rgb(1, 2, 3) }
    main { border-left: 7px solid; background-image: url(picture.png) }
    h1 { font-family: Own }";

/// A path of the application, and a URL of another site.
fn places() -> [(String, String); 2] {
    let path = "/public/sign-in.css".to_owned();
    let url = format!("{MAIL}/styles/sign-in.css");
    [(path.clone(), format!("{APP}{path}")), (url.clone(), url)]
}

async fn stage(address: &str) -> Stage {
    let pages = DefaultPages::new().stylesheet(address).unwrap();
    Stage::with(Post::Own, |builder| builder.pages(pages)).await
}

fn publish(sites: &Sites, url: &str, sheet: &str) {
    let mut css = HeaderMap::new();
    css.insert(CONTENT_TYPE, HeaderValue::from_static("text/css"));
    sites.publish(url, css, sheet);
}

/// Returns the ground of the form's button, and the width of the card's left edge.
async fn look(browser: &Chromium) -> Value {
    let look = "
        const style = (query) => getComputedStyle(document.querySelector(query));
        return [style('form button').backgroundColor, style('main').borderLeftWidth]";
    browser.run(look).await.unwrap()
}

/// The look without a sheet, of a light page.
fn usual() -> Value {
    json!(["rgb(36, 86, 214)", "1px"])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_rules_of_an_applications_sheet_win_and_nothing_that_it_names_loads() {
    for (address, url) in places() {
        let stage = stage(&address).await;
        publish(&stage.sites, &url, SHEET);
        let browser = stage.browser().await;
        browser.goto("/auth/login").await;
        browser.shows("Sign in").await;
        assert_eq!(
            look(&browser).await,
            json!(["rgb(1, 2, 3)", "7px"]),
            "{url}"
        );
        let mut complaints = Vec::new();
        for directive in ["style-src", "img-src", "font-src"] {
            eventually(directive, async || {
                complaints.extend(browser.complaints().await);
                let refused = |said: &String| {
                    said.contains("violates the following Content Security Policy")
                        && (said.contains(directive) || said.contains("default-src"))
                };
                complaints.iter().any(refused).then_some(())
            })
            .await;
        }
        let loaded: Vec<_> = stage
            .sites
            .seen()
            .into_iter()
            .map(|seen| seen.url)
            .collect();
        assert!(loaded.contains(&url), "{loaded:?}");
        for file in ["other.css", "own.woff2", "picture.png"] {
            let named = url.replace("sign-in.css", file);
            assert!(!loaded.contains(&named), "{loaded:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn beside_the_applications_sheet_no_other_of_its_host_applies() {
    for (address, url) in places() {
        let stage = stage(&address).await;
        let headers = stage.sites.page_headers().await;
        let browser = stage.browser().await;
        for other in ["sign-in.css/x", "sign-in", "other.css"] {
            let other = url.replace("sign-in.css", other);
            publish(&stage.sites, &other, "h1 { color: rgb(1, 2, 3) }");
            let html = page(&format!(
                "<h1>One</h1><link rel=stylesheet href=\"{other}\">"
            ));
            let place = format!("{APP}/public/page");
            stage.sites.publish(&place, headers.clone(), html);
            browser.goto(&place).await;
            eventually(&other, async || {
                let said = browser.complaints().await;
                let refused = "violates the following Content Security Policy";
                said.iter().any(|said| said.contains(refused)).then_some(())
            })
            .await;
            assert!(
                !stage.sites.seen().iter().any(|seen| seen.url == other),
                "{other}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn without_the_applications_sheet_a_page_has_its_usual_look_and_works() {
    for (address, url) in places() {
        // It is not there.
        let stage = stage(&address).await;
        let browser = stage.browser().await;
        browser.goto("/auth/login").await;
        browser.shows("Sign in").await;
        assert_eq!(look(&browser).await, usual(), "{url}");
        stage.sign_in(&browser, "/reports").await;
        assert!(
            stage.sites.seen().iter().any(|seen| seen.url == url),
            "{url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_page_neither_waits_for_the_applications_sheet_nor_does_its_script() {
    for (address, url) in places() {
        // Its server takes the request, and does not answer.
        let stage = stage(&address).await;
        publish(&stage.sites, &url, SHEET);
        stage.sites.hold(&url);
        let browser = stage.hasty_browser().await;
        browser.goto("/reports#second").await;
        browser.shows("Sign in").await;
        eventually("the first paint", async || {
            let painted = "return performance.getEntriesByName('first-contentful-paint').length";
            (browser.run(painted).await.ok()? == 1).then_some(())
        })
        .await;
        assert_eq!(look(&browser).await, usual(), "{url}");
        let loading = browser.run("return document.readyState").await.unwrap();
        assert_ne!(loading, "complete", "the sheet is still on its way");
        // The script has kept the fragment by now.
        let kept = "return document.querySelector('[name=fragment]') !== null";
        eventually("the script", async || {
            (browser.run(kept).await.ok()? == true).then_some(())
        })
        .await;
        browser.fill("email", ADA).await;
        browser.submit().await;
        browser.shows("Check your email").await;
        stage.sites.release();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_guides_sheet_gives_the_pages_its_colour_and_shape() {
    let guide = include_str!("../../src/guide/look_and_language.md");
    let (_, sheet) = guide.split_once("```css\n").unwrap();
    let (sheet, _) = sheet.split_once("```").unwrap();
    let [(address, url), _] = places();
    let stage = stage(&address).await;
    publish(&stage.sites, &url, sheet);
    let browser = stage.browser().await;
    browser.goto("/auth/login").await;
    browser.shows("Sign in").await;
    assert_eq!(look(&browser).await, json!(["rgb(109, 40, 217)", "1px"]));
    let radius = "return getComputedStyle(document.querySelector('main')).borderRadius";
    assert_eq!(browser.run(radius).await.unwrap(), "0px");
    // In the dark the colour is the other one.
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.devtools("Emulation.setEmulatedMedia", dark).await;
    assert_eq!(look(&browser).await, json!(["rgb(153, 105, 228)", "1px"]));
    browser.is_content().await;
}
