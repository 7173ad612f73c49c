//! The pages of a sign-in or a session that has ended or is refused.

use std::time::Duration;

use super::{Rules, Screen, walked};
use crate::{names::ADA, stage::SESSION};

/// Where it has ended, well or not.
pub(super) fn ended() -> Vec<Screen> {
    vec![
        walked(
            "link-used",
            Rules::Usual,
            "This link no longer works",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    stage.sign_out(browser).await;
                    browser.goto(&stage.link_to(ADA)).await;
                })
            },
        ),
        walked(
            "link-expired",
            Rules::Usual,
            "This link is too old",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(15 * 60));
                    browser.goto(&stage.link_to(ADA)).await;
                })
            },
        ),
        walked(
            "attempt-expired",
            Rules::Usual,
            "This sign-in has timed out",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(25 * 60));
                    browser.reload().await;
                })
            },
        ),
        walked(
            "cookie-dropped",
            Rules::Usual,
            "Your browser blocks our cookie",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    browser.forget_cookie(SESSION).await;
                    browser.goto("/reports").await;
                })
            },
        ),
        walked(
            "link-cut-short",
            Rules::Usual,
            "We couldn’t read that link or form",
            |_, browser| {
                Box::pin(async {
                    browser.goto("/auth/open?t=x").await;
                })
            },
        ),
        walked("sign-out", Rules::Usual, "Sign out?", |stage, browser| {
            Box::pin(async {
                stage.sign_in(browser, "/reports").await;
                browser.goto("/auth/logout").await;
            })
        }),
        walked(
            "signed-out",
            Rules::Usual,
            "You’re signed out",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    stage.sign_out(browser).await;
                })
            },
        ),
    ]
}
