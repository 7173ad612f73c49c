//! The self-test at start-up: each line passes and fails, and no line holds a secret.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    check::{Line, Outcome, Report},
    clock::Timestamp,
    emulator::{Emulator, Endpoint, Fault},
    keys::RetiredKey,
    mailer::{ConsoleMailer, Mail, MailError, Mailer},
    provider::{MailedLinks, TwoProviders},
    revocation::Standing,
    sessions::MemorySessions,
    testing::{ManualClock, StubProvider},
    workos::WorkOs,
};

use crate::{names::ORIGIN, port::free_port};

const KEY: &str = "sk_test_s3cret";
const CLIENT: &str = "client_01EXAMPLE";
const TAKES: &str = "provider: WorkOS takes the API key and the client id";
const CLOCK: &str = "provider: this machine's clock agrees with WorkOS's";

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap().with_id("2026").unwrap())
}

fn workos(key: &str, base: &str) -> WorkOs {
    WorkOs::new(key, CLIENT).unwrap().base_url(base).unwrap()
}

fn line<'a>(report: &'a Report, what: &str) -> &'a Line {
    let mut lines = report.lines().iter();
    let line = lines.find(|line| line.what() == what);
    line.unwrap_or_else(|| panic!("{what} in {report}"))
}

/// Makes sure of one line, and that none shows the key.
fn assert_line(name: &str, report: &Report, what: &str, want: &str) {
    let line = line(report, what).to_string();
    assert!(line.contains(want), "{name}: {line}");
    assert!(!report.to_string().contains("s3cret"), "{name}: {report}");
}

async fn check(key: &str, base: &str) -> Report {
    let builder = MagicLinkLayer::builder(workos(key, base), keys());
    builder.public_url(ORIGIN).build().unwrap().check().await
}

#[tokio::test]
async fn good_credentials_pass_and_the_code_of_the_self_test_signs_nobody_in() {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    let report = check(KEY, server.base_url()).await;
    assert!(report.is_ok(), "{report}");
    let what: Vec<_> = report.lines().iter().map(Line::what).collect();
    let want = [
        "keys: 2026 (HS256) signs and verifies",
        TAKES,
        CLOCK,
        "mailer",
        "revocation store: memory",
        "throttle: memory",
    ];
    assert_eq!(what, want);
    for passed in [want[0], TAKES, CLOCK] {
        assert_eq!(
            line(&report, passed).outcome(),
            &Outcome::Passed,
            "{report}"
        );
    }
    for unknown in [want[3], want[4], want[5]] {
        let outcome = line(&report, unknown).outcome();
        assert!(matches!(outcome, Outcome::NotChecked { .. }), "{report}");
    }
    assert_eq!(report.to_string().lines().count(), want.len());
    assert!(emulator.outbox().is_empty(), "no mail");
    assert_eq!(emulator.requests().len(), 1, "one request");
}

#[tokio::test]
async fn credentials_that_workos_does_not_take_and_an_outage_have_failed() {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    let base = server.base_url();
    let wrong = check("s3cret_of_another_kind", base).await;
    assert!(!wrong.is_ok());
    let want = "(400, invalid_client); copy both from API Keys in WorkOS's dashboard";
    assert_line("the key", &wrong, TAKES, want);
    assert_eq!(line(&wrong, CLOCK).outcome(), &Outcome::Passed, "{wrong}");

    let json = |status: u16, body: &str| Fault::Answer {
        status: status.try_into().unwrap(),
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
    };
    let cases = [
        (
            "the client id",
            Fault::oauth_refusal("unauthorized_client"),
            "copy both from API Keys",
        ),
        ("unauthorized", json(401, "{}"), "copy both from API Keys"),
        (
            "an outage",
            json(503, ""),
            "not available (503); see whether http://127.0.0.1",
        ),
        (
            "a page",
            json(200, "<html>"),
            "a made-up code was accepted: this is not WorkOS",
        ),
        (
            "a redirect",
            Fault::Redirect("https://x".to_owned()),
            "invalid answer (302); see what",
        ),
        (
            "a lost connection",
            Fault::Cut,
            "not available; see whether http://127.0.0.1",
        ),
    ];
    for (name, fault, want) in cases {
        emulator.order(Endpoint::Token, fault);
        let report = check(KEY, base).await;
        assert!(line(&report, TAKES).has_failed(), "{name}: {report}");
        assert_line(name, &report, TAKES, want);
    }
    emulator.order(Endpoint::Token, Fault::RateLimited(Duration::from_secs(9)));
    let limited = check(KEY, base).await;
    assert!(limited.is_ok(), "one request only: {limited}");
    assert_line("limited", &limited, TAKES, "not checked");
    drop(server);
    let (port, _held) = free_port();
    let gone = check(KEY, &format!("http://127.0.0.1:{port}")).await;
    assert_line("gone", &gone, TAKES, "not available");
    assert_line("gone", &gone, CLOCK, "not checked");
}

