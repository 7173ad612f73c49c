//! The net itself: a secret that is put out on purpose is found, whatever it is and wherever it
//! stands, and what looks like one is not taken for it.

use std::collections::BTreeSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tower_magic_link::provider::Identity;

use crate::{
    names::ADA,
    net::{Leak, Source},
    secrets::{Kind, Secrets},
    support::Answer,
    walk::Walk,
    walks,
};

/// Walks as far as there is a secret of each kind.
async fn walked() -> Walk {
    let walk = Walk::new().await;
    walks::links::all(&walk).await;
    walks::choices::all(&walk).await;
    walks::client::all(&walk).await;
    for (kind, secret) in [
        (Kind::RedisPassword, "redis-hunter2-of-the-checker"),
        (Kind::SmtpPassword, "smtp-hunter2-of-the-checker"),
        (Kind::WebhookSecret, "whsec_of_the_checker"),
    ] {
        walk.secrets.add(kind, secret);
    }
    let leaks = walk.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
    walk
}

/// Returns a secret of a kind, as a program has it.
fn text_of(secrets: &Secrets, kind: Kind) -> String {
    let secret = secrets.of(kind).remove(0);
    String::from_utf8(secret).unwrap_or_else(|error| STANDARD.encode(error.as_bytes()))
}

#[tokio::test]
async fn a_secret_of_each_kind_is_found_wherever_it_is_put_out() {
    let walk = walked().await;
    let mut put_out = BTreeSet::new();
    for kind in Kind::ALL {
        let secret = text_of(&walk.secrets, kind);
        let answer = |fields: &[(&str, &str)], body: &str| {
            let mut response = http::Response::builder().status(303);
            for (name, value) in fields {
                response = response.header(*name, *value);
            }
            let (head, ()) = response.body(()).unwrap().into_parts();
            let body = body.to_owned().into();
            Answer { head, body }
        };
        // Each by the way that a real one would take.
        tracing::trace!(target: "tower_magic_link", field = %secret, "leaks");
        tracing::info_span!(target: "a_span", "leaks", field = secret);
        let span =
            tracing::trace_span!(target: "recorded_later", "leaks", field = tracing::field::Empty);
        span.record("field", &secret);
        log::trace!(target: "a_library", "leaks {secret:?}");
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("leaks_total", "label" => secret.clone()).increment(1);
        });
        walk.count(&recorder.handle());
        walk.fail(&std::io::Error::other(secret.clone()));
        walk.fail(&tower_magic_link::store::StoreError::unavailable(
            secret.clone(),
        ));
        walk.show(&Some(&secret));
        walk.say(&secret);
        let target = "/auth/check";
        let to = format!("/reports?x={}", secret.replace(['\n', ' '], ""));
        walk.watch(target, &answer(&[("location", &to)], ""));
        walk.watch(
            target,
            &answer(&[("x-leak", &secret.replace('\n', ""))], ""),
        );
        let page = format!("<p>{}</p>", secret.replace(['<', '&'], ""));
        walk.watch(
            target,
            &answer(&[("content-type", "text/html; charset=utf-8")], &page),
        );
        let problem = serde_json::json!({ "detail": secret }).to_string();
        walk.watch(
            target,
            &answer(&[("content-type", "application/problem+json")], &problem),
        );
        walk.put(&Source::Event, format!("{secret:?}"));
        for source in [
            Source::Error,
            Source::Event,
            Source::Header,
            Source::Location,
            Source::Log("tower_magic_link".to_owned()),
            Source::Log("a_span".to_owned()),
            Source::Log("recorded_later".to_owned()),
            Source::Log("a_library".to_owned()),
            Source::Metric,
            Source::Page,
            Source::Problem,
            Source::Shown,
        ] {
            put_out.insert((kind, source));
        }
    }
    let found: BTreeSet<_> = walk
        .leaks()
        .into_iter()
        .map(|leak| (leak.kind, leak.source))
        .collect();
    let missed: Vec<_> = put_out.difference(&found).collect();
    // What must stand on a page, or in a problem.
    let allowed = [
        (Kind::Address, Source::Page),
        (Kind::Choice, Source::Page),
        (Kind::Choice, Source::Problem),
        (Kind::Letters, Source::Page),
        (Kind::State, Source::Page),
    ];
    assert_eq!(missed, allowed.iter().collect::<Vec<_>>());
}

