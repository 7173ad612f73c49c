//! Six-digit codes: making, reading, mailing and redeeming them, and every way in which that is
//! refused.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tower_magic_link::emulator::{EmulatedUser, Emulator, Endpoint, Fault};

use crate::{
    Desk, KEY, Read,
    names::{ADA, EVE},
};

impl Desk {
    async fn make(&self, body: Value) -> Read {
        Read::of(self.post("/user_management/magic_auth").json(&body)).await
    }

    /// Makes a code and returns it.
    async fn digits(&self) -> String {
        let read = self.make(json!({ "email": ADA })).await;
        assert_eq!(read.status, 201, "{}", read.text);
        read.json()["code"].as_str().unwrap().to_owned()
    }

    async fn redeem_with(&self, body: &Value) -> Read {
        let url = self.url("/user_management/authenticate");
        Read::of(self.http.post(url).json(body)).await
    }

    async fn redeem(&self, code: &str) -> Read {
        self.redeem_with(&redemption_of(code)).await
    }

    /// Redeems a code and returns the machine code of the refusal.
    async fn refused(&self, code: &str) -> String {
        let read = self.redeem(code).await;
        assert_eq!(read.status, 400, "{}", read.text);
        read.json()["code"].as_str().unwrap().to_owned()
    }
}

fn redemption_of(code: &str) -> Value {
    json!({
        "client_id": "client_123",
        "client_secret": KEY,
        "grant_type": "urn:workos:oauth:grant-type:magic-auth:code",
        "code": code,
        "email": ADA,
    })
}

fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

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
async fn a_code_yields_a_user_and_tokens_once() {
    let desk = Desk::new().await;
    let code = desk.digits().await;
    let read = desk.redeem(&code).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let body = read.json();
    assert_eq!(
        body["user"],
        json!({
            "object": "user", "id": EmulatedUser::of(ADA).id(), "email": ADA, "email_verified": true,
            "name": null, "first_name": null, "last_name": null, "profile_picture_url": null,
            "last_sign_in_at": "2020-09-16T15:29:08.000Z", "external_id": null, "metadata": {},
            "locale": null, "created_at": "2020-09-16T15:29:08.000Z",
            "updated_at": "2020-09-16T15:29:08.000Z",
        })
    );
    assert_eq!(body["authentication_method"], "MagicAuth");
    assert_eq!(body["organization_id"], Value::Null);
    assert!(body["refresh_token"].as_str().unwrap().len() > 20);
    let parts: Vec<_> = body["access_token"].as_str().unwrap().split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], body["user"]["id"]);
    assert!(claims["sid"].as_str().unwrap().starts_with("session_01"));
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&json!(1_600_270_148), &json!(1_600_270_448))
    );
    for claim in ["iss", "aud", "client_id", "jti", "auth_time"] {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    assert_eq!(desk.refused(&code).await, "one_time_code_previously_used");
    assert_eq!(desk.emulator.count(Endpoint::Authenticate), 2);
}

