//! The layer's own mail: what it says of the application and to whom, and its settings.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;
use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    mailer::{ConsoleMailer, Mail, MailError, Mailer},
    testing::StubProvider,
};

use crate::{
    names::{ADA, ORIGIN},
    support::World,
};

/// What a mail said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    application: Option<String>,
    language: Option<String>,
    sent_at: u64,
    expires_at: u64,
    subject: String,
}

#[derive(Clone, Default)]
struct Reader(Arc<Mutex<Vec<Said>>>);

impl Mailer for Reader {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        assert_eq!(mail.to().as_str(), ADA);
        assert!(mail.text().contains(mail.link().unwrap().expose()));
        self.0.lock().unwrap().push(Said {
            application: mail.application().map(str::to_owned),
            language: mail.language().map(str::to_owned),
            sent_at: mail.sent_at().as_secs(),
            expires_at: mail.expires_at().as_secs(),
            subject: mail.subject(),
        });
        Ok(())
    }
}

#[tokio::test]
async fn a_mail_knows_the_application_the_language_and_its_times() {
    let reader = Reader::default();
    let world = World::with(|builder| {
        builder
            .mailer(reader.clone())
            .application_name("Acme")
            .link_lifetime(Duration::from_secs(3_600))
    })
    .await;
    let form = world.browser().get("/auth/login").await.text();
    assert!(form.contains("<title>Sign in · Acme</title>"), "{form}");
    let cases = [
        ("de-AT, de;q=0.9", Some("de-AT")),
        ("*", None),
        ("../../secret", None),
    ];
    for (accepted, language) in cases {
        let request = Request::post("/auth/login")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept-language", accepted)
            .body(format!("email={ADA}").into())
            .unwrap();
        assert_eq!(world.browser().send(request).await.status(), 303);
        let said = reader.0.lock().unwrap().pop().unwrap();
        // Where `ManualClock` stands: 2026-01-01T00:00:00Z.
        let now = Timestamp::from_secs(1_767_225_600).as_secs();
        let want = Said {
            application: Some("Acme".to_owned()),
            language: language.map(str::to_owned),
            sent_at: now,
            expires_at: now + 3_600,
            subject: "Sign in to Acme".to_owned(),
        };
        assert_eq!(said, want, "{accepted}");
    }
}

fn build(configure: impl FnOnce(Builder) -> Builder) -> Result<MagicLinkLayer, ConfigError> {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
    configure(builder.mailer(ConsoleMailer::new())).build()
}

#[test]
fn a_name_that_cannot_stand_in_a_subject_is_an_error() {
    let (longest, too_long) = ("ü".repeat(80), "ü".repeat(81));
    let cases = [
        ("Acme", true),
        ("Acme & Söhne – 漢字", true),
        (longest.as_str(), true),
        (too_long.as_str(), false),
        ("", false),
        (" Acme", false),
        ("Acme\r\nBcc: eve@example.com", false),
        ("Acme\0", false),
    ];
    for (name, is_good) in cases {
        let built = build(|builder| builder.application_name(name));
        assert_eq!(built.is_ok(), is_good, "{name:?}");
        if let Err(error) = built {
            assert_eq!(error.setting(), "application_name", "{name:?}");
        }
    }
}

#[test]
fn a_mailer_is_waited_for_a_minute_at_most() {
    let cases = [(0, false), (1, true), (60_000, true), (60_001, false)];
    for (millis, is_good) in cases {
        let timeout = Duration::from_millis(millis);
        let built = build(|builder| builder.mailer_timeout(timeout));
        assert_eq!(built.is_ok(), is_good, "{millis} ms");
        if let Err(error) = built {
            assert_eq!(error.setting(), "mailer_timeout", "{millis} ms");
        }
    }
}
