//! The pages that ask for a mailed code.

use super::{NO_VALIDATION, Rules, Screen, walked};

/// Where a code is typed.
pub(super) fn codes() -> Vec<Screen> {
    vec![
        walked(
            "check-code",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-code-wrong",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.answer("code", "12345").await;
                })
            },
        ),
        walked(
            "check-code-elsewhere",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.forget().await;
                    let check = browser.url().await.unwrap();
                    browser.goto(&check).await;
                })
            },
        ),
        walked(
            "check-link-and-code",
            Rules::LinkAndCode,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-link-and-code-missing",
            Rules::LinkAndCode,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.run(NO_VALIDATION).await.unwrap();
                    browser.answer("code", "").await;
                })
            },
        ),
    ]
}
