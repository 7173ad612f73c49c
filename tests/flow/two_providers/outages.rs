//! The one that was asked first is away, and the other one fails too.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    provider::{
        Finish, FinishCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind as Kind,
        Start, StartCode, Started, StartedCode, TwoProviders,
    },
    testing::{Browser, ManualClock, StubProvider, Visit},
};

use super::BOB;
use crate::{
    names::{ADA, ORIGIN},
    redeemed,
};

type Answer = fn() -> ProviderError;

/// A provider that mails by itself, and fails as it is told to.
#[derive(Clone)]
struct Failing {
    stub: StubProvider,
    /// Its answer to whoever begins a sign-in for this address.
    begins: Option<(&'static str, Answer)>,
    /// Its answer to whatever it is to redeem.
    redeems: Option<Answer>,
    asked: Arc<AtomicUsize>,
}

impl Failing {
    fn new(begins: Option<(&'static str, Answer)>, redeems: Option<Answer>) -> Self {
        Self {
            stub: StubProvider::new(),
            begins,
            redeems,
            asked: Arc::default(),
        }
    }

    fn begin(&self, email: &str) -> Result<(), ProviderError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.begins {
            Some((address, answer)) if email.ends_with(address) => Err(answer()),
            _ => Ok(()),
        }
    }

    fn redeem(&self) -> Result<(), ProviderError> {
        self.redeems.map_or(Ok(()), |answer| Err(answer()))
    }
}

impl IdentityProvider for Failing {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.begin(start.email.as_str())?;
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.redeem()?;
        self.stub.finish(finish).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.begin(start.email.as_str())?;
        self.stub.start_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.redeem()?;
        self.stub.finish_code(finish).await
    }
}

fn layer(
    primary: Failing,
    fallback: Failing,
    set: impl FnOnce(Builder) -> Builder,
) -> MagicLinkLayer {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(TwoProviders::new(primary, fallback), keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .insecure_answer_when_sent();
    set(builder).build().unwrap()
}

/// Asks for mail in a new browser.
async fn ask(layer: &MagicLinkLayer, email: &str) -> (Browser, Visit) {
    let mut browser = redeemed::browser(layer);
    browser.get("/reports").await;
    let visit = browser.submit_login(email).await;
    (browser, visit)
}

fn away() -> ProviderError {
    ProviderError::new(Kind::Unavailable).before_acting()
}

/// Pins: any failure of the fallback's was told as the primary's outage, to this address alone.
#[tokio::test]
async fn an_address_that_the_fallback_refuses_looks_like_a_good_one_while_the_primary_is_away() {
    let refusals: [(&str, Answer); 4] = [
        ("refused", || Kind::Address.into()),
        ("refused", || Kind::NotAllowed.into()),
        ("refused", || Kind::StepUpRequired.into()),
        ("rate_limited", || Kind::RateLimited.into()),
    ];
    for sign_in in [SignIn::Link, SignIn::Code] {
        for (reason, refusal) in refusals {
            let name = format!("{sign_in:?}, {}", refusal().kind());
            let primary = Failing::new(Some(("", away)), None);
            let fallback = Failing::new(Some((ADA, refusal)), None);
            let events = Arc::new(Mutex::new(String::new()));
            let heard = events.clone();
            let layer = layer(primary, fallback, |builder| {
                let builder = builder.sign_in(sign_in);
                builder.on_event(move |event, _| *heard.lock().unwrap() += &format!("{event:?}"))
            });
            // Before any other address has shown anything, and after one has.
            for _ in 0..2 {
                let (_, refused) = ask(&layer, ADA).await;
                let (_, good) = ask(&layer, BOB).await;
                assert_eq!(refused.status(), 200, "{name}");
                assert_eq!(good.status(), 200, "{name}");
                for visit in [&refused, &good] {
                    assert!(visit.path().starts_with("/auth/check?t="), "{name}");
                }
                assert_eq!(refused.path().len(), good.path().len(), "{name}");
                assert_eq!(refused.text().len(), good.text().len(), "{name}");
            }
            let heard = events.lock().unwrap().clone();
            let withheld = format!("reason: \"{reason}\"");
            assert!(heard.contains(&withheld), "{name}: {heard}");
        }
    }
}

/// Of two answers that say nothing of the address, both stay an outage for everybody.
#[tokio::test]
async fn an_outage_of_both_is_told() {
    let answers: [Answer; 2] = [away, || Kind::Unavailable.into()];
    for answer in answers {
        let fallback = Failing::new(Some(("", answer)), None);
        let layer = layer(Failing::new(Some(("", away)), None), fallback, |b| b);
        for email in [ADA, BOB] {
            assert_eq!(ask(&layer, email).await.1.status(), 503);
        }
    }
}

/// Pins: a fallback that mailed and answered late was forgotten for the outage of the primary, so
/// that its mails to one address had no limit.
#[tokio::test]
async fn a_mail_that_either_of_two_providers_may_have_sent_counts() {
    let broken: Answer = || Kind::Unavailable.into();
    let late: Answer = || Kind::TimedOut.into();
    let late_to_connect: Answer = || ProviderError::new(Kind::TimedOut).before_acting();
    let limited: Answer = || Kind::RateLimited.into();
    let misconfigured: Answer = || Kind::Misconfigured.into();
    let unreadable: Answer = || Kind::InvalidAnswer.into();
    let unsupported: Answer = || Kind::Unsupported.into();
    let cases: [(&str, Answer, Answer, usize); 14] = [
        ("away, late", away, late, 3),
        ("broken, late", broken, late, 3),
        ("away, unreadable", away, unreadable, 3),
        ("late, away", late, away, 3),
        ("late, broken", late, broken, 3),
        ("late, late", late, late, 3),
        ("late, limited", late, limited, 3),
        ("late, misconfigured", late, misconfigured, 3),
        ("late, unsupported", late, unsupported, 3),
        ("away, away", away, away, 9),
        ("broken, broken", broken, broken, 9),
        ("late to connect, away", late_to_connect, away, 9),
        ("away, late to connect", away, late_to_connect, 9),
        ("away, misconfigured", away, misconfigured, 9),
    ];
    for (name, first, second, want) in cases {
        let primary = Failing::new(Some(("", first)), None);
        let fallback = Failing::new(Some(("", second)), None);
        let asked = fallback.asked.clone();
        let layer = layer(primary, fallback, |builder| builder);
        for _ in 0..9 {
            let _ = ask(&layer, ADA).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), want, "{name}");
    }
}

