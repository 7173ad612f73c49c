//! What the client sends: method, path, headers and body of each request, and nothing beside them.

use std::time::Duration;

use serde_json::json as value;
use tower_magic_link::{
    provider::{AuthorizationCode, Delivery, IdentityProvider, ProviderErrorKind, Start},
    workos::{AccessToken, NewPasswordlessSession},
};

use crate::{
    ADDRESS, CANONICAL, LINK, PROFILE, REDIRECT_URI, SESSION, STATE, TOKEN, assert_unmarked,
    attempt, email, failed, new_session,
    server::{Server, json, sent, token},
};

const USER_AGENT: (&str, &str) = (
    "user-agent",
    concat!("tower-magic-link/", env!("CARGO_PKG_VERSION")),
);

#[tokio::test]
async fn a_session_is_asked_for_as_json_with_the_key_as_bearer() {
    let server = Server::with([json(201, SESSION), json(201, SESSION)]).await;
    let workos = server.client();
    let new = new_session()
        .expires_in(Duration::from_millis(1_800_900))
        .unwrap();

    let session = workos.create_session(&new).await.unwrap();
    let least = NewPasswordlessSession::new(email());
    workos.create_session(&least).await.unwrap();

    assert_eq!(session.id(), "passwordless_session_01");
    assert_eq!(session.email(), Some(ADDRESS));
    assert_eq!(session.expires_at(), Some("2026-09-16T15:44:08.475Z"));
    assert_eq!(session.link().unwrap().expose(), LINK);
    assert_unmarked("session", &session);
    assert_unmarked("new session", &new);
    assert_unmarked("client", &workos);

    let requests = server.requests();
    assert_eq!(requests[0].line, "POST /passwordless/sessions HTTP/1.1");
    let length = requests[0].body.len().to_string();
    assert_eq!(
        requests[0].headers_but_host(),
        [
            ("accept", "application/json"),
            ("authorization", "Bearer sk_test_Hunter2"),
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
            USER_AGENT,
        ],
    );
    assert_eq!(
        requests[0].json(),
        value!({
            "type": "MagicLink",
            "email": CANONICAL,
            "redirect_uri": REDIRECT_URI,
            "state": STATE,
            "expires_in": 1_800,
        }),
    );
    assert_eq!(
        requests[1].json(),
        value!({ "type": "MagicLink", "email": CANONICAL })
    );
}

#[tokio::test]
async fn a_mail_is_asked_for_with_the_id_as_one_path_segment() {
    let cases = [
        ("passwordless_session_01", "passwordless_session_01"),
        ("../../sso/token?a=b#c", "..%2F..%2Fsso%2Ftoken%3Fa%3Db%23c"),
        ("%2e%2e", "%252e%252e"),
        ("a\r\nx: y", "a%0D%0Ax%3A%20y"),
    ];
    for (id, segment) in cases {
        let server = Server::with([sent()]).await;
        server.client().send_session(id).await.unwrap();
        let requests = server.requests();
        let line = format!("POST /passwordless/sessions/{segment}/send HTTP/1.1");
        assert_eq!(requests[0].line, line);
        assert_eq!(requests[0].body, "{}");
        assert_eq!(
            requests[0].headers_but_host(),
            [
                ("accept", "application/json"),
                ("authorization", "Bearer sk_test_Hunter2"),
                ("content-length", "2"),
                ("content-type", "application/json"),
                USER_AGENT,
            ],
        );
    }
}

#[tokio::test]
async fn a_code_is_exchanged_in_a_form_that_carries_the_key() {
    let server = Server::with([token(PROFILE)]).await;
    let code = AuthorizationCode::new("01 Hunter2&grant_type=x");
    let answer = server.client().profile_and_token(&code).await.unwrap();

    assert_eq!(answer.profile().id(), "prof_01");
    assert_eq!(answer.access_token().expose(), TOKEN);
    assert_eq!(answer.token_type(), Some("Bearer"));
    assert_eq!(answer.expires_in(), Some(Duration::from_secs(600)));
    assert_unmarked("answer", &answer);

    let requests = server.requests();
    assert_eq!(requests[0].line, "POST /sso/token HTTP/1.1");
    let length = requests[0].body.len().to_string();
    assert_eq!(
        requests[0].headers_but_host(),
        [
            ("accept", "application/json"),
            ("content-length", length.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            USER_AGENT,
        ],
    );
    assert_eq!(
        requests[0].body,
        "client_id=client_01&client_secret=sk_test_Hunter2&grant_type=authorization_code\
         &code=01+Hunter2%26grant_type%3Dx",
    );
}

#[tokio::test]
async fn a_profile_is_read_by_its_token_and_not_by_the_key() {
    let server = Server::with([json(200, PROFILE)]).await;
    let token = AccessToken::new(TOKEN);
    let profile = server.client().profile(&token).await.unwrap();
    assert_eq!(profile.email(), ADDRESS);
    assert_unmarked("profile", &profile);
    assert_unmarked("token", &token);

    let requests = server.requests();
    assert_eq!(requests[0].line, "GET /sso/profile HTTP/1.1");
    assert_eq!(
        requests[0].headers_but_host(),
        [
            ("accept", "application/json"),
            ("authorization", "Bearer eyJHunter2TOKEN"),
            USER_AGENT,
        ],
    );
}

#[tokio::test]
async fn a_base_url_with_a_path_keeps_it() {
    let server = Server::with([json(200, PROFILE)]).await;
    let base = format!("{}/workos/", server.base);
    let workos = server.client().base_url(base).unwrap();
    workos.profile(&AccessToken::new(TOKEN)).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line, "GET /workos/sso/profile HTTP/1.1");
}

#[tokio::test]
async fn what_cannot_be_good_is_refused_without_a_request() {
    let server = Server::with([]).await;
    let workos = server.client();
    for id in ["", ".", ".."] {
        let error = failed(id, workos.send_session(id).await);
        assert_eq!(error.kind(), ProviderErrorKind::Refused, "{id:?}");
    }
    let empty = AuthorizationCode::new("");
    let error = failed("code", workos.profile_and_token(&empty).await);
    assert_eq!(error.kind(), ProviderErrorKind::Refused);
    for token in ["", "Hunter2\r\nx: y"] {
        let error = failed("token", workos.profile(&AccessToken::new(token)).await);
        assert_eq!(error.kind(), ProviderErrorKind::Refused, "{token:?}");
    }
    for secs in [899, 86_401] {
        let (email, lifetime) = (email(), Duration::from_secs(secs));
        let attempt = attempt();
        let start = Start::new(
            attempt.show(),
            &email,
            REDIRECT_URI,
            STATE,
            lifetime,
            Delivery::Mailer,
        );
        let error = failed("lifetime", workos.start(&start).await);
        assert_eq!(error.kind(), ProviderErrorKind::Misconfigured, "{secs}");
    }
    assert_eq!(server.connections(), 0);
}
