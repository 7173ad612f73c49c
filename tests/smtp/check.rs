//! The self-test of the mailer: a conversation as for a mail, with none.

use std::{sync::atomic::Ordering, time::Duration};

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey, check::Report, mailer::SmtpMailer, testing::StubProvider,
};

use crate::{
    names::ORIGIN,
    postbox::{Postbox, SENDER},
    redis::free_port,
    row::{Row, Value},
    scripted::{Mood, Scripted},
};

async fn check(mailer: SmtpMailer) -> Report {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
    builder.mailer(mailer).build().unwrap().check().await
}

/// Makes sure of the mailer's line, and that none shows the password.
fn assert_says(name: &str, report: &Report, want: &str) {
    let line = report
        .lines()
        .iter()
        .find(|line| line.what().starts_with("mailer"));
    let line = line.unwrap().to_string();
    assert!(line.contains(want), "{name}: {line}");
    assert!(
        !line.contains("hunter2") && !line.contains("ada"),
        "{name}: {line}"
    );
}

fn mailer(server: &Scripted, login: &str) -> SmtpMailer {
    SmtpMailer::new(format!("smtp://{login}{}", server.address), SENDER).unwrap()
}

#[tokio::test]
async fn a_mail_server_that_greets_passes_and_gets_no_mail() {
    let server = Scripted::start(Mood::Good).await;
    let report = check(mailer(&server, "")).await;
    assert_says("good", &report, "passed       mailer: the SMTP greeting");
    assert!(report.is_ok());
    // It does not wait for an answer to its goodbye.
    let closed = async {
        while server.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(10), closed).await;
    closed.expect("a connection that was closed");
    let heard: Vec<String> = server.heard.lock().unwrap().concat();
    let verbs: Vec<_> = heard
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(verbs, ["EHLO", "QUIT"]);
}

#[tokio::test]
async fn a_mail_server_that_fails_is_told_with_what_to_do() {
    let cases = [
        (
            "busy",
            Mood::Busy,
            "",
            "no connection to the mail server (421); check the host",
        ),
        (
            "no mail server",
            Mood::Nonsense,
            "",
            "sent no valid reply; check the host and the port",
        ),
        (
            "another encoding",
            Mood::Answers("EHLO", b"550 nur f\xfcr G\xe4ste"),
            "",
            "the mail server's reply is not UTF-8; read the reply in the mail server's own log",
        ),
        (
            "the password",
            Mood::Good,
            "ada:hunter2@",
            "refused the sign-in (535); check the user name",
        ),
    ];
    for (name, mood, login, want) in cases {
        let server = Scripted::start(mood).await;
        let report = check(mailer(&server, login)).await;
        assert!(!report.is_ok(), "{name}");
        assert_says(name, &report, want);
    }
    let server = Scripted::start(Mood::Good).await;
    let report = check(mailer(&server, "ada:hunter2@")).await;
    let line = report.lines().iter().find(|line| line.has_failed());
    let row = Row {
        name: "a password that the mail server refuses",
        read: line.unwrap().to_string(),
        setting: "mailer: the SMTP greeting and sign-in",
        value: Value::Secret("hunter2"),
        cure: "(535); check the user name and the password",
    };
    assert_eq!(row.faults(), [""; 0]);
    // What a server says to the goodbye, or that it says nothing, changes nothing.
    for mood in [Mood::HangsAt("QUIT"), Mood::Answers("QUIT", b"")] {
        let server = Scripted::start(mood).await;
        let good = mailer(&server, "").timeout(Duration::from_secs(1)).unwrap();
        let want = "passed       mailer: the SMTP greeting";
        assert_says("goodbye", &check(good).await, want);
    }
    let server = Scripted::start(Mood::Hangs).await;
    let late = mailer(&server, "").timeout(Duration::from_secs(1)).unwrap();
    assert_says(
        "hangs",
        &check(late).await,
        "took too long; check the host and the port",
    );
    let (port, _held) = free_port();
    let nobody = SmtpMailer::new(format!("smtp://127.0.0.1:{port}"), SENDER).unwrap();
    assert_says(
        "nobody",
        &check(nobody).await,
        "or it was lost; check the host and the port",
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn a_real_mail_server_takes_the_password_or_does_not_and_shows_its_certificate() {
    for (tls, scheme) in [("starttls", "smtp+starttls"), ("wrapped", "smtps")] {
        let server = Postbox::start(tls, "localhost", Some("ada:hunter2"));
        let good = check(server.mailer(scheme, "ada:hunter2@")).await;
        let want = "passed       mailer: the SMTP greeting over TLS, and sign-in";
        assert_says(scheme, &good, want);
        let wrong = check(server.mailer(scheme, "ada:hunter22@")).await;
        assert_says(
            scheme,
            &wrong,
            "the mail server refused the sign-in (535); check the user",
        );
        let stranger = SmtpMailer::new(server.url(scheme, "ada:hunter2@"), SENDER).unwrap();
        let want = "the mail server's TLS or certificate is invalid; check the host";
        assert_says(scheme, &check(stranger).await, want);
    }
    let plain = Postbox::start("none", "localhost", None);
    let want = "the mail server offers no STARTTLS; use smtps://";
    assert_says(
        "plain",
        &check(plain.mailer("smtp+starttls", "")).await,
        want,
    );
}
