//! Editing the emulator's users, and ordering its faults.

use reqwest::StatusCode;
use serde_json::json;
use tower_magic_link::emulator::{Endpoint, Fault};

use crate::Desk;

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
