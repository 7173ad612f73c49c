//! A refusal that is true of one organization is told as such, and names it.

use tower_magic_link::{Authorization, provider::Identity};

use super::{program::post, *};

fn refuse(begun: &Begun) {
    let fault = Fault::refusal(http::StatusCode::BAD_REQUEST, "invalid_organization_id");
    begun.world.emulator().order(Endpoint::Authenticate, fault);
}

/// Says whether a page tells of this organization alone, in the words of a person.
fn names(answer: &Answer, organization: &str) {
    let text = answer.text();
    assert_eq!(answer.status(), 403, "{text}");
    assert!(
        text.contains(&format!("sign in to “{organization}”")),
        "{text}"
    );
    assert!(
        !text.contains(RejectionKind::NotAllowed.heading()),
        "{text}"
    );
    assert!(
        !text.contains(RejectionKind::NotAllowed.happened()),
        "{text}"
    );
    assert!(answer.set_cookies().is_empty());
}

/// Pins: the page said that the address has no access, and offered another address.
#[tokio::test]
async fn an_organization_that_workos_refuses_is_named_and_the_others_are_left() {
    let (mut begun, asked) = asked(|builder| builder).await;
    refuse(&begun);
    let again = asked.choose(&mut begun.first, GLOBEX.0).await;
    names(&again, GLOBEX.1);
    assert!(again.text().contains("id=\"problem\""), "{}", again.text());
    let page = Asked::of(&again);
    assert_eq!(page.offered, [ACME.0, INITECH.0]);

    let fault = Fault::refusal(
        http::StatusCode::FORBIDDEN,
        "user_not_member_of_organization",
    );
    begun.world.emulator().order(Endpoint::Authenticate, fault);
    let again = page.choose(&mut begun.first, ACME.0).await;
    names(&again, "Acme &#38; Sons &#60;Ltd&#62;");
    let page = Asked::of(&again);
    assert_eq!(page.offered, [INITECH.0], "the first one stays away");
    let answer = page.choose(&mut begun.first, INITECH.0).await;
    assert_eq!(answer.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some(INITECH.0));
    assert!(begun.world.heard().contains("OrganizationNotAllowed"));
}

#[tokio::test]
async fn a_choice_of_which_nothing_is_left_offers_a_new_mail() {
    let (mut begun, asked) =
        asked(|builder| builder.organization(ACME.0).organization(GLOBEX.0)).await;
    refuse(&begun);
    let again = asked.choose(&mut begun.first, GLOBEX.0).await;
    let last = Asked::of(&again);
    refuse(&begun);
    let over = last.choose(&mut begun.first, ACME.0).await;
    names(&over, "Acme &#38; Sons &#60;Ltd&#62;");
    is_trouble(&over, 403, RejectionKind::OrganizationNotAllowed);
    let text = over.text();
    assert!(text.contains("no other organization is left"), "{text}");
    // A new mail would offer the same ones.
    assert!(text.contains("Use another address, or ask"), "{text}");
    assert!(!text.contains("choose another organization"), "{text}");
    assert!(
        text.contains("id=\"again\"") && text.contains(ADA),
        "{text}"
    );
}

/// The rule of the application refuses what WorkOS has proven: the choice is used up.
#[tokio::test]
async fn an_organization_that_the_rule_refuses_is_named_and_a_new_mail_is_offered() {
    let hook = |identity: Identity| {
        let is_globex = identity.organization() == Some(GLOBEX.0);
        std::future::ready(match is_globex {
            true => Authorization::Denied,
            false => Authorization::Allowed,
        })
    };
    let (mut begun, asked) = asked(|builder| builder.authorize(hook)).await;
    for press in ["once", "twice"] {
        let refused = asked.choose(&mut begun.first, GLOBEX.0).await;
        names(&refused, GLOBEX.1);
        is_trouble(&refused, 403, RejectionKind::OrganizationNotAllowed);
        let text = refused.text();
        assert!(text.contains("can’t be used again"), "{press}: {text}");
        assert!(
            text.contains("id=\"again\"") && text.contains(ADA),
            "{press}: {text}"
        );
        assert!(!text.contains("name=\"organization\""), "{press}: {text}");
    }
    // Another one can no longer be chosen: WorkOS has taken the choice, and is not asked.
    let other = asked.choose(&mut begun.first, ACME.0).await;
    is_trouble(&other, 400, RejectionKind::ChoiceExpired);
    assert_eq!(begun.redeemed(), 2);

    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = super::super::action(&check).unwrap();
    let code = begun.post.code();
    let asked = Asked::of(&begun.type_code(&code).await);
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn a_program_reads_that_it_is_the_organization_and_chooses_another() {
    let (mut begun, asked) = asked(|builder| builder).await;
    refuse(&begun);
    let form = asked.form(GLOBEX.0);
    let refused = post(&mut begun.first, &asked.action, &form).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let body: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(body["code"], "organization_not_allowed");
    assert_eq!(body["status"], 403);
    assert_eq!(
        body["title"],
        RejectionKind::OrganizationNotAllowed.heading()
    );
    let form = asked.form(INITECH.0);
    let answer = post(&mut begun.first, &asked.action, &form).await;
    assert_eq!(answer.location(), "/reports");
}

/// A refusal that no choice led to is one of the address, as before.
#[tokio::test]
async fn the_one_organization_that_is_taken_without_asking_is_refused_as_the_address() {
    let mut begun = begun(|builder| {
        let builder = builder.organization(GLOBEX.0);
        builder.authorize(|_: Identity| std::future::ready(false))
    })
    .await;
    let code = begun.post.code();
    let refused = begun.type_code(&code).await;
    is_trouble(&refused, 403, RejectionKind::NotAllowed);
}