#[tokio::test]
async fn a_form_redeems_as_well_as_json() {
    let desk = Desk::new().await;
    let form = redemption_of(&desk.digits().await);
    let url = desk.url("/user_management/authenticate");
    let read = Read::of(desk.http.post(url).form(&form)).await;
    assert_eq!(read.status, 200, "{}", read.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_redemptions_at_once_one_succeeds() {
    let desk = Desk::new().await;
    let code = desk.digits().await;
    let redemptions = (0..32).map(|_| desk.redeem(&code));
    let reads = futures_util::future::join_all(redemptions).await;
    assert_eq!(reads.iter().filter(|read| read.status == 200).count(), 1);
}

#[tokio::test]
async fn a_code_that_is_wrong_older_late_or_spent_is_refused() {
    let desk = Desk::with(Emulator::builder().code_tries(2)).await;
    let older = desk.digits().await;
    let mut code = desk.digits().await;
    while code == older {
        code = desk.digits().await;
    }
    assert_eq!(desk.refused(&older).await, "invalid_one_time_code");
    assert_eq!(
        desk.refused(&other_than(&code)).await,
        "invalid_one_time_code"
    );
    let read = desk.redeem(&code).await;
    assert_eq!(
        read.json(),
        json!({
            "code": "one_time_code_too_many_attempts",
            "message": "One-time code for 'ada@example.com' has had too many failed attempts.",
        })
    );
    let code = desk.digits().await;
    desk.clock.put_forward(Duration::from_secs(600));
    assert_eq!(desk.refused(&code).await, "one_time_code_expired");
    let code = desk.digits().await;
    desk.clock.put_forward(Duration::from_secs(599));
    assert_eq!(desk.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn a_redemption_that_asks_wrongly_is_refused_and_costs_no_try() {
    let desk = Desk::with(Emulator::builder().code_tries(1)).await;
    let code = desk.digits().await;
    let missing = "invalid_request_parameters";
    let cases = [
        ("no code", "code", Value::Null, 422, missing),
        ("no address", "email", Value::Null, 422, missing),
        ("a number", "code", json!(123_456), 422, missing),
        ("no grant", "grant_type", Value::Null, 422, missing),
        ("no client", "client_id", Value::Null, 422, missing),
        (
            "another grant",
            "grant_type",
            json!("password"),
            400,
            "unsupported_grant_type",
        ),
        (
            "an empty client",
            "client_id",
            json!(""),
            400,
            "invalid_client",
        ),
        (
            "a wrong secret",
            "client_secret",
            json!("wrong"),
            400,
            "invalid_client",
        ),
    ];
    for (name, field, value, status, word) in cases {
        let mut body = redemption_of(&code);
        body[field] = value;
        let read = desk.redeem_with(&body).await;
        assert_eq!(read.status, status, "{name}");
        let body = read.json();
        let got = body.get("code").or(body.get("error")).unwrap();
        assert_eq!(got, word, "{name}");
        if status == 422 {
            assert_eq!(body["errors"][0]["field"], field, "{name}");
        }
    }
    let mut body = redemption_of(&code);
    body["email"] = EVE.into();
    let read = desk.redeem_with(&body).await;
    assert_eq!(read.json()["code"], "invalid_one_time_code", "another's");
    assert_eq!(desk.redeem(&code).await.status, 200);
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

#[tokio::test]
async fn users_are_edited_and_faults_ordered() {
    let desk = Desk::new().await;
    desk.emulator
        .every_user(|user| user.with_external_id("ours"));
    desk.emulator.next_user(|user| {
        user.with_id("user_bob")
            .with_email("bob@example.org")
            .with_names("Bob", "Dylan")
            .with_organization("org_1")
            .with_authentication_method("Impersonation")
            .with_unverified_email()
    });
    let code = desk.digits().await;
    for (fault, status, field, word) in [
        (
            Fault::step_up("mfa_challenge"),
            403,
            "code",
            "mfa_challenge",
        ),
        (
            Fault::oauth_refusal("sso_required"),
            400,
            "error",
            "sso_required",
        ),
        (
            Fault::refusal(StatusCode::TOO_MANY_REQUESTS, "daily_quota_exceeded"),
            429,
            "code",
            "daily_quota_exceeded",
        ),
    ] {
        desk.emulator.order(Endpoint::Authenticate, fault);
        let read = desk.redeem(&code).await;
        assert_eq!(
            (read.status.as_u16(), &read.json()[field]),
            (status, &json!(word))
        );
        let is_pending = read.json().get("pending_authentication_token").is_some();
        assert_eq!(is_pending, status == 403, "{word}");
    }
    let body = desk.redeem(&code).await.json();
    let user = &body["user"];
    assert_eq!(
        (&user["id"], &user["email"]),
        (&json!("user_bob"), &json!("bob@example.org"))
    );
    assert_eq!(
        (&user["name"], &user["external_id"]),
        (&json!("Bob Dylan"), &json!("ours"))
    );
    assert_eq!(user["email_verified"], false);
    assert_eq!(
        (&body["organization_id"], &body["authentication_method"]),
        (&json!("org_1"), &json!("Impersonation"))
    );

    desk.emulator.order(Endpoint::Authenticate, Fault::OldShape);
    let body = desk.redeem(&desk.digits().await).await.json();
    assert!(body.get("authentication_method").is_none());
    assert!(body["user"].get("metadata").is_none() && body["user"].get("id").is_some());
}
