//! The pages in a browser other than the one that began.

use super::{NO_VALIDATION, Rules, Screen, walked};
use crate::{chromium::Chromium, stage::Stage};

/// Where its link is opened in another browser.
pub(super) fn elsewhere() -> Vec<Screen> {
    vec![
        walked("match", Rules::Usual, "Is that you?", |stage, browser| {
            Box::pin(async {
                open_elsewhere(stage, browser).await;
            })
        }),
        walked(
            "match-wrong",
            Rules::Usual,
            "Is that you?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.answer("code", "BBB-BBB").await;
                })
            },
        ),
        walked(
            "match-missing",
            Rules::Usual,
            "Is that you?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.run(NO_VALIDATION).await.unwrap();
                    browser.answer("code", "").await;
                })
            },
        ),
        walked(
            "match-too-many",
            Rules::Usual,
            "Too many wrong codes",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    for _ in 0..6 {
                        browser.answer("code", "BBB-BBB").await;
                    }
                })
            },
        ),
        walked(
            "confirm",
            Rules::Confirm,
            "Sign in here?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                })
            },
        ),
        walked(
            "confirm-declined",
            Rules::Confirm,
            "This link was turned down",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.press("That wasn’t me").await;
                })
            },
        ),
        walked(
            "refuse",
            Rules::Refuse,
            "Continue where you began",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                })
            },
        ),
    ]
}

/// Opens a link as another browser than the one that asked for it.
async fn open_elsewhere(stage: &Stage, browser: &Chromium) {
    let link = stage.ask_for_link(browser, "/reports").await;
    browser.forget().await;
    browser.goto(&link).await;
}
