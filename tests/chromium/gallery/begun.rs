//! The pages that begin a sign-in.

use std::time::Duration;

use super::{LOGIN, NO_VALIDATION, Rules, Screen, walked};
use crate::chromium::Chromium;

/// Where a sign-in begins, and waits for its mail.
pub(super) fn begun() -> Vec<Screen> {
    vec![
        walked("login", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                browser.goto(LOGIN).await;
            })
        }),
        walked("login-invalid", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                submit(browser, "email", "ada@localhost@").await;
            })
        }),
        walked("login-missing", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                submit(browser, "email", "").await;
            })
        }),
        walked("login-code", Rules::Code, "Sign in", |_, browser| {
            Box::pin(async {
                browser.goto(LOGIN).await;
            })
        }),
        walked(
            "login-link-and-code",
            Rules::LinkAndCode,
            "Sign in",
            |_, browser| {
                Box::pin(async {
                    browser.goto(LOGIN).await;
                })
            },
        ),
        walked(
            "check",
            Rules::Usual,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-later",
            Rules::Usual,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(30));
                    browser.reload().await;
                })
            },
        ),
        walked(
            "check-confirm",
            Rules::Confirm,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-refuse",
            Rules::Refuse,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-elsewhere",
            Rules::Usual,
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
    ]
}

/// Sends the form with a text that the browser itself would not let through.
async fn submit(browser: &Chromium, field: &str, text: &str) {
    browser.goto(LOGIN).await;
    browser.shows("Sign in").await;
    browser.run(NO_VALIDATION).await.unwrap();
    browser.answer(field, text).await;
}
