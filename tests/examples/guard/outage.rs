//! What the guard does while the servers that it needs are away: it starts, and says so.

use std::fs::File;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Scratch, admin_of, guard, logs};
use crate::program::Program;

/// Nobody listens at port 1.
const AWAY: [&str; 8] = [
    "--upstream=http://127.0.0.1:1",
    "--port=0",
    "--admin-listen=127.0.0.1:0",
    "--public-url=http://127.0.0.1:3000",
    "--workos-base-url=http://127.0.0.1:1",
    "--mailer=smtp",
    "--smtp-url=smtp://127.0.0.1:1",
    "--smtp-from=sign-in@example.com",
];

const SECRETS: [(&str, &str); 4] = [
    ("WORKOS_API_KEY", "sk_hunter2"),
    ("WORKOS_CLIENT_ID", "client_1"),
    ("MAGIC_LINK_SMTP_PASSWORD", "hunter2"),
    ("MAGIC_LINK_REDIS_PASSWORD", "hunter2"),
];

async fn ask(url: String) -> (u16, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// WorkOS, the mail server and the service at once: nobody who is signed in needs the first two,
/// and no other guard would reach the third.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_all_but_the_store_neither_keeps_it_from_starting_nor_makes_it_unready() {
    let log = Scratch::new("outage-log", "");
    let mut command = guard(&[&AWAY[..], &["--smtp-user=ada"]].concat());
    command
        .envs(SECRETS)
        .env_remove("MAGIC_LINK_REDIS_PASSWORD")
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    let admin = admin_of(&log);
    let ready = (200, "ready\n".to_owned());
    assert_eq!(ask(format!("{admin}/readyz")).await, ready);
    let form = reqwest::get(format!("{origin}/auth/login")).await.unwrap();
    assert_eq!(form.status(), 200);
    let text = logs(&log, "self-test: failed       mailer").await;
    for want in [
        "ERROR guard: self-test: failed       provider: ",
        "ERROR guard: self-test: failed       mailer: ",
        "WARN guard: self-test: not checked  keys: made up",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(ask(format!("{admin}/readyz")).await, ready);
}

/// Redis too. The probe names it alone, a change is logged once, and no secret is in either.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_store_makes_it_unready_by_name_and_is_logged_once() {
    let log = Scratch::new("store-log", "");
    let more = [
        "--smtp-user=ada",
        "--redis-url=redis://127.0.0.1:1",
        "--redis-user=ada",
    ];
    let mut command = guard(&[&AWAY[..], &more].concat());
    command
        .envs(SECRETS)
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    program.says("listening on ");
    let admin = admin_of(&log);
    for _ in 0..5 {
        let (status, text) = ask(format!("{admin}/readyz")).await;
        assert_eq!(status, 503);
        assert_eq!(text, "not ready\nrevocation store: loading, 0 of 0\n");
    }
    assert_eq!(ask(format!("{admin}/healthz")).await.0, 200);
    let text = logs(&log, "self-test: failed       throttle").await;
    assert!(
        text.contains("self-test: failed       revocation store"),
        "{text}"
    );
    assert_eq!(text.matches("guard: not ready").count(), 1, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

/// Pinned: the client got a 502, and the log had nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_switches_unasked_is_an_error_in_the_log() {
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let log = Scratch::new("switch-log", "");
    let flags = [
        &format!("--upstream=http://{}", service.local_addr().unwrap()),
        "--port=0",
        "--public-path=/switch",
    ];
    let mut command = guard(&flags);
    let mut program = Program::start(command.stderr(File::create(log.path()).unwrap()));
    let origin = program.says("listening on ");
    let switches = async {
        let (mut stream, _) = service.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 4_096]).await.unwrap(), 0);
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: hunter2\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
    };
    let (_stream, (status, _)) = tokio::join!(switches, ask(format!("{origin}/switch")));
    assert_eq!(status, 502);
    let text = logs(&log, "the service failed: ").await;
    let why = "ERROR guard: the service failed: it switches to a protocol that nobody asked for";
    assert!(text.contains(why), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
