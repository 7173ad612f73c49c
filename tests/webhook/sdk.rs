//! The official Python SDK as the other end: what it signs is good here, what the emulator signs is
//! good there, and what either refuses the other refuses.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use tower_magic_link::{clock::Clock, emulator::EmulatedUser};

use crate::{
    names::ADA,
    site::{SECRET, Site},
};

const DATA: &str = r#"{"id":"conn_1","name":"ünïcode 😀 \u0000"}"#;

type Question<'q> = (&'q str, &'q str, &'q str, &'q str);

/// Asks `sdk.py`: what, with which secret, with which time or signature, of which body.
fn sdk(questions: &[Question<'_>]) -> Vec<String> {
    let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhook/sdk.py");
    let mut child = Command::new(python)
        .args(["-W", "ignore", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for question in questions {
        writeln!(stdin, "{}", serde_json::to_string(question).unwrap()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{questions:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "{text}");
    answers
}

#[tokio::test]
#[ignore = "needs Python with workos; run by tests/run"]
async fn what_the_sdk_signs_is_good_here() {
    let site = Site::new();
    let time = (site.clock.now().as_secs() * 1_000).to_string();
    let bodies = [
        format!(r#"{{"id":"event_0","event":"connection.deleted","data":{DATA}}}"#),
        format!(" {{\"id\":\"evt_1\",\r\n\"event\":\"user.updated\",\"data\":{DATA}}}\n"),
    ];
    for body in &bodies {
        let signatures = sdk(&[
            ("sign", SECRET, &time, body),
            ("sign", "another secret", &time, body),
        ]);
        assert_eq!(site.post(&signatures[1], body).await.status, 400, "{body}");
        assert_eq!(site.post(&signatures[0], body).await.status, 200, "{body}");
    }
    assert_eq!(site.store.revocations(), 1);
}

#[tokio::test]
#[ignore = "needs Python with workos; run by tests/run"]
async fn what_the_emulator_signs_is_good_there_and_altered_it_is_not_in_either() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    let (good, body) = (event.signature().to_owned(), event.body().to_owned());
    let time = site.clock.now().as_secs();
    let mac = good[good.find("v1=").unwrap()..].to_owned();
    let cases = [
        ("other body", good.clone(), body.replace("conn_1", "conn_2")),
        ("a blank behind", good.clone(), format!("{body} ")),
        (
            "other time",
            format!("t={}, {mac}", time * 1_000 + 1),
            body.clone(),
        ),
        ("in seconds", format!("t={time}, {mac}"), body.clone()),
        (
            "other MAC",
            good.replace("v1=", "v1=0")[..good.len()].to_owned(),
            body.clone(),
        ),
        (
            "upper-case hex",
            format!("t={}, v1={}", time * 1_000, mac[3..].to_uppercase()),
            body.clone(),
        ),
        ("no space", good.replace(", ", ","), body.clone()),
        ("v2 added", format!("{good}, v2=00"), body.clone()),
        ("two v1", format!("{good}, {mac}"), body.clone()),
        ("nothing", String::new(), body.clone()),
        ("as it was signed", good, body),
    ];
    let questions: Vec<_> = cases
        .iter()
        .map(|(_, signature, body)| ("verify", SECRET, signature.as_str(), body.as_str()))
        .collect();
    for ((name, signature, body), theirs) in cases.iter().zip(sdk(&questions)) {
        let ours = site.post(signature, body).await.status;
        let want = match *name {
            "as it was signed" => ("good", 200),
            _ => ("bad", 400),
        };
        assert_eq!((theirs.as_str(), ours.as_u16()), want, "{name}");
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
    let ada = ADA;
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
    let mut sent = Vec::new();
    for (kind, delivery) in deliveries {
        assert!(delivery.is_delivered(), "{kind}: {delivery:?}");
        sent.push((kind, receiver.recv().await.unwrap()));
    }
    let questions: Vec<_> = sent
        .iter()
        .map(|(_, (signature, body))| ("read", SECRET, signature.as_str(), body.as_str()))
        .collect();
    for ((kind, (_, body)), read) in sent.iter().zip(sdk(&questions)) {
        assert_eq!(read, *kind, "{body}");
    }
}
