//! A choice whose answer is lost or late: the same rule as for a code.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use tower_magic_link::{
    Authorization, Email, KeyRing, MagicLinkLayer, SigningKey,
    provider::{
        Finish, FinishChoice, Identity, IdentityProvider, Organization, ProviderError, Start,
        Started,
    },
    testing::{self, StubProvider},
};

use super::*;
use crate::{
    names::ORIGIN,
    redeemed::{Late, browser, layer},
};

/// Says whether a page offers a new mail, and does not ask for the choice again.
fn offers_a_new_mail(answer: &Answer) {
    is_trouble(answer, 502, RejectionKind::ProviderAnswerLost);
    let text = answer.text();
    assert!(text.contains("id=\"again\""), "{text}");
    assert!(!text.contains("Choose an organization"), "{text}");
    assert_eq!(answer.header("retry-after"), "", "waiting does not help");
}

#[tokio::test]
async fn a_choice_that_may_have_been_made_is_never_asked_for_again() {
    let faults = [
        (Fault::LostAnswer, true),
        (Fault::CutBody, true),
        (Fault::InvalidJson, true),
        (Fault::StatusAfterWork(StatusCode::BAD_GATEWAY), true),
        (Fault::Status(StatusCode::BAD_GATEWAY), false),
        (Fault::Cut, false),
    ];
    for (fault, is_made) in faults {
        let (mut begun, asked) = asked(|builder| builder).await;
        begun.world.emulator().order(Endpoint::Authenticate, fault);
        let lost = asked.choose(&mut begun.first, ACME.0).await;
        offers_a_new_mail(&lost);
        // Whoever goes back and chooses again gets in if WorkOS did not act.
        let again = asked.choose(&mut begun.first, ACME.0).await;
        if is_made {
            is_trouble(&again, 400, RejectionKind::ChoiceExpired);
            assert!(!begun.first.jar.contains_key(SESSION));
        } else {
            assert_eq!(again.location(), "/reports");
        }
    }
}

#[tokio::test]
async fn the_configured_organization_too_costs_a_new_mail_if_the_answer_is_lost() {
    let mut begun = begun(|builder| builder.organization(ACME.0)).await;
    let emulator = begun.world.emulator();
    emulator.order(Endpoint::Authenticate, Fault::Delay(Duration::ZERO));
    emulator.order(Endpoint::Authenticate, Fault::LostAnswer);
    let code = begun.post.code();
    offers_a_new_mail(&begun.type_code(&code).await);
    let again = begun.type_code(&code).await;
    is_trouble(&again, 400, RejectionKind::ChoiceExpired);
    assert_eq!(begun.redeemed(), 3, "one code, and two choices");
}

fn join_both(stub: &StubProvider) {
    let ada = Email::parse(ADA).unwrap();
    for (id, name) in [ACME, GLOBEX] {
        stub.add_membership(&ada, Organization::new(id, name));
    }
}

fn members(by: Duration, set: impl FnOnce(Builder) -> Builder) -> (Late, MagicLinkLayer) {
    let provider = Late {
        by,
        ..Late::default()
    };
    join_both(&provider.stub);
    let layer = layer(&provider, set);
    (provider, layer)
}

/// Opens the link, in as many presses as that takes, and is asked.
async fn asked_by_link(provider: &Late, layer: &MagicLinkLayer) -> testing::Browser {
    let mut browser = browser(layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link();
    for _ in 0..5 {
        let page = browser.open(link.clone()).await;
        if page.text().contains("Choose an organization") {
            return browser;
        }
    }
    panic!("never asked");
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_takes_long_is_joined_and_no_other_one_is_made_meanwhile() {
    let (provider, layer) = members(Duration::from_secs(70), |builder| builder);
    let mut browser = asked_by_link(&provider, &layer).await;
    let mut other = browser.clone();
    let began = tokio::time::Instant::now();
    let waits = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(began.elapsed().as_secs(), 45);
    assert_eq!(waits.status(), 503);
    assert!(waits.text().contains("Choose an organization"));
    let refused = other.submit(&[("organization", GLOBEX.0)]).await;
    assert_eq!(refused.status(), 400);
    let expired = RejectionKind::ChoiceExpired.heading();
    assert!(refused.text().contains(expired));
    let landed = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(landed.text(), "inside");
    assert_eq!(provider.stub.finished(), 2, "the link, and the choice");
}

/// The rule of the application fails when the person no longer waits for the choice.
#[tokio::test(start_paused = true)]
async fn what_was_chosen_is_kept_although_the_person_has_stopped_waiting() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = asked_for.clone();
    let hook = move |_: Identity| {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            match is_first {
                true => Err(io::Error::other("the directory is out")),
                false => Ok(Authorization::Allowed),
            }
        }
    };
    let by = Duration::from_secs(50);
    let (provider, layer) = members(by, |builder| builder.authorize(hook));
    let mut browser = asked_by_link(&provider, &layer).await;
    let waits = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(waits.status(), 503);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(asked_for.load(Ordering::SeqCst), 1, "it has failed by now");
    let landed = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(landed.text(), "inside");
    assert_eq!(provider.stub.finished(), 2, "the link, and the choice");
}

/// The panic may have come before or after the provider finished the choice.
#[derive(Clone, Default)]
struct Panics(StubProvider);

impl IdentityProvider for Panics {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finish(finish).await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        let _ = self.0.finish_choice(finish).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        panic!("a defect of the provider's")
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_choice_that_panics_is_not_told_to_try_its_link_again() {
    let provider = Panics::default();
    join_both(&provider.0);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    let mut one = browser(&builder.organization(ACME.0).build().unwrap());
    one.get("/reports").await;
    one.submit_login(ADA).await;
    let link = provider.0.last_link();
    let visits = [one.clone(), one].map(|mut browser| {
        let link = link.clone();
        tokio::spawn(async move { browser.open(link).await.text().into_owned() })
    });
    let told = futures_util::future::join_all(visits).await;
    let told: Vec<_> = told.into_iter().flatten().collect();
    assert_eq!(told.len(), 1, "one passes the panic on");
    let want = RejectionKind::ProviderAnswerLost;
    assert!(told[0].contains(want.heading()), "{}", told[0]);
}
