use std::{
    pin::pin,
    sync::{Arc, Mutex},
};

use http::Request;

use super::{ask::TIMEOUT, *};
use crate::{
    builder::Builder,
    layer::MagicLinkLayer,
    provider::{Finish, Identity, IdentityProvider, ProviderError, Start, Started},
    session::{KeyRing, SigningKey},
    site::endpoint::Endpoint,
    throttle::{Charge, Charged, Limits, Throttle},
};

const NOON: Timestamp = Timestamp::from_secs(1_767_268_800);
const LATER: Timestamp = Timestamp::from_secs(1_767_268_800 + 600);

/// A provider that these tests never call.
struct Nobody;

impl IdentityProvider for Nobody {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::mailed())
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(crate::provider::ProviderErrorKind::Refused.into())
    }
}

/// A throttle that never answers.
struct Silent;

impl Throttle for Silent {
    async fn charge(&self, _: &[Charge], _: Timestamp) -> Result<Charged, StoreError> {
        std::future::pending().await
    }

    async fn take_try(
        &self,
        _: ThrottleKey,
        _: u32,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Take, StoreError> {
        std::future::pending().await
    }

    async fn give_try_back(&self, _: ThrottleKey, _: Timestamp) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

fn layer(configure: impl FnOnce(Builder) -> Builder) -> (MagicLinkLayer, Arc<Mutex<String>>) {
    let heard = Arc::new(Mutex::new(String::new()));
    let told = heard.clone();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(Nobody, keys)
        .public_url("https://app.example.com")
        .on_event(move |event, _| told.lock().unwrap().push_str(&format!("{event:?} ")));
    (configure(builder).build().unwrap(), heard)
}

fn step(layer: &MagicLinkLayer, peer: &str) -> Step {
    let mut request = Request::new(());
    let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 4_000);
    request
        .extensions_mut()
        .insert(crate::request::peer::PeerAddr::from(peer));
    let (parts, ()) = request.into_parts();
    Step::new(layer.flow().clone(), Endpoint::Login, parts, NOON)
}

fn kind<T>(result: Result<T, Rejection>) -> Option<RejectionKind> {
    result.err().map(|rejection| rejection.kind())
}

#[tokio::test]
async fn a_thousand_guesses_have_five_tries_and_the_right_one_costs_none() {
    let (layer, _) = layer(|builder| builder);
    let step = step(&layer, "192.0.2.1");
    let right = take_try(&step.flow, b"link 1", 5, LATER, step.now)
        .await
        .unwrap();
    right.give_back().await;
    let mut taken = 0;
    for _ in 0..1_000 {
        match take_try(&step.flow, b"link 1", 5, LATER, step.now).await {
            Ok(_) => taken += 1,
            Err(rejection) => assert_eq!(rejection.kind(), RejectionKind::TooManyTries),
        }
    }
    assert_eq!(taken, 5);
    assert!(
        take_try(&step.flow, b"link 2", 5, LATER, step.now)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn tries_are_counted_where_rates_are_switched_off() {
    let (layer, _) = layer(Builder::insecure_no_throttle);
    let step = step(&layer, "192.0.2.1");
    for _ in 0..1_000 {
        assert_eq!(kind(limit_code_entry(&step, None).await), None);
    }
    assert!(
        take_try(&step.flow, b"link", 1, LATER, step.now)
            .await
            .is_ok()
    );
    let second = take_try(&step.flow, b"link", 1, LATER, step.now).await;
    assert_eq!(kind(second), Some(RejectionKind::TooManyTries));
}

#[tokio::test]
async fn codes_are_limited_by_network_and_for_everybody_apart_from_mail() {
    let limits = Limits::default()
        .codes_per_network(Rate::new(2, Duration::from_secs(60)))
        .codes(Rate::new(3, Duration::from_secs(60)));
    let (layer, heard) = layer(|builder| builder.limits(limits));
    let mut got = Vec::new();
    for peer in [
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
    ] {
        let limited = limit_code_entry(&step(&layer, peer), None).await;
        got.push(limited.is_ok());
    }
    assert_eq!(got, [true, true, false, true, false]);
    let heard = heard.lock().unwrap().clone();
    assert!(heard.contains("scope: Network, email: None"), "{heard}");
    assert!(heard.contains("scope: Everybody, email: None"), "{heard}");
    let email = Email::parse("ada@example.com").unwrap();
    assert!(limit_mail(&step(&layer, "192.0.2.1"), &email).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_does_not_answer_lets_rates_pass_and_refuses_tries() {
    let (layer, heard) = layer(|builder| builder.throttle(Silent));
    let step = step(&layer, "192.0.2.1");
    let begun = tokio::time::Instant::now();
    assert_eq!(kind(limit_code_entry(&step, None).await), None);
    let refused = take_try(&step.flow, b"link", 5, LATER, step.now).await;
    assert_eq!(kind(refused), Some(RejectionKind::StoreUnavailable));
    assert_eq!(begun.elapsed(), 2 * TIMEOUT);
    let told = heard
        .lock()
        .unwrap()
        .matches("ThrottleFailed { kind: TimedOut }")
        .count();
    assert_eq!(told, 2);
}

#[test]
fn a_throttle_that_answers_at_once_needs_no_runtime() {
    let (layer, _) = layer(|builder| builder);
    let step = step(&layer, "192.0.2.1");
    let mut limited = pin!(limit_code_entry(&step, None));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(limited.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn a_mailbox_is_its_address_in_lower_case_without_a_tag_and_at_gmail_without_dots() {
    for (email, want) in [
        ("ada@example.com", "ada@example.com"),
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+x@example.com", "ada@example.com"),
        ("ada+x+y@example.com", "ada@example.com"),
        ("ada+@example.com", "ada@example.com"),
        ("+ada@example.com", "+ada@example.com"),
        ("++@example.com", "++@example.com"),
        ("a.da@example.com", "a.da@example.com"),
        ("A.d.A+x.y@Gmail.com", "ada@gmail.com"),
        ("ad.a@GOOGLEMAIL.com", "ada@gmail.com"),
        ("+a.d@gmail.com", "+ad@gmail.com"),
        ("a.da@mail.gmail.com", "a.da@mail.gmail.com"),
        ("a.da@notgmail.com", "a.da@notgmail.com"),
    ] {
        assert_eq!(mailbox_of(&Email::parse(email).unwrap()), want);
    }
}

#[test]
fn keys_differ_by_what_they_count_and_by_the_signing_key() {
    let ((one, _), (two, _)) = (layer(|builder| builder), layer(|builder| builder));
    let keys = [
        key_of(&step(&one, "192.0.2.1").flow, "throttle: try", b"x"),
        key_of(&step(&one, "192.0.2.1").flow, "throttle: try", b"y"),
        key_of(
            &step(&one, "192.0.2.1").flow,
            "throttle: mail, address",
            b"x",
        ),
        key_of(&step(&two, "192.0.2.1").flow, "throttle: try", b"x"),
    ];
    let distinct: std::collections::HashSet<_> = keys.into_iter().collect();
    assert_eq!(distinct.len(), keys.len());
}
