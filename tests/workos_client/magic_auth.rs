//! Six-digit codes: what the client sends, what it takes for proven, and what every refusal means.

use std::{net::IpAddr, time::Duration};

use http::StatusCode;
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json as value};
use tower_magic_link::{
    Email,
    emulator::{EmulatedUser, Emulator, Endpoint, Fault},
    provider::{
        Delivery, FinishCode, Identity, IdentityProvider, OneTimeCode, ProviderError,
        ProviderErrorKind, SignInMethod, StartCode,
    },
    testing::ManualClock,
    workos::{MagicAuthCredentials, NewMagicAuth, WorkOs},
};

use crate::{
    ADDRESS, AUTHENTICATION, CANONICAL, KEY, MAGIC_AUTH, Operation, assert_unmarked, cause, email,
    failed, is_marked,
    names::ADA,
    one_time_code,
    server::{Server, json},
};

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

async fn finish(workos: &WorkOs) -> Result<Identity, ProviderError> {
    let (code, email) = (one_time_code(), email());
    let finish = FinishCode::new(&code, &email, Some(CLIENT), Some("Browser/1"));
    workos.finish_code(&finish).await
}

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
        let finish = FinishCode::new(&code, &email, None, None);
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
        let start = StartCode::new(&email, delivery, Some(CLIENT), None);
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
async fn every_refusal_of_the_reference_has_its_kind_and_its_word() {
    use Operation::{MakeCode, Redeem};
    use ProviderErrorKind::{
        Address, CodeExpired, CodeUsed, CodeWrong, Misconfigured, NotAllowed, RateLimited,
        StepUpRequired, TooManyTries,
    };
    let coded = |code: &str| format!(r#"{{"message":"Hunter2","code":"{code}"}}"#);
    let oauth = |error: &str| format!(r#"{{"error":"{error}","error_description":"Hunter2"}}"#);
    let step = |code: &str| {
        format!(
            r#"{{"message":"Hunter2","code":"{code}","pending_authentication_token":"Hunter2","user":{{}}}}"#
        )
    };
    let spent = r#"{"code":"one_time_code_too_many_attempts",
        "message":"One-time code for 'ada.Hunter2@example.com' has had too many failed attempts."}"#;
    let gone = r#"{"message":"User not found: 'Hunter2'.","code":"entity_not_found","entity_id":"Hunter2"}"#;
    let sso = r#"{"error":"sso_required","error_description":"Hunter2","email":"ada.Hunter2@example.com",
        "connection_ids":["conn_Hunter2"],"pending_authentication_token":"Hunter2"}"#;
    let fields = r#"{"message":"Validation failed","code":"invalid_request_parameters",
        "errors":[{"field":"client_id","code":"missing_required_parameter"}]}"#;
    let address = r#"{"message":"Validation failed","errors":[{"field":"email","code":"email must be an email"}]}"#;
    // A code in the wrong field, which must not become the word.
    let leaks = r#"{"message":"x","code":"Hunter2424242"}"#;
    let cases = [
        (
            Redeem,
            400,
            coded("invalid_one_time_code"),
            CodeWrong,
            Some("invalid_one_time_code"),
        ),
        (
            Redeem,
            400,
            coded("one_time_code_previously_used"),
            CodeUsed,
            Some("one_time_code_previously_used"),
        ),
        (
            Redeem,
            400,
            coded("one_time_code_expired"),
            CodeExpired,
            Some("one_time_code_expired"),
        ),
        (
            Redeem,
            400,
            spent.into(),
            TooManyTries,
            Some("one_time_code_too_many_attempts"),
        ),
        (
            Redeem,
            400,
            oauth("invalid_grant"),
            CodeWrong,
            Some("invalid_grant"),
        ),
        (
            Redeem,
            400,
            oauth("invalid_client"),
            Misconfigured,
            Some("invalid_client"),
        ),
        (
            Redeem,
            400,
            oauth("unauthorized_client"),
            Misconfigured,
            Some("unauthorized_client"),
        ),
        (
            Redeem,
            400,
            oauth("access_denied"),
            NotAllowed,
            Some("access_denied"),
        ),
        (
            Redeem,
            400,
            sso.into(),
            StepUpRequired,
            Some("sso_required"),
        ),
        (
            Redeem,
            403,
            step("mfa_enrollment"),
            StepUpRequired,
            Some("mfa_enrollment"),
        ),
        (
            Redeem,
            403,
            step("mfa_challenge"),
            StepUpRequired,
            Some("mfa_challenge"),
        ),
        (
            Redeem,
            403,
            step("email_verification_required"),
            StepUpRequired,
            Some("email_verification_required"),
        ),
        (
            Redeem,
            403,
            step("organization_selection_required"),
            StepUpRequired,
            Some("organization_selection_required"),
        ),
        (
            Redeem,
            403,
            step("radar_challenge"),
            StepUpRequired,
            Some("radar_challenge"),
        ),
        (
            Redeem,
            403,
            step("authentication_method_not_allowed"),
            StepUpRequired,
            Some("authentication_method_not_allowed"),
        ),
        (
            Redeem,
            403,
            step("a_step_of_tomorrow"),
            StepUpRequired,
            Some("a_step_of_tomorrow"),
        ),
        (
            Redeem,
            404,
            gone.into(),
            CodeWrong,
            Some("entity_not_found"),
        ),
        (
            Redeem,
            422,
            fields.into(),
            Misconfigured,
            Some("invalid_request_parameters"),
        ),
        (
            Redeem,
            429,
            oauth("too_many_requests"),
            RateLimited,
            Some("too_many_requests"),
        ),
        (Redeem, 400, leaks.into(), Misconfigured, None),
        (
            Redeem,
            403,
            "<html>Hunter2</html>".into(),
            Misconfigured,
            None,
        ),
        (
            MakeCode,
            400,
            oauth("invitation_invalid"),
            NotAllowed,
            Some("invitation_invalid"),
        ),
        (
            MakeCode,
            400,
            oauth("sign_up_not_allowed"),
            NotAllowed,
            Some("sign_up_not_allowed"),
        ),
        (
            MakeCode,
            400,
            oauth("authentication_method_not_allowed"),
            StepUpRequired,
            Some("authentication_method_not_allowed"),
        ),
        (
            MakeCode,
            400,
            coded("email_domain_not_deliverable"),
            Address,
            Some("email_domain_not_deliverable"),
        ),
        (
            MakeCode,
            401,
            r#"{"message":"Unauthorized"}"#.into(),
            Misconfigured,
            None,
        ),
        (MakeCode, 422, address.into(), Address, None),
        (
            MakeCode,
            422,
            r#"{"message":"Hunter2"}"#.into(),
            Misconfigured,
            None,
        ),
        (
            MakeCode,
            429,
            coded("daily_quota_exceeded"),
            RateLimited,
            Some("daily_quota_exceeded"),
        ),
    ];
    for (operation, status, body, kind, word) in cases {
        let name = format!("{operation:?} {status} {body}");
        let server = Server::with([json(status, &body)]).await;
        let error = failed(&name, operation.run(&server.client()).await);
        assert_eq!((error.kind(), error.code()), (kind, word), "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
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
        let start = StartCode::new(&email, Delivery::Mailer, None, None);
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

/// The client, the emulator and a clock.
struct Desk {
    clock: ManualClock,
    emulator: Emulator,
    _server: tower_magic_link::emulator::EmulatorServer,
    workos: WorkOs,
}

impl Desk {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let emulator = Emulator::builder()
            .clock(clock.clone())
            .code_tries(3)
            .build();
        let server = emulator.serve(0).await.unwrap();
        let workos = WorkOs::new("sk_test_key", "client_test")
            .and_then(|client| client.base_url(server.base_url()));
        Self {
            clock,
            emulator,
            _server: server,
            workos: workos.unwrap(),
        }
    }

    async fn start(&self) -> OneTimeCode {
        let email = ada();
        let start = StartCode::new(&email, Delivery::Mailer, None, None);
        let started = self.workos.start_code(&start).await.unwrap();
        assert_eq!(started.lifetime(), Duration::from_secs(600));
        started.code().unwrap().clone()
    }

    async fn finish(&self, code: &OneTimeCode) -> Result<Identity, ProviderErrorKind> {
        let email = ada();
        let finish = FinishCode::new(code, &email, None, None);
        let got = self.workos.finish_code(&finish).await;
        got.map_err(|error| {
            assert!(error.request_id().is_some());
            error.kind()
        })
    }
}

fn ada() -> Email {
    Email::parse(ADA).unwrap()
}

fn other_than(code: &OneTimeCode) -> OneTimeCode {
    let number: u32 = code.expose().parse().unwrap();
    OneTimeCode::new(format!("{:06}", (number + 1) % 1_000_000))
}

#[tokio::test]
async fn a_code_is_made_and_redeemed_at_the_emulator() {
    let desk = Desk::new().await;
    let code = desk.start().await;
    let last = desk.emulator.last_code_to("ADA@example.com");
    assert_eq!(last.as_deref(), Some(code.expose()));
    let identity = desk.finish(&code).await.unwrap();
    assert_eq!(identity.email(), &ada());
    assert_eq!(identity.subject(), EmulatedUser::of(ADA).id());
    let session = identity.provider_session().unwrap();
    assert!(session.starts_with("session_01"), "{session}");
    let used = desk.finish(&code).await;
    assert_eq!(used, Err(ProviderErrorKind::CodeUsed));
}

#[tokio::test]
async fn every_refusal_of_a_code_at_the_emulator_has_its_kind() {
    use ProviderErrorKind::{CodeExpired, CodeWrong, RateLimited, StepUpRequired, TooManyTries};
    let desk = Desk::new().await;
    let older = desk.start().await;
    let mut code = desk.start().await;
    while code == older {
        code = desk.start().await;
    }
    assert_eq!(desk.finish(&older).await, Err(CodeWrong), "an older one");
    desk.clock.advance(Duration::from_secs(600));
    assert_eq!(desk.finish(&code).await, Err(CodeExpired));

    let code = desk.start().await;
    for _ in 0..3 {
        assert_eq!(desk.finish(&other_than(&code)).await, Err(CodeWrong));
    }
    assert_eq!(desk.finish(&code).await, Err(TooManyTries));

    let code = desk.start().await;
    let faults = [
        (Fault::step_up("mfa_enrollment"), StepUpRequired),
        (Fault::oauth_refusal("sso_required"), StepUpRequired),
        (
            Fault::refusal(StatusCode::TOO_MANY_REQUESTS, "daily_quota_exceeded"),
            RateLimited,
        ),
    ];
    for (fault, want) in faults {
        desk.emulator.order(Endpoint::Authenticate, fault);
        assert_eq!(desk.finish(&code).await, Err(want));
    }
    desk.emulator.next_user(EmulatedUser::with_unverified_email);
    assert_eq!(desk.finish(&code).await, Err(StepUpRequired));

    let code = desk.start().await;
    desk.emulator.order(Endpoint::Authenticate, Fault::OldShape);
    assert!(desk.finish(&code).await.is_ok());
}

#[tokio::test]
async fn an_unverified_address_is_said_to_be_one() {
    let body = AUTHENTICATION.replace(r#""email_verified":true"#, r#""email_verified":false"#);
    let server = Server::with([json(200, &body)]).await;
    let error = failed("not verified", finish(&server.client()).await);
    let want = "the user's address is not verified";
    assert_eq!(cause(&error).as_deref(), Some(want));
}
