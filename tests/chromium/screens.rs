//! A picture of every page, light and dark, wide and narrow: `target/screens/NAME-light-1280.png`.
//! People look at them; what a machine can see is asserted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderMap;
use serde_json::{Value, json};
use tower_magic_link::{
    Builder,
    page::{DefaultPages, Pages},
};

use crate::{
    chromium::Chromium,
    gallery::{Rules, Way, screens},
    site::APP,
    stage::{Post, Stage, page},
    wait::eventually,
};

const FAULTS: &str = include_str!("faults.js");

/// A window: how wide and high it is, and whether it is a telephone's.
pub(crate) const WINDOWS: [(u32, u32, bool); 2] = [(1_280, 800, false), (390, 844, true)];

fn pages() -> DefaultPages {
    DefaultPages::new().application_name("Acme")
}

/// Returns the folder `screens` in cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().unwrap().join("screens")
}

/// Asks what is wrong with the page that a browser shows.
pub(crate) async fn faults(browser: &Chromium) -> Vec<String> {
    let faults = browser.run(FAULTS).await.unwrap();
    serde_json::from_value(faults).unwrap()
}

/// Gives the browser another window and another colour scheme, and waits until the page knows.
pub(crate) async fn stand_in(browser: &Chromium, scheme: &str, window: (u32, u32, bool)) {
    let (width, height, is_telephone) = window;
    let scheme_wanted = json!({
        "features": [{ "name": "prefers-color-scheme", "value": scheme }],
    });
    browser
        .devtools("Emulation.setEmulatedMedia", scheme_wanted)
        .await;
    let metrics = json!({
        "width": width,
        "height": height,
        "deviceScaleFactor": 1,
        "mobile": is_telephone,
    });
    browser
        .devtools("Emulation.setDeviceMetricsOverride", metrics)
        .await;
    let script = format!(
        "return document.readyState === 'complete' && innerHeight === {height}
            && document.documentElement.clientWidth === {width}
            && matchMedia('(prefers-color-scheme: {scheme})').matches"
    );
    eventually(&format!("a {scheme} page, {width} wide"), async || {
        (browser.run(&script).await.ok()? == true).then_some(())
    })
    .await;
}

/// Takes a picture of the whole page, also of what is below the window.
pub(crate) async fn picture(browser: &Chromium) -> Vec<u8> {
    let metrics = browser.devtools("Page.getLayoutMetrics", json!({})).await;
    let mut clip: Value = metrics["cssContentSize"].clone();
    clip["scale"] = json!(1);
    let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
    let picture = browser.devtools("Page.captureScreenshot", parameters).await;
    BASE64_STANDARD
        .decode(picture["data"].as_str().unwrap())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
#[expect(clippy::print_stdout, reason = "says where the pictures are")]
async fn every_page_is_fit_to_be_seen() {
    let folder = folder();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    let mut pictures = 0;
    for rules in Rules::ALL {
        let configure = |builder: Builder| {
            let builder = builder.pages(pages()).insecure_no_throttle();
            rules.set(builder)
        };
        let stage = Stage::with(Post::Own, configure).await;
        let headers = stage.sites.page_headers().await;
        let browser = stage.browser().await;
        let screens = screens().into_iter();
        for screen in screens.filter(|screen| screen.way.rules() == rules) {
            browser.forget().await;
            match screen.way {
                Way::Drawn(page) => {
                    let url = format!("{APP}/public/{}", screen.name);
                    let html = pages().render(&page);
                    stage.sites.publish(&url, headers.clone(), html);
                    browser.goto(&url).await;
                }
                Way::Walked(_, heading, walk) => {
                    walk(&stage, &browser).await;
                    browser.shows(heading).await;
                }
            }
            for scheme in ["light", "dark"] {
                for window in WINDOWS {
                    let name = format!("{}-{scheme}-{}", screen.name, window.0);
                    stand_in(&browser, scheme, window).await;
                    let faults = faults(&browser).await;
                    wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
                    fs::write(folder.join(format!("{name}.png")), picture(&browser).await).unwrap();
                    pictures += 1;
                }
            }
            let complaints = browser.complaints().await.into_iter();
            wrong.extend(complaints.map(|said| format!("{}: {said}", screen.name)));
        }
    }
    println!("{pictures} pictures in {}", folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn what_is_wrong_with_a_page_is_noticed() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    let policy = stage.sites.page_headers().await;
    let none = HeaderMap::new();
    let cases = [
        (
            "a style that the policy forbids",
            &policy,
            "<style>h1 { color: red }</style>",
            "violates the following Content Security Policy",
        ),
        (
            "a script that the policy forbids",
            &policy,
            "<script>1</script>",
            "violates the following Content Security Policy",
        ),
        (
            "a picture that the policy forbids",
            &policy,
            "<img src=/x.png alt=x>",
            "violates the following Content Security Policy",
        ),
        (
            "a form that leads elsewhere",
            &policy,
            "<form action=https://mail.example.org/><button>Go</button></form><!--press-->",
            "violates the following Content Security Policy",
        ),
        (
            "a script that fails",
            &none,
            "<script>throw new Error('ouch')</script>",
            "ouch",
        ),
        (
            "a page that is too wide",
            &none,
            "<p style='width: 2000px'>wide",
            "wide in a window of",
        ),
        (
            "a button that is too low",
            &none,
            "<button style='display: block; height: 20px'>Go</button>",
            "is 20 high",
        ),
        (
            "a button outside",
            &none,
            "<button style='position: fixed; left: -10px; height: 50px'>Go</button>",
            "leaves the window",
        ),
        (
            "a field without a label",
            &none,
            "<input name=email>",
            "has no label",
        ),
        (
            "a label of nothing",
            &none,
            "<label for=email>Address</label>",
            "speaks of #email",
        ),
        (
            "grey on grey",
            &none,
            "<p style='color: #999; background: #bbb'>text",
            "has a contrast of",
        ),
        (
            "a heading too many",
            &none,
            "<h1>Two</h1>",
            "has not one h1",
        ),
    ];
    for (name, headers, body, want) in cases {
        let url = format!("{APP}/public/wrong");
        let html = page(&format!("<main><h1>One</h1>{body}</main>"));
        stage.sites.publish(&url, headers.clone(), html);
        browser.goto(&url).await;
        if body.contains("press") {
            browser.press("Go").await;
        }
        eventually(name, async || {
            let mut said = faults(&browser).await;
            said.extend(browser.complaints().await);
            said.iter().any(|said| said.contains(want)).then_some(())
        })
        .await;
    }
}
