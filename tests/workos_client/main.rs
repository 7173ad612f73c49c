//! The WorkOS client against servers that answer by script, each wrong in its own way.
#![cfg(feature = "workos")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here is the test's own scaffolding"
)]

use std::{error::Error, fmt::Debug, time::Duration};

use tower_magic_link::{
    Email,
    provider::{
        AuthorizationCode, Finish, Identity, IdentityProvider, OneTimeCode, PendingToken,
        ProviderError,
    },
    testing::{ManualClock, TestAttempt},
    workos::{
        AccessToken, MagicAuthCredentials, NewMagicAuth, NewPasswordlessSession,
        OrganizationSelection, WorkOs,
    },
};

use self::server::{Reply, json, sent, token};

mod answers;
mod emulator;
mod faults;
mod identity;
mod magic_auth;
#[path = "../support/names.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod names;
#[path = "../support/port.rs"]
mod port;
mod reach;
mod repetition;
mod requests;
mod server;
mod settings;

/// Stands in every secret and in the address: where it shows up, something leaked.
const MARK: &str = "Hunter2";
const KEY: &str = "sk_test_Hunter2";
const CODE: &str = "01Hunter2CODE";
const STATE: &str = "c3RhdGUHunter2";
const ADDRESS: &str = "ada.Hunter2@example.com";
/// The same address as the client sends it.
const CANONICAL: &str = "ada.hunter2@example.com";
const LINK: &str = "https://auth.workos.com/passwordless/Hunter2LINK/confirm";
const TOKEN: &str = "eyJHunter2TOKEN";
const REDIRECT_URI: &str = "https://app.example.com/auth/callback";

const SESSION: &str = r#"{"object":"passwordless_session","id":"passwordless_session_01",
    "email":"ada.Hunter2@example.com","expires_at":"2026-09-16T15:44:08.475Z",
    "link":"https://auth.workos.com/passwordless/Hunter2LINK/confirm"}"#;
/// WorkOS's own example, save for the code and the address.
const MAGIC_AUTH: &str = r#"{"object":"magic_auth","id":"magic_auth_01HWXVEWWSMR5HS8M6FBGMBJJ9",
    "user_id":"user_01HWXVEWSWSJ66VE29AD14KZ0C","email":"ada.Hunter2@example.com",
    "expires_at":"2024-05-03T00:00:29.528Z","created_at":"2024-05-02T23:50:29.479Z",
    "updated_at":"2024-05-02T23:50:29.479Z","code":"Hunter2424242"}"#;
/// The claims of the token: sub, sid, jti and some more.
const AUTHENTICATION: &str = r#"{"user":{"object":"user","id":"user_01","email":"ada.Hunter2@example.com",
    "email_verified":true,"name":null,"first_name":null,"last_name":null,"profile_picture_url":null,
    "last_sign_in_at":"2026-09-16T15:44:08.475Z","external_id":null,"metadata":{},"locale":null,
    "created_at":"2026-09-16T15:44:08.475Z","updated_at":"2026-09-16T15:44:08.475Z"},
    "organization_id":null,"refresh_token":"Hunter2REFRESH","authentication_method":"MagicAuth",
    "access_token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyXzAxIiwic2lkIjoic2Vzc2lvbl8wMSJ9.Hunter2"}"#;
const PROFILE: &str = r#"{"object":"profile","id":"prof_01","email":"ada.Hunter2@example.com",
    "first_name":null,"last_name":null,"groups":null,"organization_id":null,"connection_id":"conn_01",
    "connection_type":"MagicLink","idp_id":"ada.Hunter2@example.com","raw_attributes":{}}"#;

/// One of the client's operations, for the rules that differ between them.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Create,
    Exchange,
    MakeCode,
    Profile,
    Redeem,
    Select,
    Send,
}

const OPERATIONS: [Operation; 7] = [
    Operation::Create,
    Operation::Exchange,
    Operation::Profile,
    Operation::Send,
    Operation::MakeCode,
    Operation::Redeem,
    Operation::Select,
];

impl Operation {
    async fn run(self, workos: &WorkOs) -> Result<(), ProviderError> {
        match self {
            Self::Create => workos.create_session(&new_session()).await.map(drop),
            Self::Exchange => workos.profile_and_token(&code()).await.map(drop),
            Self::MakeCode => {
                let new = NewMagicAuth::new(email());
                workos.create_magic_auth(&new).await.map(drop)
            }
            Self::Profile => workos.profile(&AccessToken::new(TOKEN)).await.map(drop),
            Self::Redeem => {
                let credentials = MagicAuthCredentials::new(email(), one_time_code());
                let got = workos.authenticate_with_magic_auth(&credentials).await;
                got.map(drop)
            }
            Self::Select => {
                let selection = OrganizationSelection::new(PendingToken::new(TOKEN), "org_1");
                let got = workos.authenticate_with_organization_selection(&selection);
                got.await.map(drop)
            }
            Self::Send => workos.send_session("passwordless_session_01").await,
        }
    }

    fn success(self) -> Reply {
        match self {
            Self::Create => json(201, SESSION),
            Self::Exchange => token(PROFILE),
            Self::MakeCode => json(201, MAGIC_AUTH),
            Self::Profile => json(200, PROFILE),
            Self::Redeem | Self::Select => json(200, AUTHENTICATION),
            Self::Send => sent(),
        }
    }
}

fn email() -> Email {
    Email::parse(ADDRESS).unwrap()
}

fn new_session() -> NewPasswordlessSession {
    NewPasswordlessSession::new(email())
        .redirect_uri(REDIRECT_URI)
        .state(STATE)
}

/// Begins a sign-in, of a client of which nothing is known.
fn attempt() -> TestAttempt {
    TestAttempt::new(&ManualClock::new())
}

/// Has the client redeem the code of a callback, as the layer does.
async fn finish(workos: &WorkOs) -> Result<Identity, ProviderError> {
    let (attempt, code, email) = (attempt(), code(), email());
    let finish = Finish::new(attempt.show(), &code, &email, Duration::from_secs(900));
    workos.finish(&finish).await
}

fn code() -> AuthorizationCode {
    AuthorizationCode::new(CODE)
}

fn one_time_code() -> OneTimeCode {
    OneTimeCode::new("Hunter2424242")
}

/// Takes the error, and fails where the mark shows in it, in how it is printed or in what it comes
/// from.
fn failed<T: Debug>(name: &str, result: Result<T, ProviderError>) -> ProviderError {
    let error = result.expect_err(name);
    let mut next: Option<&dyn Error> = Some(&error);
    while let Some(error) = next {
        for text in [format!("{error:?} {error:#?}"), error.to_string()] {
            assert!(!is_marked(&text), "{name}: {text}");
            assert!(!text.contains("passwordless"), "{name}: {text}");
        }
        next = error.source();
    }
    error
}

/// Says whether the mark is in a text: an address is in lower case.
fn is_marked(text: &str) -> bool {
    text.to_lowercase().contains(&MARK.to_lowercase())
}

fn assert_unmarked(name: &str, value: &impl Debug) {
    let text = format!("{value:?} {value:#?}");
    assert!(!is_marked(&text), "{name}: {text}");
}

fn cause(error: &ProviderError) -> Option<String> {
    error.source().map(ToString::to_string)
}
