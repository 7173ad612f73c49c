//! What a callback answers when the provider refuses, limits or does not respond.

use std::time::Duration;

use tower_magic_link::{
    RejectionKind, SignIn,
    emulator::{Endpoint, Fault},
};

use super::{asked_again, begun, is_told_of_a_used_link, is_trouble, parts};
use crate::{
    names::{ADA, EVE},
    support::World,
};

#[tokio::test]
async fn an_error_from_the_provider_is_a_page_in_our_words() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (_, state) = parts(&callback);
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let cases = [
        ("access_denied", 400, RejectionKind::LinkUsed),
        ("organization_invalid", 403, RejectionKind::NotAllowed),
        (
            "profile_not_allowed_outside_organization",
            403,
            RejectionKind::NotAllowed,
        ),
        ("server_error", 400, RejectionKind::ProviderFailed),
        ("connection_invalid", 400, RejectionKind::ProviderFailed),
        (script, 400, RejectionKind::ProviderFailed),
    ];
    for (error, status, trouble) in cases {
        for state in [format!("&state={state}"), String::new()] {
            let path = format!("/auth/callback?error={error}&error_description={script}{state}");
            let mut browser = browser.clone();
            let mut answer = browser.get(&path).await;
            if error == "access_denied" && !state.is_empty() {
                answer = browser.get(asked_again(&answer)).await;
            }
            is_trouble(&answer, status, trouble);
            assert!(
                !answer.text().contains("alert(1)"),
                "{error}: {}",
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn when_the_provider_does_not_answer_the_attempt_stays_good() {
    let world = World::new().await;
    let cases = [
        (
            Fault::Status(http::StatusCode::BAD_GATEWAY),
            502,
            RejectionKind::ProviderAnswerLost,
        ),
        (Fault::InvalidJson, 502, RejectionKind::ProviderAnswerLost),
        (Fault::Cut, 502, RejectionKind::ProviderAnswerLost),
    ];
    for (fault, status, trouble) in cases {
        let (mut browser, callback) = begun(&world).await;
        let is_used_up = matches!(fault, Fault::InvalidJson);
        world.emulator().order(Endpoint::Token, fault);
        let answer = browser.get(&callback).await;
        is_trouble(&answer, status, trouble);
        if is_used_up {
            is_told_of_a_used_link(browser, &callback).await;
        } else {
            // Nobody knows whether it is used up: the page leads to another mail, not back to it.
            let text = answer.text();
            let link = format!("href=\"{}\"", callback.replace('&', "&#38;"));
            assert!(text.contains("<form") && !text.contains(&link), "{text}");
            assert_eq!(browser.get(&callback).await.location(), "/reports");
        }
    }
}

/// WorkOS limits the mails to one address. The page must not tell that WorkOS knows it, so it says
/// what it says to everybody, and the operator reads the cause.
#[tokio::test]
async fn a_limit_of_the_providers_for_mail_looks_like_a_mail_that_was_sent() {
    for sign_in in [SignIn::Link, SignIn::Code] {
        let world = World::with(|builder| builder.sign_in(sign_in)).await;
        for endpoint in [Endpoint::Create, Endpoint::MagicAuthCreate] {
            let fault = Fault::RateLimited(Duration::from_secs(30));
            world.emulator().order_always(endpoint, fault);
        }
        let mut browser = world.browser();
        let page = browser.ask_for_link(ADA, "/").await;
        assert_eq!(page.status(), 200);
        assert!(!page.head.headers.contains_key("retry-after"));
        assert!(page.text().contains("Nothing yet?"), "{}", page.text());
        // It is not kept for the next person either.
        let next = world.browser().ask_for_link(EVE, "/").await;
        assert_eq!(next.status(), 200);
        let events = world.events.lock().unwrap().join("\n");
        assert!(events.contains("ProviderFailed { kind: RateLimited"));
        assert!(events.contains("LinkWithheld"), "{events}");
        assert!(events.contains("reason: \"rate_limited\""), "{events}");
        assert!(!events.contains("LinkSent"), "{events}");
    }
}

#[tokio::test]
async fn a_callback_that_meets_a_limit_of_the_providers_leads_back_to_itself() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let wait = Duration::from_secs(30);
    world
        .emulator()
        .order(Endpoint::Token, Fault::RateLimited(wait));
    let answer = browser.get(&callback).await;
    is_trouble(&answer, 429, RejectionKind::RateLimited);
    assert_eq!(answer.header("retry-after"), "30");
    let link = format!("href=\"{}\"", callback.replace('&', "&#38;"));
    assert!(answer.text().contains(&link), "{}", answer.text());
    assert_eq!(browser.get(&callback).await.location(), "/reports");
}
