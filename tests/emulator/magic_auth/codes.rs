//! Codes are made, read and mailed.

use serde_json::json;
use tower_magic_link::emulator::{EmulatedUser, Emulator, Endpoint};

use crate::{
    Desk, KEY, Read,
    names::{ADA, EVE},
};

#[tokio::test]
async fn a_code_is_made_and_can_be_read_again() {
    let desk = Desk::new().await;
    let made = desk
        .make(json!({ "email": ADA, "ip_address": "192.0.2.1", "user_agent": "x" }))
        .await;
    assert_eq!(made.status, 201);
    let body = made.json();
    let id = body["id"].as_str().unwrap();
    let code = body["code"].as_str().unwrap();
    assert!(id.starts_with("magic_auth_01"), "{id}");
    let want = json!({
        "object": "magic_auth", "id": id, "user_id": EmulatedUser::of(ADA).id(), "email": ADA,
        "expires_at": "2020-09-16T15:39:08.000Z", "created_at": "2020-09-16T15:29:08.000Z",
        "updated_at": "2020-09-16T15:29:08.000Z", "code": code,
    });
    assert_eq!(body, want);
    assert_eq!(
        desk.emulator.last_code_to("ADA@example.com").as_deref(),
        Some(code)
    );
    assert_eq!(desk.emulator.last_code_to(EVE), None);

    let url = desk.url(&format!("/user_management/magic_auth/{id}"));
    let read = Read::of(desk.http.get(&url).bearer_auth(KEY)).await;
    assert_eq!((read.status.as_u16(), read.json()), (200, want));
    let unauthorized = Read::of(desk.http.get(&url)).await;
    assert_eq!(unauthorized.status, 401);
    let url = desk.url("/user_management/magic_auth/magic_auth_invalid");
    let unknown = Read::of(desk.http.get(&url).bearer_auth(KEY)).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(
        unknown.json(),
        json!({
            "message": "MagicAuth not found: 'magic_auth_invalid'.",
            "code": "entity_not_found",
            "entity_id": "magic_auth_invalid",
        })
    );
}

#[tokio::test]
async fn a_request_for_a_code_that_asks_wrongly_is_refused() {
    let desk = Desk::new().await;
    let cases = [
        ("nothing", json!({}), 422, "invalid_request_parameters"),
        (
            "a number",
            json!({ "email": 1 }),
            422,
            "invalid_request_parameters",
        ),
        (
            "no address",
            json!({ "email": "ada" }),
            422,
            "invalid_request_parameters",
        ),
        (
            "an ip that is none",
            json!({ "email": ADA, "ip_address": 1 }),
            422,
            "invalid_request_parameters",
        ),
        (
            "an invitation",
            json!({ "email": ADA, "invitation_token": "x" }),
            400,
            "invitation_invalid",
        ),
    ];
    for (name, body, status, word) in cases {
        let read = desk.make(body).await;
        assert_eq!(read.status, status, "{name}");
        let body = read.json();
        let got = body.get("code").or(body.get("error")).unwrap();
        assert_eq!(got, word, "{name}");
    }
    let url = desk.url("/user_management/magic_auth");
    let request = desk
        .http
        .post(url)
        .bearer_auth("wrong")
        .json(&json!({ "email": ADA }));
    let read = Read::of(request).await;
    assert_eq!(
        (read.status.as_u16(), read.json()),
        (401, json!({ "message": "Unauthorized" }))
    );
    assert_eq!(desk.emulator.last_code_to(ADA), None);
    assert_eq!(desk.emulator.count(Endpoint::MagicAuthCreate), 6);
}

#[tokio::test]
async fn codes_are_mailed_where_that_is_switched_on() {
    let desk = Desk::new().await;
    desk.digits().await;
    assert!(desk.emulator.outbox().is_empty());

    let desk = Desk::with(Emulator::builder().mail_codes()).await;
    let (id, link) = desk.create().await;
    desk.send(&id).await;
    let code = desk.digits().await;
    let [first, second] = &desk.emulator.outbox()[..] else {
        panic!("two mails");
    };
    assert_eq!((first.address(), second.address()), (ADA, ADA));
    assert_eq!((first.link(), first.code()), (Some(link.as_str()), None));
    assert_eq!((second.link(), second.code()), (None, Some(code.as_str())));
    assert!(first.text().contains(&link) && second.text().contains(&code));
    assert_eq!(
        (first.subject(), second.subject()),
        ("Your sign-in link", "Your sign-in code")
    );
    assert_eq!(desk.emulator.last_link_to(ADA), Some(link));
    let debug = format!("{:?} {:?}", desk.emulator, desk.emulator.outbox());
    assert!(!debug.contains(&code) && !debug.contains("ada@"), "{debug}");
}
