//! Which answers prove an identity.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json as value};
use tower_magic_link::provider::{
    Delivery, IdentityProvider, ProviderErrorKind, SignInMethod, StartCode,
};

use super::finish;
use crate::{
    AUTHENTICATION, MAGIC_AUTH, assert_unmarked, attempt, cause, email, failed,
    server::{Server, json},
};

#[tokio::test]
async fn an_identity_by_code_is_a_user_and_says_so() {
    let full = r#"{"user":{"id":"user_01","email":"Ada@Example.COM","email_verified":true,
        "first_name":"Ada","last_name":"Lovelace","brand_new":[]},"organization_id":"org_01",
        "access_token":"e30.eyJzaWQiOiJzZXNzaW9uXzAxIn0.x"}"#;
    let least = r#"{"user":{"id":"user_01","email":"a@example.com"},"access_token":"opaque"}"#;
    let replies = [full, least, AUTHENTICATION].map(|body| json(200, body));
    let server = Server::with(replies).await;
    let workos = server.client();
    let identity = finish(&workos).await.unwrap();
    assert_eq!(identity.subject(), "user_01");
    assert_eq!(identity.email().as_str(), "ada@example.com");
    assert_eq!(identity.method(), SignInMethod::MagicAuth);
    assert_eq!(identity.organization(), Some("org_01"));
    assert_eq!(identity.connection(), None);
    assert_eq!(identity.provider_session(), Some("session_01"));
    assert_eq!(identity.first_name(), Some("Ada"));
    assert_eq!(identity.last_name(), Some("Lovelace"));
    let identity = finish(&workos).await.unwrap();
    assert_eq!(identity.provider_session(), None);
    assert_eq!(identity.organization(), None);
    assert_unmarked("identity", &finish(&workos).await.unwrap());
}

#[tokio::test]
async fn an_answer_that_proves_nothing_is_not_an_identity() {
    use ProviderErrorKind::{InvalidAnswer, StepUpRequired, WrongConnection};
    let cases = [
        (
            "not verified",
            "/user/email_verified",
            value!(false),
            StepUpRequired,
        ),
        (
            "impersonated",
            "/authentication_method",
            value!("Impersonation"),
            WrongConnection,
        ),
        (
            "another method",
            "/authentication_method",
            value!("GoogleOAuth"),
            WrongConnection,
        ),
        ("no id", "/user/id", value!(""), InvalidAnswer),
        ("no address", "/user/email", value!(""), InvalidAnswer),
        (
            "two addresses",
            "/user/email",
            value!("a@example.com,Hunter2@example.com"),
            InvalidAnswer,
        ),
        ("no user", "/user", value!(null), InvalidAnswer),
        (
            "a token that is none",
            "/access_token",
            value!(7),
            InvalidAnswer,
        ),
    ];
    for (name, pointer, wrong, want) in cases {
        let mut body: Value = serde_json::from_str(AUTHENTICATION).unwrap();
        *body.pointer_mut(pointer).unwrap() = wrong;
        let server = Server::with([json(200, &body.to_string())]).await;
        let error = failed(name, finish(&server.client()).await);
        assert_eq!(error.kind(), want, "{name}");
        assert_eq!(error.request_id(), Some("req_01"), "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_code_that_may_have_been_redeemed_is_not_redeemed_again() {
    let server = Server::with([json(500, "{}"), json(200, AUTHENTICATION)]).await;
    let error = failed("redeem", finish(&server.client()).await);
    assert_eq!(error.kind(), ProviderErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn no_answer_whatever_it_holds_is_more_than_an_error() {
    let mut runner = TestRunner::deterministic();
    let changed = |whole: &'static str| {
        let change = (
            any::<prop::sample::Index>(),
            0..20_usize,
            vec(any::<u8>(), 0..8),
        );
        change.prop_map(move |(at, cut, put)| {
            let mut bytes = whole.as_bytes().to_vec();
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
            bytes
        })
    };
    let status = prop::sample::select(vec![200_u16, 201, 400, 403, 422, 429, 500]);
    let anything = "\\PC{0,64}".prop_map(String::into_bytes);
    let token = "[a-zA-Z0-9_.-]{0,64}".prop_map(|token| {
        value!({ "user": { "id": "u", "email": "a@example.com" }, "access_token": token })
            .to_string()
            .into_bytes()
    });
    let body = prop_oneof![
        vec(any::<u8>(), 0..64),
        anything,
        token,
        changed(MAGIC_AUTH),
        changed(AUTHENTICATION),
    ];
    let strategy = (status, body);
    let answers: Vec<_> = (0..200)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let replies = answers.iter().flat_map(|(status, body)| {
        [0, 1].map(|_| crate::server::answer(*status, &["retry-after: 9"], body))
    });
    let server = Server::with(replies.collect::<Vec<_>>()).await;
    let (workos, email) = (server.client(), email());
    for (status, body) in &answers {
        let name = format!("{status} {}", String::from_utf8_lossy(body));
        let attempt = attempt();
        let start = StartCode::new(attempt.show(), &email, Delivery::Mailer);
        if let Ok(started) = workos.start_code(&start).await {
            assert!(started.code().is_some(), "{name}");
            assert!(started.lifetime() <= Duration::from_secs(3_600), "{name}");
        }
        if let Ok(identity) = finish(&workos).await {
            assert!(!identity.subject().is_empty(), "{name}");
            assert_eq!(identity.method(), SignInMethod::MagicAuth, "{name}");
        }
    }
    assert_eq!(server.requests().len(), 400);
}

#[tokio::test]
async fn an_unverified_address_is_said_to_be_one() {
    let body = AUTHENTICATION.replace(r#""email_verified":true"#, r#""email_verified":false"#);
    let server = Server::with([json(200, &body)]).await;
    let error = failed("not verified", finish(&server.client()).await);
    let want = "the user's address is not verified";
    assert_eq!(cause(&error).as_deref(), Some(want));
}
