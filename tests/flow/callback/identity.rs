//! Which proven identities may sign in: rules for addresses, connections, organizations.

use tower_magic_link::{RejectionKind, provider::Identity};

use super::is_trouble;
use crate::{
    names::{ADA, EVE},
    support::World,
};

/// Returns a check page without what differs from one sign-in to the next.
fn without_codes(page: &str) -> String {
    let cut = |page: &str, start: &str, end: &str| {
        let (before, rest) = page.split_once(start).expect(start);
        let (_, after) = rest.split_once(end).expect(end);
        format!("{before}{after}")
    };
    let page = cut(page, "id=\"match-code\">", "<");
    cut(&page, "name=\"t\" value=\"", "\"")
}

#[tokio::test]
async fn a_code_that_proves_another_address_is_refused_and_told() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email(EVE));
    let callback = world.follow_mail(ADA).await;
    let answer = browser.get(&callback).await;
    is_trouble(&answer, 403, RejectionKind::OtherAddress);
    assert!(world.heard().contains("OtherAddress"), "{}", world.heard());
    assert_eq!(browser.get("/").await.status(), 303);
}

#[tokio::test]
async fn an_address_in_other_letter_case_is_the_same_address() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link("Ada@Example.com", "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email("ada@example.COM"));
    let callback = world.follow_mail("Ada@example.com").await;
    assert_eq!(browser.get(&callback).await.location(), "/");
}

#[tokio::test]
async fn a_code_of_another_connection_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_connection_type("GoogleOAuth"));
    let callback = world.follow_mail(ADA).await;
    is_trouble(
        &browser.get(&callback).await,
        403,
        RejectionKind::WrongConnection,
    );
}

#[tokio::test]
async fn only_members_of_the_configured_organizations_get_in() {
    let world = World::with(|builder| builder.organization("org_1").organization("org_2")).await;
    for (organization, is_in) in [(None, false), (Some("org_3"), false), (Some("org_2"), true)] {
        let mut browser = world.browser();
        browser.ask_for_link(ADA, "/").await;
        if let Some(organization) = organization {
            world
                .emulator()
                .next_profile(move |profile| profile.with_organization(organization));
        }
        let callback = world.follow_mail(ADA).await;
        let answer = browser.get(&callback).await;
        if is_in {
            assert_eq!(answer.location(), "/");
        } else {
            is_trouble(&answer, 403, RejectionKind::NotAllowed);
        }
    }
}

#[tokio::test]
async fn an_address_outside_the_configured_domains_gets_no_mail_and_is_not_told() {
    let world = World::with(|builder| builder.email_domains(["example.com"])).await;
    let inside = world.browser().ask_for_link(ADA, "/").await;
    for outside in [
        "ada@example.com.evil.example",
        "ada@sub.example.com",
        "ada@evil.example",
    ] {
        let answer = world.browser().ask_for_link(outside, "/").await;
        let text = answer.text().replace(outside, ADA);
        assert_eq!(
            without_codes(&text),
            without_codes(&inside.text()),
            "{outside}"
        );
    }
    assert_eq!(world.emulator().outbox().len(), 1);
    let heard = world.heard();
    assert!(heard.contains("LinkWithheld"), "{heard}");
    assert!(heard.contains("reason: \"domain\""), "{heard}");
}

#[tokio::test]
async fn the_application_has_its_own_say_and_a_say_that_fails_lets_nobody_in() {
    let world = World::with(|builder| {
        builder.authorize(|identity: Identity| async move {
            match identity.email().as_str() {
                ADA => Ok(true),
                EVE => Ok(false),
                _ => Err("the database is down"),
            }
        })
    })
    .await;
    let callback_of = |email: &'static str| {
        let world = &world;
        async move {
            let mut browser = world.browser();
            browser.ask_for_link(email, "/").await;
            let callback = world.follow_mail(email).await;
            browser.get(&callback).await
        }
    };
    assert_eq!(callback_of(ADA).await.location(), "/");
    is_trouble(&callback_of(EVE).await, 403, RejectionKind::NotAllowed);
    is_trouble(
        &callback_of("bob@example.com").await,
        503,
        RejectionKind::ProviderUnavailable,
    );
}
