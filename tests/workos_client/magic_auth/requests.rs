//! What the client sends to create a code and to redeem it.

use std::time::Duration;

use serde_json::json as value;
use tower_magic_link::{
    provider::{Delivery, FinishCode, IdentityProvider, OneTimeCode, ProviderErrorKind, StartCode},
    workos::{MagicAuthCredentials, NewMagicAuth},
};

use super::CLIENT;
use crate::{
    ADDRESS, AUTHENTICATION, CANONICAL, KEY, MAGIC_AUTH, assert_unmarked, attempt, email, failed,
    is_marked, one_time_code,
    server::{Server, json},
};

#[tokio::test]
async fn a_code_is_asked_for_with_the_key_as_bearer() {
    let server = Server::with([json(201, MAGIC_AUTH), json(201, MAGIC_AUTH)]).await;
    let workos = server.client();
    let new = NewMagicAuth::new(email())
        .ip_address(CLIENT)
        .user_agent("Browser/1");
    let made = workos.create_magic_auth(&new).await.unwrap();
    workos
        .create_magic_auth(&NewMagicAuth::new(email()))
        .await
        .unwrap();

    assert_eq!(made.id(), "magic_auth_01HWXVEWWSMR5HS8M6FBGMBJJ9");
    assert_eq!(made.user_id(), Some("user_01HWXVEWSWSJ66VE29AD14KZ0C"));
    assert_eq!(made.email(), Some(ADDRESS));
    assert_eq!(made.created_at(), Some("2024-05-02T23:50:29.479Z"));
    assert_eq!(made.expires_at(), Some("2024-05-03T00:00:29.528Z"));
    assert_eq!(made.lifetime(), Duration::from_secs(600));
    assert_eq!(made.code(), Some(&one_time_code()));
    assert_unmarked("made", &made);
    assert_unmarked("new", &new);

    let requests = server.requests();
    assert_eq!(
        requests[0].line,
        "POST /user_management/magic_auth HTTP/1.1"
    );
    let length = requests[0].body.len().to_string();
    assert_eq!(
        requests[0].headers_but_host(),
        [
            ("accept", "application/json"),
            ("authorization", "Bearer sk_test_Hunter2"),
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
            (
                "user-agent",
                concat!("tower-magic-link/", env!("CARGO_PKG_VERSION"))
            ),
        ],
    );
    assert_eq!(
        requests[0].json(),
        value!({ "email": CANONICAL, "ip_address": "192.0.2.7", "user_agent": "Browser/1" }),
    );
    assert_eq!(requests[1].json(), value!({ "email": CANONICAL }));
}

#[tokio::test]
async fn a_code_is_redeemed_with_every_secret_in_the_body_alone() {
    let server = Server::with([json(200, AUTHENTICATION)]).await;
    let credentials = MagicAuthCredentials::new(email(), one_time_code())
        .ip_address(CLIENT)
        .user_agent("Browser/1");
    let workos = server.client();
    let got = workos.authenticate_with_magic_auth(&credentials).await;
    let got = got.unwrap();
    assert_eq!(got.user().id(), "user_01");
    assert_eq!(got.user().email(), ADDRESS);
    assert_eq!(got.user().email_verified(), Some(true));
    assert_eq!(got.user().metadata(), "{}");
    assert_eq!(got.organization_id(), None);
    assert_eq!(got.authentication_method(), Some("MagicAuth"));
    assert_eq!(got.refresh_token().unwrap().expose(), "Hunter2REFRESH");
    assert_eq!(got.session_id().as_deref(), Some("session_01"));
    assert_unmarked("authentication", &got);
    assert_unmarked("credentials", &credentials);
    assert_unmarked("refresh token", &got.refresh_token());

    let requests = server.requests();
    let line = "POST /user_management/authenticate HTTP/1.1";
    assert_eq!(requests[0].line, line);
    let names: Vec<_> = requests[0].headers_but_host();
    assert!(names.iter().all(|(name, _)| *name != "authorization"));
    assert!(names.iter().all(|(_, value)| !is_marked(value)));
    assert_eq!(
        requests[0].json(),
        value!({
            "client_id": "client_01",
            "client_secret": KEY,
            "grant_type": "urn:workos:oauth:grant-type:magic-auth:code",
            "code": "Hunter2424242",
            "email": CANONICAL,
            "ip_address": "192.0.2.7",
            "user_agent": "Browser/1",
        }),
    );
}

#[tokio::test]
async fn what_cannot_be_a_code_costs_no_try() {
    let server = Server::with([]).await;
    let email = email();
    for text in [
        "",
        "12 34 56",
        "Hunter2\r\n",
        "４２４２４２",
        "12345678901234567",
    ] {
        let code = OneTimeCode::new(text);
        let attempt = attempt();
        let finish = FinishCode::new(attempt.show(), &code, &email);
        let error = failed(text, server.client().finish_code(&finish).await);
        assert_eq!(error.kind(), ProviderErrorKind::CodeWrong, "{text:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_sign_in_by_code_begins_with_a_mail_of_workos_or_a_code_for_ours() {
    let start = async |body: &str, delivery| {
        let server = Server::with([json(201, body)]).await;
        let email = email();
        let attempt = attempt().with_client(CLIENT);
        let start = StartCode::new(attempt.show(), &email, delivery);
        let got = server.client().start_code(&start).await;
        assert_eq!(server.requests()[0].json()["ip_address"], "192.0.2.7");
        if let Ok(started) = &got {
            assert_unmarked("started", started);
        }
        got
    };
    let ours = start(MAGIC_AUTH, Delivery::Mailer).await.unwrap();
    assert_eq!(ours.code(), Some(&one_time_code()));
    let theirs = start(MAGIC_AUTH, Delivery::Provider).await.unwrap();
    assert_eq!(theirs.code(), None);
    assert_eq!(theirs.lifetime(), Duration::from_secs(600));
    for code in ["", r#","code":null"#, r#","code":"""#, r#","code":"12 34""#] {
        let body = format!(r#"{{"id":"magic_auth_01"{code}}}"#);
        let error = failed(code, start(&body, Delivery::Mailer).await);
        assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{code}");
        start(&body, Delivery::Provider).await.expect(code);
    }
}
