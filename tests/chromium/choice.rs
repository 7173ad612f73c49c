//! A person of several organizations chooses one, by mouse and by keyboard.

use serde_json::json;
use tower_magic_link::{Builder, SignIn};

use crate::{
    chromium::Chromium,
    names::ADA,
    stage::{Post, SESSION, Stage},
};

async fn asked() -> (Stage, Chromium) {
    let stage = Stage::with(Post::Own, |builder: Builder| builder.sign_in(SignIn::Code)).await;
    stage.join("org_1", "Acme & Sons <Ltd>");
    stage.join("org_2", "Globex");
    let browser = stage.browser().await;
    stage.ask(&browser, "/reports?year=2026").await;
    browser.answer("code", &stage.code_to(ADA)).await;
    browser.shows("Choose an organization").await;
    (stage, browser)
}

/// Returns the organization of the session, as the application's script reads it.
async fn organization(browser: &Chromium) -> serde_json::Value {
    let script = "return fetch('/auth/session').then((answer) => answer.json())
        .then((who) => who.organization)";
    browser.run(script).await.unwrap()
}

async fn strike(browser: &Chromium, key: &str, code: u32, text: &str) {
    for kind in ["keyDown", "keyUp"] {
        let mut event =
            json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        if kind == "keyDown" && !text.is_empty() {
            event["text"] = text.into();
        }
        browser.devtools("Input.dispatchKeyEvent", event).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn an_organization_is_chosen_by_a_press() {
    let (stage, browser) = asked().await;
    let page = browser
        .run(
            "return [document.documentElement.lang, document.activeElement.localName,
                [...document.querySelectorAll('button')].map((button) => button.innerText),
                document.querySelectorAll('[onclick], [style]').length,
                document.body.innerHTML.includes('pending_') || location.href.includes('pending_')];",
        )
        .await
        .unwrap();
    let buttons = ["Acme & Sons <Ltd>", "Globex", "Cancel"];
    assert_eq!(page, json!(["en", "h1", buttons, 0, false]));
    assert!(browser.cookie(SESSION).await.is_none());
    browser.press("Globex").await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.arrives("/reports?year=2026").await;
    assert_eq!(organization(&browser).await, "org_2");
    assert_eq!(stage.code_exchanges(), 2);
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn an_organization_is_chosen_by_the_keyboard_alone() {
    let (_stage, browser) = asked().await;
    for want in ["Acme & Sons <Ltd>", "Globex", "Cancel"] {
        strike(&browser, "Tab", 9, "").await;
        let focused = browser
            .run("return document.activeElement.innerText")
            .await
            .unwrap();
        assert_eq!(focused, want);
    }
    browser
        .run("document.querySelectorAll('button')[0].focus()")
        .await
        .unwrap();
    strike(&browser, "Enter", 13, "\r").await;
    browser.shows(&format!("Hello {ADA}")).await;
    assert_eq!(organization(&browser).await, "org_1");
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_cancelled_choice_leads_to_a_new_mail() {
    let (stage, browser) = asked().await;
    browser.press("Cancel").await;
    browser.shows("You haven’t signed in").await;
    let before = stage.letters();
    browser.press("Send a new code").await;
    browser.shows("Check your email").await;
    assert_eq!(stage.letters(), before + 1);
    browser.answer("code", &stage.code_to(ADA)).await;
    browser.press("Globex").await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.is_content().await;
}
