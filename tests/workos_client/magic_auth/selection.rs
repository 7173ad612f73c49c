//! The choice of an organization: what the client takes for one, what it sends, and what the
//! refusals of it mean.

use serde_json::{Value, json as value};
use tower_magic_link::{
    provider::{FinishChoice, IdentityProvider, PendingToken, ProviderError, ProviderErrorKind},
    workos::{Authentication, OrganizationSelection, WorkOs},
};

use super::{CLIENT, finish};
use crate::{
    AUTHENTICATION, KEY, assert_unmarked, attempt, failed,
    server::{Server, json},
};

const ASKS: &str = r#"{"code":"organization_selection_required","message":"Hunter2",
    "pending_authentication_token":"pending_Hunter2","user":{"id":"user_1"},
    "organizations":[{"id":"org_1","name":"Acme Hunter2"},{"id":"org_2","name":"Globex"}]}"#;

fn selection() -> OrganizationSelection {
    OrganizationSelection::new(PendingToken::new("pending_Hunter2"), "org_1")
}

async fn choose(workos: &WorkOs, organization: &str) -> Result<(), ProviderError> {
    let pending = PendingToken::new("pending_Hunter2");
    let attempt = attempt();
    let finish = FinishChoice::new(attempt.show(), &pending, organization);
    workos.finish_choice(&finish).await.map(drop)
}

#[tokio::test]
async fn an_answer_that_asks_for_an_organization_is_a_choice() {
    let server = Server::with([json(403, ASKS)]).await;
    let error = failed("asks", finish(&server.client()).await);
    assert_eq!(error.kind(), ProviderErrorKind::OrganizationRequired);
    assert_eq!(error.code(), Some("organization_selection_required"));
    let choice = error.choice().unwrap();
    assert_eq!(choice.pending().expose(), "pending_Hunter2");
    let offered = choice.organizations().iter();
    let offered: Vec<_> = offered.map(|of| (of.id(), of.name())).collect();
    assert_eq!(offered, [("org_1", "Acme Hunter2"), ("org_2", "Globex")]);
    assert_unmarked("error", &error);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_choice_is_sent_in_the_body_like_the_official_sdks() {
    let server = Server::with([json(200, AUTHENTICATION), json(200, AUTHENTICATION)]).await;
    let workos = server.client();
    let of_person = selection().ip_address(CLIENT).user_agent("Browser/1");
    assert_unmarked("selection", &of_person);
    for selection in [of_person, selection()] {
        let chosen = workos.authenticate_with_organization_selection(&selection);
        let chosen: Authentication = chosen.await.unwrap();
        assert!(chosen.user().id().starts_with("user_"));
    }
    let requests = server.requests();
    for request in &requests {
        assert_eq!(request.line, "POST /user_management/authenticate HTTP/1.1");
        assert!(
            !request
                .headers_but_host()
                .iter()
                .any(|(name, _)| *name == "authorization")
        );
    }
    let mut want = value!({
        "client_id": "client_Hunter2",
        "client_secret": KEY,
        "grant_type": "urn:workos:oauth:grant-type:organization-selection",
        "pending_authentication_token": "pending_Hunter2",
        "organization_id": "org_1",
    });
    let sent = |n: usize| -> Value { serde_json::from_str(&requests[n].body).unwrap() };
    want["client_id"] = sent(1)["client_id"].clone();
    assert_eq!(sent(1), want);
    want["ip_address"] = "192.0.2.7".into();
    want["user_agent"] = "Browser/1".into();
    assert_eq!(sent(0), want);
}

#[tokio::test]
async fn what_cannot_be_a_choice_is_not_sent() {
    let server = Server::with([]).await;
    let workos = server.client();
    for organization in ["", "org/1", "org 1", &"o".repeat(65)] {
        let error = failed(organization, choose(&workos, organization).await);
        assert_eq!(
            error.kind(),
            ProviderErrorKind::NotAllowed,
            "{organization}"
        );
    }
    for pending in ["", "a b", "a\nb", &"x".repeat(2_049)] {
        let selection = OrganizationSelection::new(PendingToken::new(pending), "org_1");
        let sent = workos.authenticate_with_organization_selection(&selection);
        let error = failed(pending, sent.await);
        assert_eq!(error.kind(), ProviderErrorKind::Refused, "{pending}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn every_refusal_of_a_choice_has_its_kind() {
    use ProviderErrorKind::{
        Misconfigured, NotAllowed, OrganizationRequired, RateLimited, Refused, StepUpRequired,
        Unavailable,
    };
    let coded = |code: &str| format!(r#"{{"message":"Hunter2","code":"{code}"}}"#);
    let oauth = |error: &str| format!(r#"{{"error":"{error}","error_description":"Hunter2"}}"#);
    let about = |field: &str| {
        format!(r#"{{"code":"invalid_request_parameters","errors":[{{"field":"{field}"}}]}}"#)
    };
    let cases = [
        (400, coded("invalid_pending_authentication_token"), Refused),
        (400, oauth("invalid_grant"), Refused),
        (422, about("pending_authentication_token"), Refused),
        (400, coded("invalid_organization_id"), NotAllowed),
        (400, coded("invalid_organization"), NotAllowed),
        (400, coded("user_not_member_of_organization"), NotAllowed),
        (404, coded("organization_not_found"), NotAllowed),
        (404, coded("entity_not_found"), NotAllowed),
        (422, about("organization_id"), NotAllowed),
        (400, oauth("sso_required"), StepUpRequired),
        (403, coded("mfa_enrollment"), StepUpRequired),
        (403, coded("a_step_of_tomorrow"), StepUpRequired),
        (400, oauth("invalid_client"), Misconfigured),
        (429, oauth("too_many_requests"), RateLimited),
        (409, coded("concurrent_request"), Unavailable),
        (503, coded("x"), Unavailable),
        (403, ASKS.to_owned(), OrganizationRequired),
    ];
    for (status, body, want) in cases {
        let server = Server::with([json(status, &body)]).await;
        let error = failed(&body, choose(&server.client(), "org_1").await);
        assert_eq!(error.kind(), want, "{status} {body}");
        assert_unmarked("error", &error);
        assert_eq!(server.requests().len(), 1, "a choice is not repeated");
    }
}
