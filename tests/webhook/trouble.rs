//! Duplicates, floods, and a store that is down.

use http::StatusCode;
use tower_magic_link::provider::Identity;

use crate::{
    names::ADA,
    site::{SECRET, Site},
};

const DATA: &str = r#"{"id":"conn_1"}"#;

fn ada() -> Identity {
    let ada = Identity::new("prof_ada", ADA.parse().unwrap());
    ada.with_connection(Some("conn_1".to_owned()))
}

#[tokio::test]
async fn a_duplicate_is_acknowledged_and_does_nothing() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    for (number, effect) in ["Ended", "Duplicate", "Duplicate"].into_iter().enumerate() {
        let answer = site.take(&event).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::OK, "{}"),
            "{number}"
        );
        let heard = site.heard();
        assert!(
            heard.contains(effect) && heard.contains(event.id()),
            "{number}: {heard}"
        );
    }
    assert_eq!(
        site.take(&site.webhook().sign_again(&event)).await.status,
        200
    );
    assert_eq!(site.store.revocations(), 1);
    assert_eq!(
        site.take(&site.webhook().event("connection.deleted", DATA))
            .await
            .status,
        200
    );
    assert_eq!(site.store.revocations(), 2, "another event");
}

#[tokio::test]
async fn an_event_that_the_store_does_not_take_is_delivered_again_with_the_same_signature() {
    let site = Site::new();
    let webhook = site.serve().await;
    let cookie = site.sign_in(&ada());
    site.store.refuse(2);
    let delivery = webhook.delete_connection("conn_1").await;
    let (down, up) = (Some(StatusCode::SERVICE_UNAVAILABLE), Some(StatusCode::OK));
    assert_eq!(delivery.answers(), [down, down, up]);
    assert!(!site.is_admitted(&cookie).await);
    let heard = site.heard();
    assert_eq!(heard.matches("NotRecorded").count(), 2, "{heard}");
    assert_eq!(heard.matches("Ended").count(), 1, "{heard}");
}

