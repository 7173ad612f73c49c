//! The choice of an organization while the providers of a layer change.

use std::time::Duration;

use tower_magic_link::{
    Email,
    provider::{
        AuthorizationCode, Finish, FinishChoice, Identity, IdentityProvider, Organization,
        PendingToken, ProviderError, ProviderErrorKind, TwoProviders,
    },
    testing::{ManualClock, StubProvider, TestAttempt},
};

use super::Sometimes;
use crate::names::ADA;

/// A provider that has a person of two organizations, and one sign-in of theirs.
struct Asking {
    workos: StubProvider,
    email: Email,
    attempt: TestAttempt,
}

impl Asking {
    fn new() -> Self {
        let (workos, email) = (StubProvider::new(), Email::parse(ADA).unwrap());
        for id in ["org_1", "org_2"] {
            workos.add_membership(&email, Organization::new(id, id));
        }
        let attempt = TestAttempt::new(&ManualClock::new());
        Self {
            workos,
            email,
            attempt,
        }
    }

    /// Returns the token of the choice that the person is asked for by way of some provider.
    async fn asked_by(&self, by: &impl IdentityProvider) -> PendingToken {
        let code = self
            .workos
            .code_for(Identity::new("user_1", self.email.clone()));
        let code = AuthorizationCode::new(code);
        let lifetime = Duration::from_secs(900);
        let finish = Finish::new(self.attempt.show(), &code, &self.email, lifetime);
        let asks = by.finish(&finish).await.unwrap_err();
        asks.choice().unwrap().pending().clone()
    }

    async fn answered_at(
        &self,
        at: &impl IdentityProvider,
        pending: &PendingToken,
    ) -> Result<Identity, ProviderError> {
        let finish = FinishChoice::new(self.attempt.show(), pending, "org_2");
        at.finish_choice(&finish).await
    }

    /// Makes sure that a choice is good once, wherever it was asked for.
    async fn is_good_once(&self, name: &str, at: &impl IdentityProvider, pending: &PendingToken) {
        let chosen = self.answered_at(at, pending).await.unwrap();
        assert_eq!(chosen.organization(), Some("org_2"), "{name}");
        let again = self.answered_at(at, pending).await.unwrap_err();
        assert_eq!(again.kind(), ProviderErrorKind::Refused, "{name}");
    }
}

/// One that never asks for a choice, and one that knows other choices.
#[tokio::test]
async fn a_choice_that_a_person_was_asked_for_survives_the_deployments_of_a_move() {
    let asking = Asking::new();
    survives_with(&asking, Sometimes::default()).await;
    survives_with(&asking, StubProvider::new()).await;
}

async fn survives_with(asking: &Asking, own: impl IdentityProvider + Clone) {
    let workos = &asking.workos;
    let beside = TwoProviders::new(workos.clone(), own.clone());
    let turned = TwoProviders::new(own, workos.clone());

    let pending = asking.asked_by(workos).await;
    asking
        .is_good_once("one, then two", &beside, &pending)
        .await;
    let pending = asking.asked_by(workos).await;
    asking
        .is_good_once("one, then the other first", &turned, &pending)
        .await;
    let pending = asking.asked_by(&beside).await;
    asking.is_good_once("turned round", &turned, &pending).await;
    let pending = asking.asked_by(&turned).await;
    asking.is_good_once("turned back", &beside, &pending).await;
}
