//! A code can be redeemed once; every other redemption is refused.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_magic_link::emulator::{EmulatedUser, Emulator, Endpoint};

use super::redemption_of;
use crate::{
    Desk, Read,
    names::{ADA, EVE},
};

fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
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