/// Pins: a refusal of the code's form passed. WorkOS may say so before it looks at the key.
#[tokio::test]
async fn only_invalid_grant_shows_that_the_credentials_are_good() {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    let fields = r#"{"message":"Validation failed","code":"invalid_request_parameters",
        "errors":[{"field":"code","code":"too_long"}]}"#;
    for (status, body, want) in [
        (422_u16, fields, "not checked"),
        (400, r#"{"errors":["code is too long"]}"#, "not checked"),
        (400, r#"{"error":"invalid_grant"}"#, "passed"),
    ] {
        let fault = Fault::Answer {
            status: status.try_into().unwrap(),
            content_type: "application/json".to_owned(),
            body: body.to_owned(),
        };
        emulator.order(Endpoint::Token, fault);
        let report = check(KEY, server.base_url()).await;
        assert!(report.is_ok(), "{status}: {report}");
        assert_line(body, &report, TAKES, want);
        if body == fields {
            let problem = "used, expired or unknown (422, invalid_request_parameters)";
            assert_line(body, &report, TAKES, problem);
        }
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_by_its_own_limit() {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    emulator.order(Endpoint::Token, Fault::Hang);
    let workos = workos(KEY, server.base_url()).timeout(Duration::from_millis(50));
    let builder = MagicLinkLayer::builder(workos.unwrap(), keys()).public_url(ORIGIN);
    let report = builder.build().unwrap().check().await;
    assert_line(
        "late",
        &report,
        TAKES,
        "no answer in time; see whether http://127.0.0.1",
    );
}

#[tokio::test]
async fn a_clock_that_differs_from_that_of_workos_has_failed() {
    let server = Emulator::new().serve(0).await.unwrap();
    for (year, secs, want) in [
        (1970, 86_400, "behind WorkOS's"),
        (2286, 9_999_999_999, "ahead of"),
    ] {
        let builder = MagicLinkLayer::builder(workos(KEY, server.base_url()), keys())
            .public_url(ORIGIN)
            .clock(ManualClock::at(Timestamp::from_secs(secs)));
        let report = builder.build().unwrap().check().await;
        assert!(line(&report, CLOCK).has_failed(), "{year}: {report}");
        assert_line("the year", &report, CLOCK, want);
        assert_line(
            "the cure",
            &report,
            CLOCK,
            "; have both synchronised by NTP",
        );
    }
}

#[tokio::test]
async fn each_of_two_providers_has_its_own_lines() {
    let server = Emulator::new().serve(0).await.unwrap();
    let both = TwoProviders::new(workos(KEY, server.base_url()), MailedLinks::new());
    let stub = TwoProviders::new(StubProvider::new(), both).named("stub", "both");
    let builder = MagicLinkLayer::builder(stub, keys()).public_url(ORIGIN);
    let report = builder
        .mailer(ConsoleMailer::new())
        .build()
        .unwrap()
        .check()
        .await;
    for (what, want) in [
        ("provider: stub", "it has no check of its own"),
        (
            "provider: both: primary: WorkOS takes the API key and the client id",
            "passed",
        ),
        (
            "provider: both: fallback: the layer's own links",
            "nobody but the mailer",
        ),
        ("mailer: the console", "for development only"),
    ] {
        assert_line("two", &report, what, want);
    }
}

/// A mailer that cannot send, and says so.
struct Full;

impl Mailer for Full {
    async fn send(&self, _: &Mail<'_>) -> Result<(), MailError> {
        Err(MailError::because("full"))
    }

    async fn check(&self, now: Timestamp) -> Vec<Line> {
        let problem = format!("it is full since {}", now.as_secs());
        vec![
            Line::passed("it is there"),
            Line::failed("it sends", problem, "empty it"),
        ]
    }
}

/// A mailer without a check.
struct Plain;

impl Mailer for Plain {
    async fn send(&self, _: &Mail<'_>) -> Result<(), MailError> {
        Ok(())
    }
}

#[tokio::test]
async fn ports_of_ones_own_say_what_they_found_or_were_not_checked() {
    let builder = || {
        MagicLinkLayer::builder(StubProvider::new(), keys())
            .public_url(ORIGIN)
            .clock(ManualClock::at(Timestamp::from_secs(1_800_000_000)))
            .revocations(async |_| Standing::Active)
            .session_index(MemorySessions::default())
    };
    let report = builder().mailer(Full).build().unwrap().check().await;
    assert!(!report.is_ok());
    assert_line("own", &report, "mailer: it is there", "passed");
    let want = "failed       mailer: it sends: it is full since 1800000000; empty it";
    assert_line("own", &report, "mailer: it sends", want);
    assert_line("own", &report, "revocation store: a closure", "not checked");
    assert_line("own", &report, "session index: memory", "not checked");
    let report = builder().mailer(Plain).build().unwrap().check().await;
    assert_line(
        "plain",
        &report,
        "mailer",
        "not checked  mailer: it has no check of its own",
    );
    assert_line("plain", &report, "provider", "it has no check of its own");
    assert!(report.is_ok());
}

#[tokio::test]
async fn the_end_of_a_retired_key_is_measured_by_the_longest_session() {
    let now = Timestamp::from_secs(1_800_000_000);
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let report = async |end: Timestamp| {
        let old = SigningKey::generate_ed25519()
            .unwrap()
            .with_id("2025")
            .unwrap();
        let keys = keys()
            .retire(RetiredKey::new(old).since(now).until(end))
            .unwrap();
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .clock(ManualClock::at(now))
            .session_lifetime(hours(12));
        builder.build().unwrap().check().await
    };
    let what = "keys: 2025 (EdDSA) signs and verifies";
    let good = report(now + hours(12)).await;
    assert_line("long enough", &good, what, "passed");
    let short = report(now + hours(10)).await;
    assert_line(
        "too short",
        &short,
        what,
        "it ends 2 hours before the last session",
    );
    assert!(!short.is_ok());
}
