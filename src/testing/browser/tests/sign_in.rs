//! Whole sign-ins, by the forms of the layer's own pages.

use std::time::Duration;

use tower::Layer;

use super::*;
use crate::{
    KeyRing, MagicLinkLayer, Session, SigningKey, builder::Builder, testing::StubProvider,
};

const ADA: &str = "ada@example.com";

fn world(configure: impl FnOnce(Builder) -> Builder) -> (Browser, StubProvider) {
    let provider = StubProvider::new();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    let layer = configure(builder).build().unwrap();
    let service = layer.layer(service_fn(async |request: Request<String>| {
        let session = request.extensions().get::<Session>();
        let who = session.map_or("nobody", Session::email);
        Ok::<_, Infallible>(Response::new(format!("hello {who}")))
    }));
    (Browser::new(service, ORIGIN), provider)
}

#[tokio::test]
async fn a_person_signs_in_by_link_and_out_everywhere() {
    let (mut browser, provider) =
        world(|builder| builder.revocations(crate::revocation::MemoryRevocations::default()));
    browser.get("/reports?year=2026").await;
    let check = browser.submit_login(ADA).await;
    assert!(check.text().contains(ADA), "{}", check.text());
    let mut other = browser.clone();
    let reports = browser.open(provider.last_link()).await;
    assert_eq!(reports.path(), "/reports?year=2026");
    assert_eq!(reports.text(), "hello ada@example.com");
    assert!(browser.cookie("__Host-magic-link").is_some());
    assert_eq!(other.cookie("__Host-magic-link"), None);
    assert!(other.get("/").await.path().starts_with("/auth/login"));

    let mut copy = browser.clone();
    browser.get("/auth/logout").await;
    browser.submit(&[("everywhere", "true")]).await;
    assert_eq!(browser.cookie("__Host-magic-link"), None);
    assert!(copy.get("/").await.path().starts_with("/auth/login"));
}

#[tokio::test]
async fn a_person_signs_in_by_six_digits_and_asks_to_be_remembered() {
    let (mut browser, provider) = world(|builder| {
        let week = Duration::from_secs(7 * 24 * 3_600);
        builder.sign_in(crate::SignIn::Code).remember_me(week)
    });
    browser.get("/").await;
    let fields = [("email", ADA), ("remember_me", "true")];
    browser.submit(&fields).await;
    let code = provider.last_code().unwrap();
    let home = browser.submit(&[("code", code.expose())]).await;
    assert_eq!(home.text(), "hello ada@example.com");
    browser.restart();
    assert_eq!(browser.get("/").await.text(), "hello ada@example.com");
}

#[tokio::test]
async fn a_form_that_the_page_does_not_have_is_told_with_those_that_it_has() {
    let (mut browser, _) = world(|builder| builder);
    browser.get("/auth/login").await;
    let said = panic_of(browser.submit(&[("code", "123456")])).await;
    let want = "/auth/login has no form for [\"code\"], but [a form for [\"email\"]]";
    assert_eq!(said, want);
    let said = panic_of(browser.submit(&[])).await;
    assert!(said.contains("no form for []"), "a required field: {said}");
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let (mut browser, _) = world(|builder| builder);
    browser.get("/auth/login").await;
    let check = browser.submit_login(ADA).await;
    let printed = format!("{browser:?} {check:?}");
    assert!(printed.contains("__Host-magic-link-browser"), "{printed}");
    for secret in [
        browser.cookie("__Host-magic-link-browser").unwrap(),
        ADA,
        "t=",
    ] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
