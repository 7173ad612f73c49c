//! The client against the emulator: the whole conversation, and every refusal in it.

use std::time::Duration;

use tower_magic_link::{
    Email,
    emulator::{Emulator, EmulatorServer},
    provider::{AuthorizationCode, ProviderErrorKind},
    testing::ManualClock,
    workos::{NewPasswordlessSession, WorkOs},
};

use crate::names::ADA;

struct Emulated {
    clock: ManualClock,
    server: EmulatorServer,
}

impl Emulated {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let emulator = Emulator::builder().clock(clock.clone()).build();
        let server = emulator.serve(0).await.unwrap();
        Self { clock, server }
    }

    fn client(&self, key: &str) -> WorkOs {
        WorkOs::new(key, "client_test")
            .and_then(|client| client.base_url(self.server.base_url()))
            .unwrap()
    }

    /// Opens a link, and returns the query of where it leads.
    async fn open(&self, link: &str) -> Vec<(String, String)> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let answer = http.get(link).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        let location = url::Url::parse(location).unwrap();
        location.query_pairs().into_owned().collect()
    }
}

fn ada() -> NewPasswordlessSession {
    NewPasswordlessSession::new(Email::parse(ADA).unwrap())
        .redirect_uri("https://app.example.com/auth/callback")
        .state("s t/+=&é")
        .expires_in(Duration::from_secs(900))
        .unwrap()
}

fn field<'q>(query: &'q [(String, String)], name: &str) -> &'q str {
    &query.iter().find(|(key, _)| key == name).unwrap().1
}

#[tokio::test]
async fn a_link_is_made_mailed_opened_and_redeemed() {
    let emulated = Emulated::new().await;
    let client = emulated.client("sk_test_key");
    let session = client.create_session(&ada()).await.unwrap();
    assert_eq!(session.email(), Some(ADA));
    client.send_session(session.id()).await.unwrap();
    let mailed = emulated.server.emulator().last_link_to(ADA).unwrap();
    assert_eq!(session.link().unwrap().expose(), mailed);

    let query = emulated.open(&mailed).await;
    assert_eq!(field(&query, "state"), "s t/+=&é");
    let code = AuthorizationCode::new(field(&query, "code"));
    let answer = client.profile_and_token(&code).await.unwrap();
    assert_eq!(answer.profile().email(), ADA);
    assert_eq!(answer.profile().connection_type(), "MagicLink");
    assert_eq!(answer.profile().organization_id(), None);
    let again = client.profile(answer.access_token()).await.unwrap();
    assert_eq!(again.id(), answer.profile().id());
}

#[tokio::test]
async fn every_refusal_has_its_kind() {
    let emulated = Emulated::new().await;
    let client = emulated.client("sk_test_key");
    let unknown = client.send_session("passwordless_session_x").await;
    assert_eq!(unknown.unwrap_err().kind(), ProviderErrorKind::Unavailable);
    let session = client.create_session(&ada()).await.unwrap();
    let link = session.link().unwrap().expose().to_owned();

    let query = emulated.open(&link).await;
    let code = AuthorizationCode::new(field(&query, "code"));
    client.profile_and_token(&code).await.unwrap();
    let used = client.profile_and_token(&code).await.unwrap_err();
    assert_eq!(
        (used.kind(), used.status()),
        (ProviderErrorKind::Refused, Some(400))
    );
    assert!(used.request_id().is_some());
    let reopened = emulated.open(&link).await;
    assert_eq!(field(&reopened, "error"), "access_denied");

    let session = client.create_session(&ada()).await.unwrap();
    let query = emulated.open(session.link().unwrap().expose()).await;
    emulated.clock.advance(Duration::from_secs(601));
    let late = client
        .profile_and_token(&AuthorizationCode::new(field(&query, "code")))
        .await;
    assert_eq!(late.unwrap_err().kind(), ProviderErrorKind::Refused);

    let session = client.create_session(&ada()).await.unwrap();
    emulated.clock.advance(Duration::from_secs(901));
    let expired = client.send_session(session.id()).await;
    assert_eq!(expired.unwrap_err().kind(), ProviderErrorKind::Unavailable);
    let query = emulated.open(session.link().unwrap().expose()).await;
    assert_eq!(field(&query, "error"), "access_denied");
}

#[tokio::test]
async fn a_key_that_is_none_is_a_misconfiguration() {
    let emulated = Emulated::new().await;
    let client = emulated.client("not-a-workos-key");
    let refused = client.create_session(&ada()).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.status()),
        (ProviderErrorKind::Misconfigured, Some(401))
    );
}
