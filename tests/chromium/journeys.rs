//! Signing in and out, as a person does it.

use http::{Method, Version};

use crate::{
    site::APP,
    wait::eventually,
    world::{ADA, BROWSER, Post, SESSION, World},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_person_signs_in_by_the_link_and_out_again() {
    for post in [Post::Own, Post::WorkOs] {
        let world = World::new(post).await;
        let browser = world.browser().await;

        let link = world.ask_for_link(&browser, "/reports?year=2026").await;
        assert!(browser.cookie(SESSION).await.is_none(), "{post:?}");
        // The mail is read beside the page that waits for it.
        browser.open_tab().await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports?year=2026").await;
        assert_eq!(world.exchanges(), 1, "{post:?}");
        // In HTTP/2 Chromium sends each cookie in a field of its own.
        let seen = world.sites.seen();
        assert!(
            seen.iter().all(|seen| seen.version == Version::HTTP_2),
            "{seen:?}"
        );

        let jar = browser.jar().await;
        let mut names: Vec<_> = jar.iter().map(|cookie| cookie["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, [Some(SESSION), Some(BROWSER)], "{post:?}");
        for cookie in &jar {
            // A cookie that is also of subdomains would have a domain with a dot before it.
            assert_eq!(cookie["domain"], "app.example.com", "{cookie}");
            assert_eq!(cookie["path"], "/", "{cookie}");
            assert_eq!(cookie["secure"], true, "{cookie}");
            assert_eq!(cookie["httpOnly"], true, "{cookie}");
            assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        }

        let session = browser.cookie(SESSION).await.unwrap();
        world.sign_out(&browser).await;
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
async fn a_browser_that_visits_the_link_first_uses_nothing_up() {
    let world = World::new(Post::Own).await;
    let person = world.browser().await;
    let link = world.ask_for_link(&person, "/reports").await;

    let robot = world.browser().await;
    for _ in 0..3 {
        robot.goto(&link).await;
        robot.shows("Open the link where you began").await;
    }
    assert!(robot.press_everything(&link).await > 0);
    assert!(robot.cookie(SESSION).await.is_none());
    assert_eq!(world.exchanges(), 0);
    robot.is_content().await;

    person.goto(&link).await;
    person.shows(&format!("Hello {ADA}")).await;
    person.arrives("/reports").await;
    person.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_form_waits_for_the_person() {
    let world = World::new(Post::Own).await;
    let browser = world.browser().await;
    browser.goto("/auth/login").await;
    browser.shows("Sign in").await;
    browser.fill("email", ADA).await;
    // Round trips through the browser, in which a script would have had its turn.
    for _ in 0..20 {
        browser.run("return document.readyState").await.unwrap();
    }
    browser.goto("/auth/login").await;
    browser.shows("Sign in").await;
    let posts = world.sites.seen();
    assert!(
        posts.iter().all(|seen| seen.method != Method::POST),
        "{posts:?}"
    );
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn without_cookies_nobody_is_signed_in() {
    for post in [Post::Own, Post::WorkOs] {
        let world = World::new(post).await;
        let browser = world.browser_without_cookies().await;
        let link = world.ask_for_link(&browser, "/reports").await;
        browser.goto(&link).await;
        browser.shows("Open the link where you began").await;
        assert_eq!(browser.jar().await.len(), 0, "{post:?}");
        assert_eq!(world.exchanges(), 0, "{post:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_new_link_needs_no_second_typing() {
    for post in [Post::Own, Post::WorkOs] {
        let world = World::new(post).await;
        let browser = world.browser().await;
        let first = world.ask_for_link(&browser, "/reports").await;
        let waiting = browser.url().await;
        browser.press("Send a new link").await;
        eventually("another link", async || {
            (browser.url().await != waiting && world.link_to(ADA) != first).then_some(())
        })
        .await;
        browser.shows("Check your email").await;
        let second = world.link_to(ADA);
        browser.goto(&second).await;
        browser.shows(&format!("Hello {ADA}")).await;

        world.sign_out(&browser).await;
        browser.goto(&second).await;
        browser.shows("This link no longer works").await;
        browser.press("Send a new link").await;
        browser.shows("Check your email").await;
        let third = world.link_to(ADA);
        assert_ne!(third, second, "{post:?}");
        browser.goto(&third).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports").await;
        browser.is_content().await;
    }
}
