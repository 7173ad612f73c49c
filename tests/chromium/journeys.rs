//! Signing in and out, as a person does it.

use std::time::Duration;

use http::Version;
use tower_magic_link::throttle::{Limits, Rate};

use crate::{
    names::ADA,
    site::APP,
    stage::{ARRIVED, BROWSER, KNOWN, POSTS, Post, SESSION, Stage},
    wait::eventually,
};

/// How long it takes until another link can be asked for.
const A_WHILE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_person_signs_in_by_the_link_and_out_again() {
    for post in POSTS {
        // As it is by default: the answer does not wait for the mail.
        let after = Duration::from_secs(1);
        let stage = Stage::with(post, |builder| builder.answer_after(after)).await;
        let browser = stage.browser().await;

        stage.ask(&browser, "/reports?year=2026").await;
        let link = eventually("the mail", async || stage.find_link_to(ADA)).await;
        assert!(browser.cookie(SESSION).await.is_none(), "{post:?}");
        // The mail is read beside the page that waits for it.
        browser.open_tab().await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports?year=2026").await;
        assert_eq!(stage.exchanges(), 1, "{post:?}");
        // In HTTP/2 Chromium sends each cookie in a field of its own.
        let seen = stage.sites.seen();
        assert!(
            seen.iter().all(|seen| seen.version == Version::HTTP_2),
            "{seen:?}"
        );

        let jar = browser.jar().await;
        let mut names: Vec<_> = jar.iter().map(|cookie| cookie["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [Some(SESSION), Some(ARRIVED), Some(BROWSER), Some(KNOWN)],
            "{post:?}"
        );
        for cookie in &jar {
            // A cookie that is also of subdomains would have a domain with a dot before it.
            assert_eq!(cookie["domain"], "app.example.com", "{cookie}");
            assert_eq!(cookie["path"], "/", "{cookie}");
            assert_eq!(cookie["secure"], true, "{cookie}");
            assert_eq!(cookie["httpOnly"], true, "{cookie}");
            assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        }

        let session = browser.cookie(SESSION).await.unwrap();
        stage.sign_out(&browser).await;
        assert!(browser.cookie(SESSION).await.is_none(), "{post:?}");
        browser.goto("/reports").await;
        browser.shows("Sign in").await;
        browser.arrives("/auth/login?return_to=/reports").await;

        // Whoever kept the cookie has nothing.
        let kept = serde_json::json!({
            "name": SESSION,
            "value": session["value"],
            "url": APP,
            "secure": true,
            "path": "/",
        });
        browser.devtools("Network.setCookie", kept).await;
        assert!(browser.cookie(SESSION).await.is_some(), "{post:?}");
        browser.goto("/reports").await;
        browser.shows("Sign in").await;
        assert!(browser.cookie(SESSION).await.is_none(), "{post:?}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_new_link_needs_no_second_typing() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let browser = stage.browser().await;
        let first = stage.ask_for_link(&browser, "/reports").await;
        stage.pass(A_WHILE);
        browser.reload().await;
        let waiting = browser.url().await;
        browser.press("Send a new link").await;
        eventually("another link", async || {
            (browser.url().await != waiting && stage.link_to(ADA) != first).then_some(())
        })
        .await;
        browser.shows("Check your email").await;
        let second = stage.link_to(ADA);
        browser.goto(&second).await;
        browser.shows(&format!("Hello {ADA}")).await;

        stage.sign_out(&browser).await;
        browser.goto(&second).await;
        browser.shows("This link no longer works").await;
        browser.press("Send a new link").await;
        browser.shows("Check your email").await;
        let third = stage.link_to(ADA);
        assert_ne!(third, second, "{post:?}");
        browser.goto(&third).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports").await;
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_wait_for_a_new_link_is_counted_down_and_is_honest() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    let first = stage.ask_for_link(&browser, "/reports").await;
    let is_held_back = "return document.getElementById('again').disabled";
    assert_eq!(browser.run(is_held_back).await.unwrap(), true);
    let seconds = async || {
        let shown = browser.text("#wait span").await?;
        shown.split_once(" second")?.0.parse::<u64>().ok()
    };
    // The browser's own clock goes on, by seconds that are shown.
    eventually("fewer seconds", async || {
        (seconds().await? < 30).then_some(())
    })
    .await;

    stage.pass(A_WHILE - Duration::from_secs(1));
    browser.reload().await;
    eventually("the end of the wait", async || {
        (browser.run(is_held_back).await.ok()? == false).then_some(())
    })
    .await;
    assert_eq!(
        browser.text("#ready").await.as_deref(),
        Some("You can ask for a new one now.")
    );
    let described = "return document.getElementById('again').getAttribute('aria-describedby')";
    assert_eq!(browser.run(described).await.unwrap(), "nothing-yet");
    // A browser whose clock is ahead sends nothing, and is shown the same page again.
    browser.run("window.isOld = true").await.unwrap();
    browser.press("Send a new link").await;
    browser.is_new("the page once more").await;
    browser.shows("Check your email").await;
    assert_eq!(stage.letters(), 1);

    stage.pass(Duration::from_secs(1));
    browser.reload().await;
    assert_eq!(browser.text("#wait").await, None);
    browser.press("Send a new link").await;
    eventually("another link", async || {
        (stage.link_to(ADA) != first).then_some(())
    })
    .await;
    browser.shows("Check your email").await;
    browser.is_content().await;
}

/// Pins: a wait of hours stood as it was until its last hour.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_wait_of_hours_is_counted_down_too_and_is_told_once() {
    let once = Rate::new(1, Duration::from_secs(2 * 60 * 60));
    let limits = Limits::default().mails_per_address(once);
    let stage = Stage::with(Post::Own, |builder| builder.limits(limits)).await;
    let browser = stage.browser().await;
    stage.ask(&browser, "/reports").await;
    browser.goto("/auth/login").await;
    browser.shows("Sign in").await;
    browser.answer("email", ADA).await;
    browser.shows("Please wait a moment").await;
    // Hours pass by the browser's own clock, and the page stays.
    let ahead = async |minutes: u32| {
        let script = format!("Date.now = () => new Date().getTime() + {minutes} * 60000");
        browser.run(&script).await.unwrap();
    };
    for (minutes, want) in [
        (0, "2 hours"),
        (40, "1 hour and 20 minutes"),
        (90, "29 minutes and"),
    ] {
        ahead(minutes).await;
        eventually(want, async || {
            let shown = browser.text("#wait span").await?;
            shown.starts_with(want).then_some(())
        })
        .await;
    }
    let told = browser.text("main").await.unwrap();
    assert!(!told.contains("try again in"), "{told}");
    browser.is_content().await;
}
