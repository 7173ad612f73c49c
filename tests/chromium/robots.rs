//! Programs that check mail: a whole Chromium visits the link first, runs scripts, and presses
//! whatever it finds.

use http::Method;
use tower_magic_link::{Builder, page::CrossDevice};

use crate::{
    names::ADA,
    stage::{Post, SESSION, Stage},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn no_robot_uses_up_our_own_link_or_gets_a_session() {
    let cases = [
        (CrossDevice::MatchCode, "Is that you?"),
        (CrossDevice::Confirm, "Sign in here?"),
        (CrossDevice::Refuse, "Continue where you began"),
    ];
    for (cross_device, heading) in cases {
        let configure = |builder: Builder| builder.cross_device(cross_device);
        let stage = Stage::with(Post::Own, configure).await;
        let person = stage.browser().await;
        let link = stage.ask_for_link(&person, "/reports").await;

        let robot = stage.browser().await;
        for _ in 0..3 {
            robot.goto(&link).await;
            robot.shows(heading).await;
        }
        for text in [None, Some("123456"), Some("ABCDEF")] {
            let pressed = robot.press_everything(&link, text).await;
            assert!(pressed > 0, "{cross_device:?}");
        }
        let jar = robot.jar().await;
        assert!(
            jar.iter().all(|cookie| cookie["name"] != SESSION),
            "{cross_device:?}: {jar:?}"
        );
        assert_eq!(stage.exchanges(), 0, "{cross_device:?}");
        assert_eq!(stage.follows(), 0, "{cross_device:?}");
        robot.is_content().await;

        person.goto(&link).await;
        person.shows(&format!("Hello {ADA}")).await;
        person.arrives("/reports").await;
        person.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn who_finds_workos_link_used_up_is_told_and_gets_another_by_one_press() {
    let stage = Stage::new(Post::WorkOs).await;
    let person = stage.browser().await;
    let link = stage.ask_for_link(&person, "/reports").await;

    let robot = stage.browser().await;
    robot.goto(&link).await;
    robot.shows("Is that you?").await;
    let landed = robot.url().await.unwrap();
    for text in [None, Some("123456")] {
        assert!(robot.press_everything(&landed, text).await > 0);
        assert!(robot.press_everything(&link, text).await > 0);
    }
    assert!(robot.cookie(SESSION).await.is_none());
    assert_eq!(stage.exchanges(), 0);
    robot.is_content().await;

    person.goto(&link).await;
    person.shows("This link no longer works").await;
    person.press("Send a new link").await;
    person.shows("Check your email").await;
    let newer = stage.link_to(ADA);
    assert_ne!(newer, link);
    person.goto(&newer).await;
    person.shows(&format!("Hello {ADA}")).await;
    person.arrives("/reports").await;
    assert_eq!(stage.exchanges(), 1);
    person.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_form_waits_for_the_person() {
    let stage = Stage::new(Post::Own).await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    let link = stage.ask_for_link(&first, "/reports").await;
    let letters = first.text("#match-code").await.unwrap();
    let posts = || {
        let seen = stage.sites.seen();
        let posts = seen.iter().filter(|seen| seen.method == Method::POST);
        posts.count()
    };
    let before = posts();
    let cases = [
        ("/auth/login", "Sign in", "email", ADA),
        (&link, "Is that you?", "code", &letters),
    ];
    for (url, heading, field, text) in cases {
        second.goto(url).await;
        second.shows(heading).await;
        second.fill(field, text).await;
        // Round trips through the browser, in which a script would have had its turn.
        for _ in 0..20 {
            second.run("return document.readyState").await.unwrap();
        }
        assert_eq!(posts(), before, "{url}");
    }
    second.is_content().await;
}
