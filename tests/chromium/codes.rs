//! A code from the mail, typed where the sign-in began.

use serde_json::json;
use tower_magic_link::{Builder, SignIn};

use crate::{
    chromium::Chromium,
    names::ADA,
    stage::{Post, SESSION, Stage},
};

/// What people sign in with, and who mails it. WorkOS would send link and code in two mails.
const WAYS: [(Post, SignIn); 3] = [
    (Post::Own, SignIn::Code),
    (Post::Own, SignIn::LinkAndCode),
    (Post::WorkOs, SignIn::Code),
];

async fn stage(post: Post, sign_in: SignIn) -> Stage {
    Stage::with(post, |builder: Builder| builder.sign_in(sign_in)).await
}

/// Returns a code that is not this one.
fn other_than(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

/// Returns a code in full-width digits, with a dash in it and a direction mark before it.
fn copied(start: &str, end: &str) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
    let (start, end): (String, String) = (
        start.chars().map(wide).collect(),
        end.chars().map(wide).collect(),
    );
    format!("\u{200e}{start}—{end}.")
}

/// Says whether the page's own translator must leave these elements alone, by its attribute and as
/// the browser reads it.
async fn is_untranslated(browser: &Chromium, ids: [&str; 2]) -> serde_json::Value {
    let script = format!(
        "return {}.map(id => document.getElementById(id)).map(e => e && [e.getAttribute('translate'), e.translate]);",
        json!(ids)
    );
    browser.run(&script).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn no_translator_touches_the_letters_or_the_field_for_a_code() {
    let stage = stage(Post::Own, SignIn::LinkAndCode).await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    stage.ask(&first, "/reports").await;
    let untranslated = json!(["no", false]);
    let told = is_untranslated(&first, ["code", "match-code"]).await;
    assert_eq!(told, json!([untranslated, untranslated]));
    second.goto(&stage.link_to(ADA)).await;
    second.shows("Is that you?").await;
    let told = is_untranslated(&second, ["code", "match-code"]).await;
    assert_eq!(told, json!([untranslated, null]));
    // Everything else is translated.
    let page = first.run("return document.documentElement.translate").await;
    assert_eq!(page.unwrap(), json!(true));
}

async fn problem(browser: &Chromium) -> String {
    browser.text("#problem").await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_code_typed_in_the_first_tab_signs_in() {
    for (post, sign_in) in WAYS {
        let name = format!("{post:?} {sign_in:?}");
        let stage = stage(post, sign_in).await;
        let browser = stage.browser().await;
        stage.ask(&browser, "/reports?year=2026").await;
        let field = browser
            .run(
                "const { type, inputMode, autocomplete, required, labels } = document.getElementById('code');
                 return [type, inputMode, autocomplete, required, labels[0].innerText, document.activeElement.id];",
            )
            .await
            .unwrap();
        assert_eq!(
            field,
            json!([
                "text",
                "numeric",
                "one-time-code",
                true,
                "Code from the email",
                "code"
            ]),
            "{name}"
        );
        let code = stage.code_to(ADA);
        browser.answer("code", other_than(&code)).await;
        browser.shows("Check your email").await;
        assert!(
            problem(&browser)
                .await
                .starts_with("That isn’t the right code"),
            "{name}"
        );
        assert!(browser.cookie(SESSION).await.is_none(), "{name}");
        // As people copy it, or type it on a full-width keyboard: the field's own pattern lets it
        // pass.
        let (start, end) = code.split_at(3);
        browser.answer("code", &copied(start, end)).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives("/reports?year=2026").await;
        assert_eq!(stage.code_exchanges(), 2, "{name}");
        assert_eq!(stage.exchanges(), 0, "{name}");
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn five_wrong_codes_end_the_code_and_not_the_link() {
    let stage = stage(Post::Own, SignIn::LinkAndCode).await;
    let browser = stage.browser().await;
    stage.ask(&browser, "/reports").await;
    let (code, link) = (stage.code_to(ADA), stage.link_to(ADA));
    for _ in 0..5 {
        browser.answer("code", other_than(&code)).await;
        browser.shows("Check your email").await;
        assert!(
            problem(&browser)
                .await
                .starts_with("That isn’t the right code")
        );
    }
    browser.answer("code", &code).await;
    browser.shows("Too many wrong codes").await;
    assert_eq!(stage.code_exchanges(), 5);
    browser.goto(&link).await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_code_is_typed_nowhere_else() {
    let stage = stage(Post::Own, SignIn::LinkAndCode).await;
    let (first, second) = (stage.browser().await, stage.browser().await);
    stage.ask(&first, "/reports").await;
    let check = first.url().await.unwrap();
    second.goto(&check).await;
    second.shows("Continue where you began").await;
    assert_eq!(second.text("form").await, None);
    // The code in the mail, and the letters for who opens its link, are for two fields.
    let letters = first.text("#match-code").await.unwrap();
    second.goto(&stage.link_to(ADA)).await;
    second.shows("Is that you?").await;
    second.answer("code", &stage.code_to(ADA)).await;
    assert!(
        problem(&second)
            .await
            .starts_with("Those aren’t the letters")
    );
    second.answer("code", &letters).await;
    second.shows(&format!("Hello {ADA}")).await;
    first.is_content().await;
    second.is_content().await;
}
