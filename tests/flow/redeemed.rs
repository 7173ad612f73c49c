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
    Authorization, Builder, KeyRing, MagicLinkLayer, RejectionKind, SigningKey,
    clock::Clock,
    provider::{
        Finish, FinishChoice, FinishCode, Identity, IdentityProvider, ProviderError, Start,
        StartCode, Started, StartedCode,
    },
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::{Browser, ManualClock, StubProvider},
};

use crate::names::{ADA, ORIGIN};

/// Redeems a code at once, and answers later.
#[derive(Clone, Default)]
pub(crate) struct Late {
    pub(crate) stub: StubProvider,
    pub(crate) by: Duration,
    /// How often the answer came.
    pub(crate) answered: Arc<AtomicUsize>,
}

impl IdentityProvider for Late {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let proven = self.stub.finish(finish).await;
        tokio::time::sleep(self.by).await;
        self.answered.fetch_add(1, Ordering::SeqCst);
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

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        let proven = self.stub.finish_choice(finish).await;
        tokio::time::sleep(self.by).await;
        proven
    }
}

pub(crate) fn layer(provider: &Late, set: impl FnOnce(Builder) -> Builder) -> MagicLinkLayer {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    set(builder).build().unwrap()
}

pub(crate) fn browser(layer: &MagicLinkLayer) -> Browser {
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
    assert_eq!(provider.answered.load(Ordering::SeqCst), 1, "nobody waits");
    let began = tokio::time::Instant::now();
    let landed = browser.open(link).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "it had ended");
    assert_eq!(landed.status(), 200);
    assert_eq!(landed.text(), "inside");
    assert_eq!(provider.stub.finished(), 1);
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
    // The other half of a double click: the response with the session's cookie has not come to it.
    let mut other_half = browser.clone();
    browser.open(link.clone()).await;
    // WorkOS reports the link as used, by its own redirect.
    let url = url::Url::parse(link.expose()).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1;
    let refused = format!("{ORIGIN}/auth/callback?error=access_denied&state={state}");
    for browser in [&mut browser, &mut other_half] {
        let page = browser.get(&refused).await;
        assert_eq!(page.status(), 503, "{}", page.text());
        assert!(
            page.text()
                .contains(RejectionKind::StoreUnavailable.heading())
        );
    }
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
