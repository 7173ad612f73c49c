//! A proof that the provider has redeemed is used up: what it proved is not thrown away.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use tower::{Layer, service_fn};
use tower_magic_link::{
    Authorization, Builder, KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    clock::{Clock, Timestamp},
    provider::{
        AuthorizationCode, FinishCode, Identity, IdentityProvider, ProviderError, Start, StartCode,
        Started, StartedCode,
    },
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::{Browser, ManualClock, StubProvider},
};

use crate::names::{ADA, ORIGIN};

/// Redeems a code at once, and answers later.
#[derive(Clone, Default)]
struct Late {
    stub: StubProvider,
    by: Duration,
}

impl IdentityProvider for Late {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.stub.start(start).await
    }

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        let proven = self.stub.finish(code).await;
        tokio::time::sleep(self.by).await;
        proven
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.stub.start_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let proven = self.stub.finish_code(finish).await;
        tokio::time::sleep(self.by).await;
        proven
    }
}

fn layer(provider: &Late, set: impl FnOnce(Builder) -> Builder) -> MagicLinkLayer {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    set(builder).build().unwrap()
}

fn browser(layer: &MagicLinkLayer) -> Browser {
    let inner = service_fn(|_: Request<String>| async {
        Ok::<_, Infallible>(Response::new("inside".to_owned()))
    });
    Browser::new(layer.layer(inner), ORIGIN)
}

/// The hook fails once, after the code is used up. The same link signs in by one press more, and
/// the provider is not asked again.
#[tokio::test]
async fn a_hook_that_fails_once_costs_one_press_more_and_no_new_mail() {
    let provider = Late::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let hook = {
        let asked = asked.clone();
        move |_: Identity| {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                match is_first {
                    true => Err(std::io::Error::other("the directory is out")),
                    false => Ok(Authorization::Allowed),
                }
            }
        }
    };
    let layer = layer(&provider, |builder| builder.authorize(hook));
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link();
    let failed = browser.open(link.clone()).await;
    assert_eq!(failed.status(), 503);
    assert!(
        failed
            .text()
            .contains(RejectionKind::ProviderUnavailable.heading())
    );
    let landed = browser.open(link).await;
    assert_eq!(landed.status(), 200);
    assert_eq!(landed.text(), "inside");
    assert_eq!(provider.stub.finished(), 1, "the code is redeemed once");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// A hook that hangs has failed after ten seconds. It does not hold the person, nor the proof.
#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_has_failed_in_time() {
    let provider = Late::default();
    let layer = layer(&provider, |builder| {
        builder.authorize(|_: Identity| pending::<Result<Authorization, std::io::Error>>())
    });
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let began = tokio::time::Instant::now();
    let failed = browser.open(provider.stub.last_link()).await;
    assert_eq!(failed.status(), 503);
    assert_eq!(began.elapsed().as_secs(), 10);
}

/// The provider redeems, and answers when the person has closed the page. The exchange ends all the
/// same, and the next press finds its session.
#[tokio::test(start_paused = true)]
async fn an_exchange_ends_although_the_person_has_left() {
    let provider = Late {
        by: Duration::from_secs(20),
        ..Late::default()
    };
    let layer = layer(&provider, |builder| builder);
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link();
    let mut gone = browser.clone();
    let left = tokio::time::timeout(Duration::from_secs(2), gone.open(link.clone())).await;
    assert!(left.is_err(), "the person leaves after two seconds");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let began = tokio::time::Instant::now();
    let landed = browser.open(link).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "it had ended");
    assert_eq!(landed.status(), 200);
    assert_eq!(landed.text(), "inside");
    assert_eq!(provider.stub.finished(), 1);
}

/// Pins: a person waited six minutes for a provider that hangs, and read a proxy's page; and a
/// session that came after a minute was forgotten as it came.
#[tokio::test(start_paused = true)]
async fn a_person_waits_for_45_seconds_and_the_next_press_joins_the_exchange() {
    for way in [SignIn::Code, SignIn::Link] {
        let provider = Late {
            by: Duration::from_secs(100),
            ..Late::default()
        };
        let clock = Running::default();
        let layer = layer(&provider, |builder| {
            builder.sign_in(way).clock(clock.clone())
        });
        let mut browser = browser(&layer).with_clock(clock);
        browser.get("/reports").await;
        let check = browser.submit_login(ADA).await.path().to_owned();
        let mut tries = 0;
        let landed = loop {
            let began = tokio::time::Instant::now();
            let visit = if way == SignIn::Code {
                browser.get(&check).await;
                let code = provider.stub.last_code().unwrap();
                browser.submit(&[("code", code.expose())]).await
            } else {
                browser.open(provider.stub.last_link()).await
            };
            tries += 1;
            if visit.status() != 503 {
                break visit;
            }
            assert_eq!(began.elapsed().as_secs(), 45);
            assert!(visit.text().contains("Try again"), "{}", visit.text());
        };
        assert_eq!((tries, landed.status().as_u16()), (3, 200));
        assert_eq!(landed.text(), "inside");
        assert_eq!(provider.stub.finished(), 1);
        // A minute from its end, not from its beginning.
        tokio::time::sleep(Duration::from_secs(50)).await;
        if way == SignIn::Link {
            let again = browser.open(provider.stub.last_link()).await;
            assert_eq!(again.text(), "inside");
            assert_eq!(provider.stub.finished(), 1);
        }
    }
}