/// Pins: the second one had redeemed the proof and its answer was lost, and the person was sent
/// back to the same link or code, which could not work.
#[tokio::test]
async fn a_proof_that_either_of_two_providers_may_have_redeemed_is_not_tried_again() {
    let lost: Answer = || Kind::Unavailable.into();
    let late: Answer = || Kind::TimedOut.into();
    let late_to_connect: Answer = || ProviderError::new(Kind::TimedOut).before_acting();
    let misconfigured: Answer = || Kind::Misconfigured.into();
    let (answer_lost, unavailable) = (
        RejectionKind::ProviderAnswerLost,
        RejectionKind::ProviderUnavailable,
    );
    let busy: Answer = || {
        ProviderError::new(Kind::Unavailable)
            .with_status(409)
            .before_acting()
    };
    let cases: [(&str, Answer, Answer, RejectionKind); 11] = [
        ("away, lost", away, lost, answer_lost),
        ("away, late", away, late, answer_lost),
        ("late to connect, lost", late_to_connect, lost, answer_lost),
        ("lost, away", lost, away, answer_lost),
        ("lost, late", lost, late, answer_lost),
        ("lost, misconfigured", lost, misconfigured, answer_lost),
        ("late, misconfigured", late, misconfigured, answer_lost),
        ("lost, busy", lost, busy, answer_lost),
        ("late, busy", late, busy, answer_lost),
        ("away, away", away, away, unavailable),
        ("away, late to connect", away, late_to_connect, unavailable),
    ];
    for (name, first, second, want) in cases {
        for sign_in in [SignIn::Link, SignIn::Code] {
            let primary = Failing::new(None, Some(first));
            let fallback = Failing::new(None, Some(second));
            let stub = primary.stub.clone();
            let layer = layer(primary, fallback, |builder| builder.sign_in(sign_in));
            let (mut browser, _) = ask(&layer, ADA).await;
            let answer = match sign_in {
                SignIn::Code => {
                    let code = stub.last_code().unwrap();
                    browser.submit(&[("code", code.expose())]).await
                }
                _ => browser.open(stub.last_link()).await,
            };
            let page = answer.text();
            assert!(
                page.contains(want.heading()),
                "{name}, {sign_in:?}: {} {page}",
                answer.status()
            );
        }
    }
}
