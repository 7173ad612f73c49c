//! Editing the emulator's users, and ordering its faults.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tower_magic_link::emulator::{EmulatedUser, Endpoint, Fault};

use crate::{Desk, names::ADA};

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

/// Pinned: each code seemed to make a new user, and named another user than it yielded.
#[tokio::test]
async fn an_address_is_one_user_until_it_is_deleted() {
    let desk = Desk::new().await;
    desk.emulator.every_user(|user| user.with_id("user_7"));
    let webhook = desk
        .emulator
        .webhook(desk.url("/"), "secret")
        .with_repetitions(0);
    let mut made = Vec::new();
    for _ in 0..3 {
        let code = desk.make(json!({ "email": ADA })).await.json();
        let user = desk.redeem(code["code"].as_str().unwrap()).await.json()["user"].clone();
        assert_eq!(
            (&code["user_id"], &user["id"]),
            (&json!("user_7"), &json!("user_7"))
        );
        made.push(user["created_at"].clone());
        desk.clock.put_forward(Duration::from_secs(86_400));
        if made.len() == 2 {
            drop(webhook.delete_user(&EmulatedUser::of(ADA)).await);
        }
    }
    assert_eq!(made[0], made[1]);
    assert_ne!(made[1], made[2]);
}

/// Pinned: the event was sent, and the emulator signed the person in to the organization as before.
#[tokio::test]
async fn a_membership_that_an_event_takes_away_has_ended() {
    let desk = Desk::new().await;
    let webhook = desk
        .emulator
        .webhook(desk.url("/"), "secret")
        .with_repetitions(0);
    let ada = EmulatedUser::of(ADA);
    for way in ["none", "another", "membership", "organization", "user"] {
        desk.emulator.clear_memberships(ADA);
        desk.emulator
            .add_membership(&ADA.to_uppercase(), "org_01", "Acme");
        let delivery = match way {
            "another" => webhook.delete_membership(ada.id(), "org_02").await,
            "membership" => webhook.delete_membership(ada.id(), "org_01").await,
            "organization" => webhook.delete_organization("org_01").await,
            "user" => webhook.delete_user(&ada).await,
            _ => webhook.delete_membership("user_eve", "org_01").await,
        };
        assert!(!delivery.is_delivered());
        let body = desk.redeem(&desk.digits().await).await.json();
        let want = match way {
            "none" | "another" => json!("org_01"),
            _ => json!(null),
        };
        assert_eq!(body["organization_id"], want, "{way}");
    }
}