/// Whoever does not wait for the answer would otherwise guess without an end.
#[tokio::test(start_paused = true)]
async fn a_code_whose_exchange_goes_on_has_taken_its_try() {
    let provider = Late {
        by: Duration::from_secs(50),
        ..Late::default()
    };
    let layer = layer(&provider, |builder| builder.sign_in(SignIn::Code));
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    let check = browser.submit_login(ADA).await.path().to_owned();
    let right: u32 = provider.stub.last_code().unwrap().expose().parse().unwrap();
    for by in 1..=6 {
        browser.get(&check).await;
        let guess = format!("{:06}", (right + by) % 1_000_000);
        let visit = browser.submit(&[("code", &guess)]).await;
        let want = if by <= 5 { 503 } else { 403 };
        assert_eq!(visit.status().as_u16(), want, "{by}: {}", visit.text());
    }
}

/// The panic may have come before or after the provider redeemed the code.
#[derive(Clone, Default)]
struct Panics(StubProvider);

impl IdentityProvider for Panics {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.start(start).await
    }

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        let _ = self.0.finish(code).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        panic!("a defect of the provider's")
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_exchange_that_panics_is_not_told_to_try_its_code_again() {
    let provider = Panics::default();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    let mut one = browser(&builder.build().unwrap());
    one.get("/reports").await;
    one.submit_login(ADA).await;
    let link = provider.0.last_link();
    let visits = [one.clone(), one].map(|mut browser| {
        let link = link.clone();
        tokio::spawn(async move { browser.open(link).await.text().into_owned() })
    });
    let told = futures_util::future::join_all(visits).await;
    let (told, panicked): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
    assert_eq!(panicked.len(), 1, "one passes the panic on");
    let told = told.into_iter().next().unwrap().unwrap();
    let want = RejectionKind::ProviderAnswerLost;
    assert!(told.contains(want.heading()), "{told}");
}

/// Time by tokio's clock, which goes on by itself while everybody waits.
#[derive(Clone, Debug)]
struct Running(tokio::time::Instant);

impl Default for Running {
    fn default() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for Running {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000) + self.0.elapsed()
    }
}

/// A store that cannot tell whether a session was ended.
#[derive(Debug)]
struct Out;

impl Revocations for Out {
    fn look_up(&self, _: &tower_magic_link::Session) -> Lookup {
        Lookup::Settled(Err(StoreError::new(StoreErrorKind::Unavailable)))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Pins: while the store was out, a person who was signed in read that their link was used up.
#[tokio::test]
async fn a_used_link_is_not_called_used_while_the_store_cannot_tell_of_its_session() {
    let provider = Late::default();
    let layer = layer(&provider, |builder| builder.revocations(Out));
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link().unwrap();
    browser.open(link.clone()).await;
    // WorkOS reports the link as used, by its own redirect.
    let url = url::Url::parse(link.expose()).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1;
    let refused = format!("{ORIGIN}/auth/callback?error=access_denied&state={state}");
    let page = browser.get(&refused).await;
    assert_eq!(page.status(), 503, "{}", page.text());
    assert!(
        page.text()
            .contains(RejectionKind::StoreUnavailable.heading())
    );
}

/// Pins: the session of a second try began after a revocation that had come in between, and lived.
#[tokio::test]
async fn what_was_proven_before_a_revocation_signs_nobody_in_after_it() {
    let provider = Late::default();
    let revocations = MemoryRevocations::default();
    let clock = ManualClock::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let layer = layer(&provider, |builder| {
        let asked = asked.clone();
        let hook = move |_: Identity| {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                match is_first {
                    true => Err(std::io::Error::other("the directory is out")),
                    false => Ok(Authorization::Allowed),
                }
            }
        };
        let builder = builder.authorize(hook).clock(clock.clone());
        builder.revocations(revocations.clone())
    });
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link();
    assert_eq!(browser.open(link.clone()).await.status(), 503);
    clock.advance(Duration::from_secs(10));
    let now = clock.now();
    let until = now + Duration::from_secs(86_400);
    revocations.record(&Revocation::new(
        Target::Address(ADA.to_owned()),
        now,
        until,
    ));
    clock.advance(Duration::from_secs(10));
    assert_ne!(browser.open(link).await.text(), "inside");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