/// By the listener's own way: the events of a person whose subject or organization the application
/// takes from an address. A subject is masked.
#[tokio::test]
async fn an_organization_that_is_an_address_is_found_in_the_events_and_a_subject_is_not() {
    let walk = Walk::new().await;
    let world = walk.world(|builder| builder).await;
    let subject = Identity::new(ADA, ADA.parse().unwrap());
    let organization = Identity::new("user_1", ADA.parse().unwrap());
    let organization = organization.with_organization(Some(ADA.to_owned()));
    for (identity, is_found) in [(subject, false), (organization, true)] {
        let issuer = world.layer.issuer();
        let issued = issuer.issue(&identity).unwrap();
        issuer.sign_out(issued.session()).await.unwrap();
        let leaks = walk.leaks();
        let is_event = |leak: &Leak| leak.source == Source::Event && leak.kind == Kind::Address;
        assert_eq!(leaks.iter().any(is_event), is_found, "{leaks:?}");
    }
}

#[test]
fn a_secret_is_found_in_every_form_of_a_text() {
    let secrets = Secrets::default();
    let key = *b"\x00\xff\xfe 32 bytes of a signing key \x01\x02";
    secrets.add(Kind::SigningKey, key);
    secrets.add(Kind::Address, "Ada+x@example.com");
    secrets.add(Kind::Code, "424242");
    secrets.add(Kind::Letters, "BCD-FGH");
    secrets.add(Kind::SmtpPassword, "hunter2 \"é\" & more");
    let needles = secrets.needles();
    let login = STANDARD.encode("\0mailer\0hunter2 \"é\" & more");
    let url = URL_SAFE.encode(key);
    let hexadecimal: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
    let found = [
        ("a list of bytes", format!("{key:?}"), Kind::SigningKey),
        ("base64", STANDARD.encode(key), Kind::SigningKey),
        ("base64url", url, Kind::SigningKey),
        ("hexadecimal", hexadecimal, Kind::SigningKey),
        (
            "in other bytes",
            STANDARD.encode([&b"x"[..], &key, b"yz"].concat()),
            Kind::SigningKey,
        ),
        (
            "a query",
            "email=Ada%2Bx%40example.com".to_owned(),
            Kind::Address,
        ),
        (
            "lower case",
            "<ada+x@example.com>".to_owned(),
            Kind::Address,
        ),
        (
            "claims",
            STANDARD.encode(r#"{"email":"ada+x@example.com"}"#),
            Kind::Address,
        ),
        ("digits", "code=424242&x".to_owned(), Kind::Code),
        (
            "digits at the end",
            "the code is 424242.".to_owned(),
            Kind::Code,
        ),
        ("letters as typed", "bcdfgh".to_owned(), Kind::Letters),
        ("SASL PLAIN", login, Kind::SmtpPassword),
        (
            "Debug",
            format!("{:?}", "hunter2 \"é\" & more"),
            Kind::SmtpPassword,
        ),
        (
            "a form",
            "p=hunter2+%22%C3%A9%22+%26+more".to_owned(),
            Kind::SmtpPassword,
        ),
    ];
    for (name, text, want) in found {
        let kinds: Vec<_> = needles.within(&text).map(|(kind, _)| kind).collect();
        assert!(kinds.contains(&want), "{name}: {text}: {kinds:?}");
    }
    for text in [
        "a***@example.com",
        "at 1424242424",
        "took 0.424242 s",
        "req_424242x",
        "ABCD-FGHX",
        "[redacted]",
    ] {
        assert_eq!(needles.within(text).count(), 0, "{text}");
    }
}