#[tokio::test]
async fn each_revocation_of_an_event_is_given_whatever_becomes_of_another() {
    let site = Site::new();
    let (by_link, by_code) = (
        ada(),
        Identity::new("user_ada", "ada@old.example".parse().unwrap()),
    );
    let (by_link, by_code) = (site.sign_in(&by_link), site.sign_in(&by_code));
    let data = r#"{"id":"user_ada","email":"ada@example.com"}"#;
    let event = site.webhook().event("user.deleted", data);
    site.store.refuse(1);
    let answer = site.take(&event).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert!(
        answer.text.contains(r#""code":"store_unavailable""#),
        "{}",
        answer.text
    );
    // The store refused the first revocation alone.
    assert!(!site.is_admitted(&by_link).await && site.is_admitted(&by_code).await);
    assert_eq!(site.take(&event).await.status, 200);
    assert!(!site.is_admitted(&by_link).await && !site.is_admitted(&by_code).await);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_none_that_was_done() {
    let site = Site::new();
    let bodies = [
        "",
        "null",
        "[]",
        "{",
        r#"{"id":"1"}"#,
        r#"{"id":"1","event":"connection.deleted","data":{}}"#,
    ];
    for body in bodies {
        let event = site.webhook().event("x", "{}");
        let signature = sign(&site, body);
        for _ in 0..2 {
            let answer = site.post(&signature, body).await;
            assert_eq!(answer.status, 400, "{body}");
            assert!(
                answer.text.contains(r#""code":"malformed""#),
                "{}",
                answer.text
            );
        }
        assert_eq!(site.take(&event).await.status, 200, "{body}");
    }
    assert_eq!(site.store.revocations(), 0);
}

/// Pins: such an event was refused, and nothing but a line for debugging said so.
#[tokio::test]
async fn a_signed_event_that_lacks_the_id_of_what_it_ends_is_reported_by_its_own() {
    let site = Site::new();
    let cases = [
        ("connection.deleted", "{}"),
        (
            "organization_membership.deleted",
            r#"{"user_id":"user_ada"}"#,
        ),
        ("user.deleted", r#"{"email":"ada@example.com"}"#),
    ];
    for (name, data) in cases {
        let event = site.webhook().event(name, data);
        // WorkOS delivers it again.
        for _ in 0..2 {
            assert_eq!(site.take(&event).await.status, 400, "{name}");
            let heard = site.heard();
            let want = format!(
                "WebhookReceived {{ id: {:?}, name: {name:?}, effect: NotRecorded }}",
                event.id()
            );
            assert!(heard.contains(&want), "{name}: {heard}");
        }
    }
    // Without a name of its own there is nothing to report it by.
    let body = r#"{"id":"event_1"}"#;
    let answer = site.post(&sign(&site, body), body).await;
    assert_eq!(answer.status, 400);
    let heard = site.heard();
    assert!(heard.contains("Refused { kind: Malformed }"), "{heard}");
    assert!(!heard.contains("WebhookReceived"), "{heard}");
    assert_eq!(site.store.revocations(), 0);
}

/// Signs any body: the emulator signs `prefix + body`, so the test takes the MAC by itself.
fn sign(site: &Site, body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    use tower_magic_link::clock::Clock;
    let time = site.clock.now().as_secs() * 1_000;
    let mac: Hmac<sha2::Sha256> = Hmac::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac
        .chain_update(format!("{time}.{body}"))
        .finalize()
        .into_bytes();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time}, v1={hex}")
}

#[tokio::test]
async fn a_flood_of_bad_signatures_never_reaches_the_store() {
    let site = Site::new();
    let cookie = site.sign_in(&ada());
    let good = site.webhook().event("connection.deleted", DATA);
    let stranger = site.workos.webhook("http://127.0.0.1:1", "another secret");
    for number in 0..2_000 {
        let event = stranger.event("connection.deleted", DATA);
        let answer = match number % 3 {
            0 => site.take(&event).await,
            1 => site.post(good.signature(), event.body()).await,
            _ => site.post("", event.body()).await,
        };
        assert_eq!(answer.status, 400);
        assert!(
            answer.text.contains(r#""code":"webhook_signature""#),
            "{}",
            answer.text
        );
    }
    assert_eq!(site.store.revocations(), 0);
    assert!(!site.heard().contains("WebhookReceived"));
    assert!(site.is_admitted(&cookie).await);
    assert_eq!(site.take(&good).await.status, 200);
    assert!(!site.is_admitted(&cookie).await);
}

#[tokio::test]
async fn a_secret_is_replaced_without_losing_an_event() {
    let site = Site::with(|builder| {
        builder
            .webhook_secret("secret-before")
            .webhook_secret("secret-now")
    });
    for (secret, status) in [
        ("secret-before", 200),
        ("secret-now", 200),
        ("secret-of-nobody", 400),
    ] {
        let webhook = site.workos.webhook("http://127.0.0.1:1", secret);
        let answer = site.take(&webhook.event("connection.deleted", DATA)).await;
        assert_eq!(answer.status, status, "{secret}");
    }
    let printed = format!("{:?}", site.layer);
    assert!(!printed.contains("secret-"), "{printed}");
}

/// Pins: after a clock that was an hour ahead was set right, each event was too old.
#[tokio::test]
async fn an_event_is_taken_after_a_clock_that_was_ahead_is_set_right() {
    use tower_magic_link::clock::Clock;
    let site = Site::new();
    let right = site.clock.now();
    let hour = std::time::Duration::from_secs(3_600);
    site.clock.advance(hour);
    site.sign_in(&ada());
    site.clock.set(right);
    let before = site.sign_in(&ada());
    let event = site.webhook().event("connection.deleted", DATA);
    assert_eq!(site.take(&event).await.status, 200);
    assert!(!site.is_admitted(&before).await);
    site.clock.advance(2 * std::time::Duration::from_secs(60));
    let after = site.sign_in(&ada());
    assert!(site.is_admitted(&after).await, "it began after the event");
}
