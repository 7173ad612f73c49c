//! The pages that ask for a mailed code.

use super::{NO_VALIDATION, Rules, Screen, walked};
use crate::{chromium::Chromium, names::ADA, stage::Stage};

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
            "Continue where you began",
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
            "choose",
            Rules::Code,
            "Choose an organization",
            |stage, browser| {
                Box::pin(async {
                    choose(stage, browser).await;
                })
            },
        ),
        walked(
            "choose-cancelled",
            Rules::Code,
            "You haven’t signed in",
            |stage, browser| {
                Box::pin(async {
                    choose(stage, browser).await;
                    browser.press("Cancel").await;
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

/// Types the code of a person of several organizations.
async fn choose(stage: &Stage, browser: &Chromium) {
    for (id, name) in [("org_1", "Acme"), ("org_2", "Globex"), ("org_3", "Initech")] {
        stage.join(id, name);
    }
    stage.ask(browser, "/reports").await;
    browser.answer("code", &stage.code_to(ADA)).await;
    browser.shows("Choose an organization").await;
    stage.leave_all();
}
