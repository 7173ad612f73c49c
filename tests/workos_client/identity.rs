//! The client as the layer's provider: what it begins a sign-in with, and whom it takes for proven.

use std::time::Duration;

use serde_json::json as value;
use tower_magic_link::{
    provider::{Delivery, IdentityProvider, ProviderError, ProviderErrorKind, Start},
    workos::WorkOs,
};

use crate::{
    CANONICAL, LINK, PROFILE, REDIRECT_URI, SESSION, STATE, assert_unmarked, attempt, email,
    failed, finish,
    server::{Server, json, sent, token},
};

async fn start(workos: &WorkOs, delivery: Delivery) -> Result<Option<String>, ProviderError> {
    let (email, lifetime) = (email(), Duration::from_secs(900));
    let attempt = attempt();
    let start = Start::new(
        attempt.show(),
        &email,
        REDIRECT_URI,
        STATE,
        lifetime,
        delivery,
    );
    let started = workos.start(&start).await?;
    assert_unmarked("started", &started);
    Ok(started.link().map(|link| link.expose().to_owned()))
}

#[tokio::test]
async fn a_sign_in_begins_with_a_mail_of_workos_or_with_a_link_for_ours() {
    let server = Server::with([json(201, SESSION), sent()]).await;
    let link = start(&server.client(), Delivery::Provider).await.unwrap();
    assert_eq!(link, None);
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|r| r.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /passwordless/sessions HTTP/1.1",
            "POST /passwordless/sessions/passwordless_session_01/send HTTP/1.1",
        ],
    );
    assert_eq!(
        requests[0].json(),
        value!({
            "type": "MagicLink",
            "email": CANONICAL,
            "redirect_uri": REDIRECT_URI,
            "state": STATE,
            "expires_in": 900,
        }),
    );

    let server = Server::with([json(201, SESSION)]).await;
    let link = start(&server.client(), Delivery::Mailer).await.unwrap();
    assert_eq!(link.as_deref(), Some(LINK));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_sign_in_without_a_link_to_mail_does_not_begin() {
    let links = [
        ("absent", ""),
        ("null", r#","link":null"#),
        ("empty", r#","link":"""#),
        ("relative", r#","link":"/passwordless/Hunter2""#),
        ("a script", r#","link":"javascript:Hunter2()""#),
    ];
    for (name, link) in links {
        let body = format!(r#"{{"id":"s_1"{link}}}"#);
        let server = Server::with([json(201, &body)]).await;
        let error = failed(name, start(&server.client(), Delivery::Mailer).await);
        assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{name}");
        assert_eq!(error.request_id(), Some("req_01"), "{name}");
        // WorkOS's own mail needs none.
        let server = Server::with([json(201, &body), sent()]).await;
        let got = start(&server.client(), Delivery::Provider).await;
        got.expect(name);
    }
}

#[tokio::test]
async fn an_identity_is_what_the_profile_says() {
    let full = r#"{"id":"prof_01","email":"Ada@Example.COM","first_name":"Ada",
        "last_name":"Lovelace","organization_id":"org_01","connection_id":"conn_01",
        "connection_type":"MagicLink"}"#;
    let server = Server::with([token(full), token(PROFILE)]).await;
    let workos = server.client();
    let identity = finish(&workos).await.unwrap();
    assert_eq!(identity.subject(), "prof_01");
    assert_eq!(identity.email().as_str(), "ada@example.com");
    assert_eq!(identity.organization(), Some("org_01"));
    assert_eq!(identity.connection(), Some("conn_01"));
    assert_eq!(identity.first_name(), Some("Ada"));
    assert_eq!(identity.last_name(), Some("Lovelace"));
    let identity = finish(&workos).await.unwrap();
    assert_eq!(identity.organization(), None);
    assert_eq!(identity.first_name(), None);
    assert_unmarked("identity", &identity);
}

#[tokio::test]
async fn only_an_accepted_kind_of_connection_proves_an_address() {
    let cases = [
        ("magic link", "MagicLink", vec![], true),
        ("google", "GoogleOAuth", vec![], false),
        (
            "google, taken",
            "GoogleOAuth",
            vec!["OktaSAML", "GoogleOAuth"],
            true,
        ),
        ("beside google", "MagicLink", vec!["GoogleOAuth"], true),
        ("another", "AppleOAuth", vec!["GoogleOAuth"], false),
        ("another case", "magiclink", vec![], false),
        ("empty", "", vec![], false),
        ("no word", "a Hunter2@example.com", vec![], false),
    ];
    for (name, kind, taken, want) in cases {
        let profile =
            value!({ "id": "prof_01", "email": "a@example.com", "connection_type": kind });
        let server = Server::with([token(&profile.to_string())]).await;
        let workos = server.client().accept_connection_types(taken);
        let got = finish(&workos).await;
        assert_eq!(got.is_ok(), want, "{name}");
        if !want {
            let error = failed(name, got);
            assert_eq!(error.kind(), ProviderErrorKind::WrongConnection, "{name}");
            assert_eq!(error.request_id(), Some("req_01"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_profile_that_names_nobody_is_not_an_identity() {
    let cases = [
        ("no id", "", "a@example.com"),
        ("no address", "prof_01", ""),
        (
            "two addresses",
            "prof_01",
            "a@example.com,Hunter2@example.com",
        ),
    ];
    for (name, id, email) in cases {
        let profile = value!({ "id": id, "email": email, "connection_type": "MagicLink" });
        let server = Server::with([token(&profile.to_string())]).await;
        let error = failed(name, finish(&server.client()).await);
        assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{name}");
    }
}
