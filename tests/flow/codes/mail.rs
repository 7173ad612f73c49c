//! What is mailed when people sign in by code, and to whom.

use http::StatusCode;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, SignIn, SigningKey,
    emulator::{Endpoint, Fault},
};

use super::action;
use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Post, World},
};

#[tokio::test]
async fn what_cannot_be_had_is_left_out_and_the_rest_is_mailed() {
    let fault = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
    let post = Post::default();
    let world = World::with(|builder| {
        builder
            .mailer(post.clone())
            .sign_in(SignIn::LinkAndCode)
            .insecure_no_throttle()
    })
    .await;
    let ask = async || world.browser().ask_for_link(ADA, "/").await;

    world
        .emulator()
        .order_always(Endpoint::MagicAuthCreate, fault.clone());
    let page = ask().await;
    let letter = post.last();
    assert!(letter.link.is_some() && letter.code.is_none());
    assert!(
        action(&page).is_none(),
        "no field for a code that was not sent"
    );

    world
        .emulator()
        .order_always(Endpoint::Create, fault.clone());
    assert_eq!(ask().await.status(), 503);
    assert_eq!(post.letters().len(), 1);

    world.emulator().clear_orders(Endpoint::MagicAuthCreate);
    let page = ask().await;
    let letter = post.last();
    assert!(letter.link.is_none() && letter.code.is_some());
    assert!(action(&page).is_some());
}

#[tokio::test]
async fn who_may_sign_up_is_not_told() {
    let not_allowed = Fault::oauth_refusal("sign_up_not_allowed");
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let post = Post::default();
        let world = World::with(|builder| builder.mailer(post.clone()).sign_in(sign_in)).await;
        let known = world.browser().ask_for_link(ADA, "/").await;
        world
            .emulator()
            .order(Endpoint::MagicAuthCreate, not_allowed.clone());
        let unknown = world.browser().ask_for_link(EVE, "/").await;
        assert_eq!(unknown.status(), known.status());
        let shown = |page: &Answer, email: &str| {
            let text = page.text().replace(email, "someone");
            // What is sealed and the match code differ from one sign-in to the next.
            let cut = |text: String, start: &str, end: &str| {
                let mut parts = text.split(start);
                let mut cut = parts.next().unwrap().to_owned();
                for part in parts {
                    cut.push_str(part.split_once(end).unwrap().1);
                }
                cut
            };
            let text = cut(text, "/auth/code?t=", "\"");
            let text = cut(text, "name=\"t\" value=\"", "\"");
            cut(text, "id=\"match-code\">", "<")
        };
        assert_eq!(shown(&unknown, EVE), shown(&known, ADA), "{sign_in:?}");
    }
}

#[tokio::test]
async fn a_link_alone_has_no_field_for_a_code_and_takes_none() {
    let world = World::new().await;
    let mut browser = world.browser();
    let posted = browser.post("/auth/login", "email=ada@example.com").await;
    let check = posted.location().to_owned();
    assert!(action(&browser.get(&check).await).is_none());
    let answer = browser
        .post(&check.replace("/auth/check", "/auth/code"), "code=123456")
        .await;
    assert_eq!(answer.status(), 400);
    assert_eq!(world.emulator().count(Endpoint::Authenticate), 0);
}

#[tokio::test]
async fn without_a_mailer_workos_mails_the_code_and_a_link_beside_it_is_refused() {
    let world = World::with(|builder| builder.sign_in(SignIn::Code)).await;
    let mut browser = world.browser();
    let check = browser.ask_for_link(ADA, "/").await;
    let code = world.emulator().last_code_to(ADA).unwrap();
    let answer = browser
        .post(&action(&check).unwrap(), &format!("code={code}"))
        .await;
    assert_eq!(answer.location(), "/");

    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let error = MagicLinkLayer::builder(crate::support::client(&world.workos), keys)
        .public_url(ORIGIN)
        .sign_in(SignIn::LinkAndCode)
        .build()
        .unwrap_err();
    assert!(
        matches!(
            &error,
            ConfigError::Invalid {
                setting: "sign_in",
                ..
            }
        ),
        "{error}"
    );
}
