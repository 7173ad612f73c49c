//! A link that is opened in another profile than the one that began.

use http::HeaderMap;
use tower_magic_link::{Builder, page::CrossDevice};

use crate::{
    chromium::Chromium,
    names::ADA,
    site::MAIL,
    stage::{ARRIVED, BROWSER, KNOWN, POSTS, Post, SESSION, Stage, escape, page},
};

/// Returns the letters that the browser that began shows.
async fn letters(browser: &Chromium) -> String {
    browser.text("#match-code").await.expect("letters")
}

/// Asserts that nobody is signed in in a browser.
async fn is_signed_out(browser: &Chromium) {
    assert!(browser.cookie(SESSION).await.is_none());
    browser.goto("/reports").await;
    browser.shows("Sign in").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn the_letters_from_the_first_browser_sign_in_another() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        let link = stage.ask_for_link(&first, "/reports?year=2026").await;
        let letters = letters(&first).await;

        second.goto(&link).await;
        second.shows("Is that you?").await;
        assert_eq!(
            second.text("#where strong").await.as_deref(),
            Some("a***@example.com")
        );
        assert!(second.cookie(SESSION).await.is_none(), "{post:?}");
        assert_eq!(stage.exchanges(), 0, "{post:?}");
        // As they are typed on a telephone. In our own mail the answer redirects to WorkOS, which
        // the page's policy must let happen.
        let typed = letters.to_lowercase().replace('-', " ");
        second.answer("code", &typed).await;
        second.shows(&format!("Hello {ADA}")).await;
        second.arrives("/reports?year=2026").await;
        assert_eq!(stage.exchanges(), 1, "{post:?}");

        let jar = second.jar().await;
        let mut names: Vec<_> = jar.iter().map(|cookie| cookie["name"].as_str()).collect();
        names.sort_unstable();
        // The leave to finish this sign-in went with it.
        assert_eq!(
            names,
            [Some(SESSION), Some(ARRIVED), Some(BROWSER), Some(KNOWN)],
            "{post:?}"
        );
        is_signed_out(&first).await;
        first.is_content().await;
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn five_wrong_answers_end_the_other_browsers_way_and_no_other() {
    for post in POSTS {
        let stage = Stage::new(post).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        let link = stage.ask_for_link(&first, "/reports").await;
        let letters = letters(&first).await;
        second.goto(&link).await;
        second.shows("Is that you?").await;
        // Nothing is no try. The browser itself holds it back.
        second
            .run("document.forms[0].noValidate = true")
            .await
            .unwrap();
        second.answer("code", "").await;
        let asked = second.url().await.unwrap();
        for _ in 0..5 {
            second.answer("code", "BBB-BBB").await;
            second.shows("Is that you?").await;
            let said = second.text("#problem").await.unwrap();
            assert!(said.starts_with("Those aren’t the letters"), "{said}");
        }
        second.answer("code", &letters).await;
        second.shows("Too many wrong codes").await;
        // Nor by another way in.
        second.goto(&asked).await;
        second.answer("code", &letters).await;
        second.shows("Too many wrong codes").await;
        assert_eq!(stage.exchanges(), 0, "{post:?}");
        is_signed_out(&second).await;

        first.goto(&link).await;
        if post == Post::WorkOs {
            // It was used up by being opened, and that is told.
            first.shows("This link no longer works").await;
            first.press("Send a new link").await;
            first.shows("Check your email").await;
            first.goto(&stage.link_to(ADA)).await;
        }
        first.shows(&format!("Hello {ADA}")).await;
        first.arrives("/reports").await;
        first.is_content().await;
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_click_signs_in_another_browser_where_that_is_the_rule() {
    for post in POSTS {
        let confirm = |builder: Builder| builder.cross_device(CrossDevice::Confirm);
        let stage = Stage::with(post, confirm).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        let link = stage.ask_for_link(&first, "/reports").await;
        assert_eq!(first.text("#match-code").await, None, "{post:?}");
        second.goto(&link).await;
        second.shows("Sign in here?").await;
        assert_eq!(stage.exchanges(), 0, "{post:?}");
        second.press("Sign in here").await;
        second.shows(&format!("Hello {ADA}")).await;
        second.arrives("/reports").await;
        is_signed_out(&first).await;

        // The other button, and then this one too late.
        let link = stage.ask_for_link(&first, "/reports").await;
        stage.sign_out(&second).await;
        second.goto(&link).await;
        second.shows("Sign in here?").await;
        let asked = second.url().await.unwrap();
        second.press("That wasn’t me").await;
        second.shows("This link was turned down").await;
        second.goto(&asked).await;
        second.shows("Sign in here?").await;
        second.press("Sign in here").await;
        second.shows("This link was turned down").await;
        is_signed_out(&second).await;
        assert_eq!(stage.exchanges(), 1, "{post:?}");

        if post == Post::Own {
            first.goto(&link).await;
            first.shows(&format!("Hello {ADA}")).await;
        }
        first.is_content().await;
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn another_browser_is_sent_back_where_that_is_the_rule() {
    for post in POSTS {
        let refuse = |builder: Builder| builder.cross_device(CrossDevice::Refuse);
        let stage = Stage::with(post, refuse).await;
        let (first, second) = (stage.browser().await, stage.browser().await);
        let link = stage.ask_for_link(&first, "/reports").await;
        assert_eq!(first.text("#match-code").await, None, "{post:?}");
        second.goto(&link).await;
        second.shows("Continue where you began").await;
        assert_eq!(stage.exchanges(), 0, "{post:?}");
        second.press("Sign in here instead").await;
        second.shows("Sign in").await;
        second.arrives("/auth/login").await;
        assert!(second.cookie(SESSION).await.is_none(), "{post:?}");
        if post == Post::Own {
            first.goto(&link).await;
            first.shows(&format!("Hello {ADA}")).await;
        }
        first.is_content().await;
        second.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn an_answer_from_another_site_signs_nobody_in() {
    let stage = Stage::with(Post::Own, |builder| {
        builder.cross_device(CrossDevice::Confirm)
    })
    .await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    let link = stage.ask_for_link(&first, "/reports").await;
    second.goto(&link).await;
    second.shows("Sign in here?").await;
    let url = format!("{}/win", MAIL);
    let html = page(&format!(
        "<form method=post action=\"{}\"><button>Win</button></form>",
        escape(&link)
    ));
    stage.sites.publish(&url, HeaderMap::new(), html);
    second.goto(&url).await;
    second.press("Win").await;
    second.shows("That came from another website").await;
    assert_eq!(stage.exchanges(), 0);
    is_signed_out(&second).await;
}
