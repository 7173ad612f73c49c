//! A choice among WorkOS's organizations, by people whom the application knows by its own tenants.

use tower_magic_link::{Authorization, Denial, Grant, provider::Identity};

use super::*;

/// The choice is of WorkOS's organization, and the session names the application's.
#[tokio::test]
async fn a_choice_that_comes_again_leads_on_although_the_session_names_a_tenant() {
    let tenant = |_: Identity| async { Grant::new().organization("tenant-a") };
    let (mut begun, asked) = asked(|builder| builder.authorize(tenant)).await;
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some("tenant-a"));
    // The exchange is forgotten by now. The browser's session alone says what was chosen.
    begun.world.clock.advance(Duration::from_secs(120));
    let again = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(again.location(), "/reports");
    let other = asked.choose(&mut begun.first, GLOBEX.0).await;
    is_trouble(&other, 400, RejectionKind::ChoiceExpired);
    let cancelled = asked.cancel(&mut begun.first).await;
    assert_eq!(cancelled.location(), "/reports");
}

#[tokio::test]
async fn the_applications_reason_is_given_for_a_chosen_organization_too() {
    let rule = |identity: Identity| async move {
        match identity.organization() == Some(GLOBEX.0) {
            true => Authorization::Refused(Denial::because("Globex has left us.")),
            false => Authorization::Allowed,
        }
    };
    let (mut begun, asked) = asked(|builder| builder.authorize(rule)).await;
    let refused = asked.choose(&mut begun.first, GLOBEX.0).await;
    is_trouble(&refused, 403, RejectionKind::OrganizationNotAllowed);
    let text = refused.text();
    assert!(text.contains("<bdi>Globex has left us.</bdi>"), "{text}");
}
