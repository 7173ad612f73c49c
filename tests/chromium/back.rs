//! The button Back after a session has ended, in each mode of caching.
//!
//! Chromium goes back to the living page if it kept it (the back/forward cache), by its HTTP cache
//! if that has the page, however old, and by a request otherwise. `target/back` gets a picture of
//! what is shown: `MODE-WAY.png`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use http::HeaderMap;
use tower_magic_link::Builder;

use crate::{
    chromium::Chromium,
    names::ADA,
    screens::picture,
    site::APP,
    stage::{Post, SESSION, Stage, page},
    wait::eventually,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By the button of the page at `/auth/logout`, to which the person's page led.
    Asked,
    /// The same in another tab, after the person left the page for a public one.
    OtherTab,
    /// It expires, and the browser is not told.
    Expires,
    /// By a form on the person's page.
    OwnForm,
}

const WAYS: [Way; 4] = [Way::Asked, Way::OtherTab, Way::Expires, Way::OwnForm];

/// What Back shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// The person's page, and the server is not asked.
    Page,
    /// The form.
    Form,
}

use Shown::{Form, Page};

type Configure = fn(Builder) -> Builder;
type Mode = (&'static str, Configure, [Shown; 4]);

fn folder() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temporary.parent().unwrap().join("back");
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn stage(mode: Configure) -> Stage {
    // Chromium keeps no living page one of whose scripts got an answer that is `no-store`, and it
    // counts the icon as such.
    let stage = Stage::with(Post::Own, |builder| {
        mode(builder).public_path("/favicon.ico")
    });
    let stage = stage.await;
    let html = page("<h1>Public</h1>");
    let url = format!("{APP}/public/page");
    stage.sites.publish(&url, HeaderMap::new(), html);
    stage
}

/// Signs in, and opens a page that can be told from its copy.
async fn open_page(stage: &Stage, browser: &Chromium) {
    stage.sign_in(browser, "/reports").await;
    browser.goto("/reports").await;
    browser.shows(&format!("Hello {ADA}")).await;
    // Until then, a script that leads elsewhere replaces the page's place in the history (HTML,
    // "navigate"), and Back leads past it.
    eventually("the page has loaded", async || {
        let script = "return performance.getEntriesByType('navigation')[0].loadEventEnd > 0";
        let has_loaded = browser.run(script).await.ok()?;
        (has_loaded == true).then_some(())
    })
    .await;
    let mark = "window.isLiving = true; localStorage.draft = 'x'";
    browser.run(mark).await.unwrap();
}

async fn follow(browser: &Chromium, path: &str) {
    let script = format!("location.href = '{path}'");
    browser.leave(&script).await;
    browser.arrives(path).await;
}

/// Ends the session, and goes back to the person's page.
async fn end_and_go_back(stage: &Stage, browser: &Chromium, way: Way) {
    match way {
        Way::Asked => {
            follow(browser, "/auth/logout").await;
            browser.press("Sign out").await;
            browser.shows("You’re signed out").await;
            browser.leave("history.go(-2)").await;
        }
        Way::OtherTab => {
            follow(browser, "/public/page").await;
            let tabs = browser.tabs().await;
            browser.open_tab().await;
            stage.sign_out(browser).await;
            browser.look_at(&tabs[0]).await;
            browser.leave("history.go(-1)").await;
        }
        Way::Expires => {
            follow(browser, "/public/page").await;
            stage.pass(DAY);
            browser.leave("history.go(-1)").await;
        }
        Way::OwnForm => {
            let script = "const form = document.createElement('form');
                form.method = 'post'; form.action = '/auth/logout';
                document.body.append(form); form.submit();";
            browser.leave(script).await;
            browser.shows("You’re signed out").await;
            browser.leave("history.go(-1)").await;
        }
    }
}

async fn requests(stage: &Stage) -> usize {
    let seen = stage.sites.seen().into_iter();
    seen.filter(|seen| seen.url.ends_with("/reports")).count()
}

/// Asserts what Back shows, and that the server is asked for nothing if that is the page.
async fn back_shows(stage: &Stage, browser: &Chromium, way: Way, want: Shown, name: &str) {
    open_page(stage, browser).await;
    let before = requests(stage).await;
    end_and_go_back(stage, browser, way).await;
    let heading = match want {
        Page => format!("Hello {ADA}"),
        Form => "Sign in".to_owned(),
    };
    browser.shows(&heading).await;
    let asked = requests(stage).await - before;
    assert_eq!(asked, usize::from(want == Form), "{name} {way:?}");
    let file = folder().join(format!("{name}-{way:?}.png"));
    fs::write(file, picture(browser).await).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn after_sign_out_back_shows_what_the_guide_says() {
    let modes: [Mode; 5] = [
        ("default", |builder| builder, [Page; 4]),
        ("off", Builder::insecure_no_cache_control, [Page; 4]),
        (
            "clear",
            Builder::clear_cache_on_sign_out,
            [Form, Form, Page, Page],
        ),
        ("no_store", Builder::no_store, [Form, Form, Page, Form]),
        (
            "no_store-clear",
            |builder| builder.no_store().clear_cache_on_sign_out(),
            [Form, Form, Page, Form],
        ),
    ];
    for (name, mode, shown) in modes {
        let stage = stage(mode).await;
        for (way, want) in WAYS.into_iter().zip(shown) {
            let browser = stage.browser().await;
            back_shows(&stage, &browser, way, want, name).await;
            // What is shown without a request is the living page.
            let is_living = browser.run("return window.isLiving === true").await;
            assert_eq!(is_living.unwrap(), want == Page, "{name} {way:?}");
            stage.pass(DAY);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_browser_that_keeps_no_living_pages_goes_back_by_its_http_cache() {
    // The cookie has changed, and every answer has `Vary: cookie`. What has expired is shown.
    const BY_COOKIE: [Shown; 4] = [Form, Form, Page, Form];
    let modes: [Mode; 4] = [
        ("default", |builder| builder, BY_COOKIE),
        ("off", Builder::insecure_no_cache_control, BY_COOKIE),
        ("clear", Builder::clear_cache_on_sign_out, BY_COOKIE),
        ("no_store", Builder::no_store, [Form; 4]),
    ];
    for (name, mode, shown) in modes {
        let stage = stage(mode).await;
        for (way, want) in WAYS.into_iter().zip(shown) {
            let browser = stage.browser_without_living_pages().await;
            let name = format!("http-{name}");
            back_shows(&stage, &browser, way, want, &name).await;
            let is_living = browser.run("return window.isLiving === true").await;
            assert_eq!(is_living.unwrap(), false, "{name} {way:?}");
            stage.pass(DAY);
        }
    }
}

/// The guide's lines for pages that must not outlive their session.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_living_page_that_asks_for_its_session_leads_to_the_form() {
    let guide = include_str!("../../src/guide/caches_and_back.md");
    let (_, script) = guide.split_once("```js\n").unwrap();
    let script = script.split("```").next().unwrap();
    let modes: [Configure; 2] = [|builder| builder, Builder::no_store];
    for mode in modes {
        let stage = stage(mode).await;
        for way in WAYS {
            let browser = stage.browser().await;
            open_page(&stage, &browser).await;
            browser.run(script).await.unwrap();
            end_and_go_back(&stage, &browser, way).await;
            browser.shows("Sign in").await;
            browser.arrives("/auth/login?return_to=/reports").await;
            stage.pass(DAY);
        }
        // Whoever is still signed in stays on the living page.
        let browser = stage.browser().await;
        open_page(&stage, &browser).await;
        browser.run(script).await.unwrap();
        follow(&browser, "/public/page").await;
        browser.back().await;
        browser.shows(&format!("Hello {ADA}")).await;
        let is_living = browser.run("return window.isLiving === true").await;
        assert_eq!(is_living.unwrap(), true);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn signing_out_clears_the_storage_and_leaves_the_other_cookies() {
    let modes: [(Configure, bool); 3] = [
        (|builder| builder, true),
        (Builder::clear_cache_on_sign_out, true),
        (Builder::clear_storage_on_sign_out, false),
    ];
    for (mode, is_kept) in modes {
        let stage = stage(mode).await;
        let browser = stage.browser().await;
        open_page(&stage, &browser).await;
        let plant = "document.cookie = 'theirs=1; Secure; Path=/'";
        browser.run(plant).await.unwrap();
        stage.sign_out(&browser).await;
        let draft = browser.run("return localStorage.draft === 'x'").await;
        assert_eq!(draft.unwrap(), is_kept);
        assert!(browser.cookie("theirs").await.is_some());
        assert!(browser.cookie(SESSION).await.is_none());
        // Nothing that a new sign-in needs is gone.
        stage.pass(DAY);
        stage.sign_in(&browser, "/reports").await;
    }
}
