//! The client and the emulator make and redeem codes together.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::{
    Email,
    emulator::{EmulatedUser, Emulator, Endpoint, Fault},
    provider::{
        Delivery, FinishCode, Identity, IdentityProvider, OneTimeCode, ProviderErrorKind, StartCode,
    },
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{attempt, names::ADA};

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
        let attempt = attempt();
        let start = StartCode::new(attempt.show(), &email, Delivery::Mailer);
        let started = self.workos.start_code(&start).await.unwrap();
        assert_eq!(started.lifetime(), Duration::from_secs(600));
        started.code().unwrap().clone()
    }

    async fn finish(&self, code: &OneTimeCode) -> Result<Identity, ProviderErrorKind> {
        let email = ada();
        let attempt = attempt();
        let finish = FinishCode::new(attempt.show(), code, &email);
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
