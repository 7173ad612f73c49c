//! The official Python SDK as the other end: what it signs is good here, what the emulator signs is good there, and what either
//! refuses the other refuses.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use tower_magic_link::{Clock, emulator::EmulatedUser};

use crate::site::{SECRET, Site};

const DATA: &str = r#"{"id":"conn_1","name":"ünïcode 😀 \u0000"}"#;

/// Asks `sdk.py`, which answers with one line.
fn sdk(arguments: &[&str], body: &str) -> String {
    let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut child = Command::new(python)
        .args([
            "-W",
            "ignore",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhook/sdk.py"),
        ])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(body.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
#[ignore = "needs Python with workos; run by tests/run"]
async fn what_the_sdk_signs_is_good_here() {
    let site = Site::new();
    let time = (site.clock.now().as_secs() * 1_000).to_string();
    for (number, body) in [
        format!(r#"{{"id":"event_0","event":"connection.deleted","data":{DATA}}}"#),
        format!(" {{\"id\":\"evt_1\",\r\n\"event\":\"user.updated\",\"data\":{DATA}}}\n"),
    ]
    .iter()
    .enumerate()
    {
        let signature = sdk(&["sign", SECRET, &time], body);
        assert_eq!(site.post(&signature, body).await.status, 200, "{number}");
        let other = sdk(&["sign", "another secret", &time], body);
        assert_eq!(site.post(&other, body).await.status, 400, "{number}");
    }
    assert_eq!(site.store.orders(), 1);
}

#[tokio::test]
#[ignore = "needs Python with workos; run by tests/run"]
async fn what_the_emulator_signs_is_good_there_and_altered_it_is_not_in_either() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    let (good, body) = (event.signature(), event.body());
    assert_eq!(sdk(&["verify", SECRET, good], body), "good");
    let time = site.clock.now().as_secs();
    let mac = &good[good.find("v1=").unwrap()..];
    let cases = [
        (
            "other body",
            good.to_owned(),
            body.replace("conn_1", "conn_2"),
        ),
        ("body with a blank", good.to_owned(), format!("{body} ")),
        (
            "other time",
            format!("t={}, {mac}", time * 1_000 + 1),
            body.to_owned(),
        ),
        ("in seconds", format!("t={time}, {mac}"), body.to_owned()),
        (
            "other MAC",
            good.replace("v1=", "v1=0")
                .split_at(good.len())
                .0
                .to_owned(),
            body.to_owned(),
        ),
        (
            "upper-case",
            good.to_uppercase()
                .replace("T=", "t=")
                .replace("V1=", "v1="),
            body.to_owned(),
        ),
        ("no space", good.replace(", ", ","), body.to_owned()),
        ("v2 added", format!("{good}, v2=00"), body.to_owned()),
        ("two v1", format!("{good}, {mac}"), body.to_owned()),
        ("nothing", String::new(), body.to_owned()),
    ];
    for (name, signature, body) in cases {
        assert_eq!(sdk(&["verify", SECRET, &signature], &body), "bad", "{name}");
        assert_eq!(site.post(&signature, &body).await.status, 400, "{name}");
    }
}

/// The SDK's types are strict: what it reads has every field that WorkOS's specification asks for.
#[tokio::test]
#[ignore = "needs Python with workos; run by tests/run"]
async fn the_sdk_reads_the_emulators_events() {
    let site = Site::new();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let app = axum::Router::new().fallback(async move |headers: http::HeaderMap, body: String| {
        let signature = headers["workos-signature"].to_str().unwrap().to_owned();
        sender.send((signature, body)).unwrap();
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let webhook = site.workos.webhook(url, SECRET).with_repetitions(0);
    let ada = "ada@example.com";
    let deliveries = [
        (
            "ConnectionDeactivated",
            webhook.deactivate_connection("conn_1").await,
        ),
        (
            "ConnectionDeleted",
            webhook.delete_connection("conn_1").await,
        ),
        (
            "OrganizationDeleted",
            webhook.delete_organization("org_1").await,
        ),
        (
            "UserDeleted",
            webhook.delete_user(&EmulatedUser::of(ada)).await,
        ),
        ("DsyncUserDeleted", webhook.delete_directory_user(ada).await),
        (
            "DsyncUserUpdated",
            webhook.update_directory_user(ada, "inactive").await,
        ),
        (
            "OrganizationMembershipDeleted",
            webhook.delete_membership("user_1", "org_1").await,
        ),
        (
            "SessionRevoked",
            webhook.revoke_session("session_1", "user_1").await,
        ),
    ];
    for (kind, delivery) in deliveries {
        assert!(delivery.is_delivered(), "{kind}: {delivery:?}");
        let (signature, body) = receiver.recv().await.unwrap();
        assert_eq!(sdk(&["read", SECRET, &signature], &body), kind, "{body}");
    }
}
