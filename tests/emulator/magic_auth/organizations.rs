//! An address of several organizations, and the choice among them.

use std::time::Duration;

use serde_json::{Value, json};
use tower_magic_link::emulator::EmulatedUser;

use crate::{
    Desk, KEY, Read,
    names::{ADA, EVE},
};

const IDS: [&str; 2] = ["org_01", "org_02"];

fn choice_of(token: &str, organization: &str) -> Value {
    json!({
        "client_id": "client_123",
        "client_secret": KEY,
        "grant_type": "urn:workos:oauth:grant-type:organization-selection",
        "pending_authentication_token": token,
        "organization_id": organization,
    })
}

/// Makes Ada a member of two organizations, redeems a code, and returns the pending token.
async fn pending(desk: &Desk) -> String {
    desk.emulator.clear_memberships(ADA);
    for id in IDS {
        desk.emulator
            .add_membership(&ADA.to_uppercase(), id, format!("Name of {id}"));
    }
    let code = desk.digits().await;
    let read = desk.redeem(&code).await;
    assert_eq!(read.status, 403, "{}", read.text);
    let token = read.json()["pending_authentication_token"].clone();
    token.as_str().unwrap().to_owned()
}

async fn refused(desk: &Desk, body: &Value) -> (u16, String) {
    let read = desk.redeem_with(body).await;
    let body = read.json();
    let code = body.get("code").or(body.get("error")).unwrap();
    (read.status.as_u16(), code.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_member_of_several_organizations_is_asked_and_signs_in_to_the_chosen_one() {
    let desk = Desk::new().await;
    let token = pending(&desk).await;
    // The answer, once more by a code of its own.
    let read = desk.redeem(&desk.digits().await).await;
    let mut body = read.json();
    let fresh = body["pending_authentication_token"].take();
    assert_ne!(fresh.as_str().unwrap(), token);
    assert_eq!(body["user"]["id"], EmulatedUser::of(ADA).id());
    assert_eq!(body["code"], "organization_selection_required");
    assert_eq!(
        body["organizations"],
        json!(IDS.map(|id| json!({ "id": id, "name": format!("Name of {id}") })))
    );

    let read = desk.redeem_with(&choice_of(&token, "org_02")).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let body = read.json();
    assert_eq!(body["organization_id"], "org_02");
    assert_eq!(body["user"]["id"], EmulatedUser::of(ADA).id());
    assert_eq!(body["authentication_method"], "MagicAuth");
    let again = refused(&desk, &choice_of(&token, "org_02")).await;
    assert_eq!(again.1, "invalid_pending_authentication_token");
}

#[tokio::test]
async fn a_member_of_one_organization_or_of_an_ordered_one_is_not_asked() {
    let desk = Desk::new().await;
    desk.emulator.add_membership(ADA, "org_01", "One");
    let body = desk.redeem(&desk.digits().await).await.json();
    assert_eq!(body["organization_id"], "org_01");
    desk.emulator.add_membership(ADA, "org_02", "Two");
    desk.emulator.add_membership(EVE, "org_03", "Three");
    desk.emulator
        .next_user(|user| user.with_organization("org_09"));
    let body = desk.redeem(&desk.digits().await).await.json();
    assert_eq!(body["organization_id"], "org_09");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_choices_at_once_one_succeeds() {
    let desk = Desk::new().await;
    let token = pending(&desk).await;
    let bodies = [0; 16].map(|_| choice_of(&token, "org_01"));
    let choices = bodies.iter().map(|body| desk.redeem_with(body));
    let reads = futures_util::future::join_all(choices).await;
    assert_eq!(reads.iter().filter(|read| read.status == 200).count(), 1);
}

#[tokio::test]
async fn a_choice_that_asks_wrongly_is_refused_and_spends_nothing() {
    let desk = Desk::new().await;
    let token = pending(&desk).await;
    let missing = (422, "invalid_request_parameters");
    let cases = [
        ("client_id", json!(""), (400, "invalid_client")),
        ("client_secret", json!("wrong"), (400, "invalid_client")),
        ("client_id", Value::Null, missing),
        ("pending_authentication_token", Value::Null, missing),
        ("organization_id", Value::Null, missing),
        (
            "organization_id",
            json!("org_03"),
            (400, "invalid_organization_id"),
        ),
        (
            "pending_authentication_token",
            json!("pending_x"),
            (400, "invalid_pending_authentication_token"),
        ),
    ];
    for (field, value, (status, code)) in cases {
        let mut body = choice_of(&token, "org_01");
        body[field] = value;
        let got = refused(&desk, &body).await;
        assert_eq!(got, (status, code.to_owned()), "{field}");
    }
    desk.clock.put_forward(Duration::from_secs(599));
    let url = desk.url("/user_management/authenticate");
    let form = choice_of(&token, "org_01");
    let read = Read::of(desk.http.post(url).form(&form)).await;
    assert_eq!(read.status, 200, "{}", read.text);

    let token = pending(&desk).await;
    desk.clock.put_forward(Duration::from_secs(600));
    let late = refused(&desk, &choice_of(&token, "org_01")).await;
    assert_eq!(late.1, "invalid_pending_authentication_token");
}
