//! The WorkOS client against servers that answer by script, each wrong in its own way.
#![cfg(feature = "workos")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here is the test's own scaffolding"
)]

use std::{error::Error, fmt::Debug};

use tower_magic_link::{
    AccessToken, AuthorizationCode, Email, NewPasswordlessSession, ProviderError, WorkOs,
};

use self::server::{Reply, json, sent, token};

mod answers;
mod emulator;
mod faults;
mod identity;
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
const LINK: &str = "https://auth.workos.com/passwordless/Hunter2LINK/confirm";
const TOKEN: &str = "eyJHunter2TOKEN";
const REDIRECT_URI: &str = "https://app.example.com/auth/callback";

const SESSION: &str = r#"{"object":"passwordless_session","id":"passwordless_session_01",
    "email":"ada.Hunter2@example.com","expires_at":"2026-09-16T15:44:08.475Z",
    "link":"https://auth.workos.com/passwordless/Hunter2LINK/confirm"}"#;
const PROFILE: &str = r#"{"object":"profile","id":"prof_01","email":"ada.Hunter2@example.com",
    "first_name":null,"last_name":null,"groups":null,"organization_id":null,"connection_id":"conn_01",
    "connection_type":"MagicLink","idp_id":"ada.Hunter2@example.com","raw_attributes":{}}"#;

/// One of the client's operations, for the rules that differ between them.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Create,
    Exchange,
    Profile,
    Send,
}

const OPERATIONS: [Operation; 4] = [
    Operation::Create,
    Operation::Exchange,
    Operation::Profile,
    Operation::Send,
];

impl Operation {
    async fn run(self, workos: &WorkOs) -> Result<(), ProviderError> {
        match self {
            Self::Create => workos.create_session(&new_session()).await.map(drop),
            Self::Exchange => workos.profile_and_token(&code()).await.map(drop),
            Self::Profile => workos.profile(&AccessToken::new(TOKEN)).await.map(drop),
            Self::Send => workos.send_session("passwordless_session_01").await,
        }
    }

    fn success(self) -> Reply {
        match self {
            Self::Create => json(201, SESSION),
            Self::Exchange => token(PROFILE),
            Self::Profile => json(200, PROFILE),
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

fn code() -> AuthorizationCode {
    AuthorizationCode::new(CODE)
}

/// Takes the error, and fails where the mark shows in it, in how it is printed or in what it comes from.
fn failed<T: Debug>(name: &str, result: Result<T, ProviderError>) -> ProviderError {
    let error = result.expect_err(name);
    let mut next: Option<&dyn Error> = Some(&error);
    while let Some(error) = next {
        for text in [format!("{error:?} {error:#?}"), error.to_string()] {
            assert!(!text.contains(MARK), "{name}: {text}");
            assert!(!text.contains("passwordless"), "{name}: {text}");
        }
        next = error.source();
    }
    error
}

fn assert_unmarked(name: &str, value: &impl Debug) {
    let text = format!("{value:?} {value:#?}");
    assert!(!text.contains(MARK), "{name}: {text}");
}

fn cause(error: &ProviderError) -> Option<String> {
    error.source().map(ToString::to_string)
}
