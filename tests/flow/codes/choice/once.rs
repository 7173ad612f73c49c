//! The one try of a choice belongs to the exchange: no request that ends early takes it along.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tower_magic_link::{
    Email, MagicLinkLayer,
    clock::Timestamp,
    provider::{
        Finish, FinishChoice, Identity, IdentityProvider, Organization, ProviderError,
        ProviderErrorKind, Start, Started,
    },
    store::StoreError,
    testing::{self, StubProvider},
    throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
};

use super::*;
use crate::{names::ORIGIN, redeemed::browser};

/// Counts at the other end of a network: a try is taken before the answer is back.
#[derive(Clone, Default)]
struct Far {
    memory: MemoryThrottle,
    taken: Arc<AtomicUsize>,
    given_back: Arc<AtomicUsize>,
}

const ROUND_TRIP: Duration = Duration::from_millis(20);

impl Throttle for Far {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        self.memory.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        let take = self.memory.take_try(key, most, until, now).await?;
        let is_taken = matches!(take, Take::Taken { .. });
        self.taken
            .fetch_add(usize::from(is_taken), Ordering::SeqCst);
        tokio::time::sleep(ROUND_TRIP).await;
        Ok(take)
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.given_back.fetch_add(1, Ordering::SeqCst);
        self.memory.give_try_back(key, now).await
    }
}

/// Takes its time over a choice, and fails in passing at first.
#[derive(Clone, Default)]
struct Failing {
    stub: StubProvider,
    by: Duration,
    /// How many choices fail.
    failing: usize,
    chosen: Arc<AtomicUsize>,
}

impl IdentityProvider for Failing {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.stub.finish(finish).await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        let before = self.chosen.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.by).await;
        if before < self.failing {
            return Err(ProviderError::new(ProviderErrorKind::Unavailable).before_acting());
        }
        self.stub.finish_choice(finish).await
    }
}

/// Opens the link, and is asked.
async fn asked(provider: &Failing, far: &Far) -> testing::Browser {
    let ada = Email::parse(ADA).unwrap();
    for (id, name) in [ACME, GLOBEX] {
        provider
            .stub
            .add_membership(&ada, Organization::new(id, name));
    }
    let keys = tower_magic_link::KeyRing::new(tower_magic_link::SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    let mut browser = browser(&builder.throttle(far.clone()).build().unwrap());
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let page = browser.open(provider.stub.last_link()).await;
    assert!(
        page.text().contains("Choose an organization"),
        "{}",
        page.text()
    );
    browser
}

async fn press(mut browser: testing::Browser, organization: &str) -> (u16, String) {
    let page = browser.submit(&[("organization", organization)]).await;
    (page.status().as_u16(), page.text().into_owned())
}

/// Pins: the second press found the try taken, and its page, which the browser showed, said that
/// the choice was no longer open.
#[tokio::test(start_paused = true)]
async fn a_double_press_is_one_choice_while_the_throttle_is_far_away() {
    let (provider, far) = (Failing::default(), Far::default());
    let browser = asked(&provider, &far).await;
    let presses = (0..3).map(|_| press(browser.clone(), ACME.0));
    for (status, text) in futures_util::future::join_all(presses).await {
        assert_eq!((status, text.as_str()), (200, "inside"));
    }
    assert_eq!(provider.chosen.load(Ordering::SeqCst), 1);
}

/// Pins: a try that the request had taken was lost with it.
#[tokio::test(start_paused = true)]
async fn what_fails_in_passing_after_the_browser_has_left_costs_no_choice() {
    let provider = Failing {
        by: Duration::from_secs(20),
        failing: 1,
        ..Failing::default()
    };
    let far = Far::default();
    let browser = asked(&provider, &far).await;
    let gone = press(browser.clone(), ACME.0);
    let left = tokio::time::timeout(Duration::from_secs(2), gone).await;
    assert!(left.is_err(), "the browser leaves after two seconds");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (_, text) = press(browser, GLOBEX.0).await;
    assert_eq!(text, "inside");
}

/// Pins: the page stopped waiting, and nobody gave the try back.
#[tokio::test(start_paused = true)]
async fn what_fails_in_passing_after_the_page_has_stopped_waiting_costs_no_choice() {
    let provider = Failing {
        by: Duration::from_secs(50),
        failing: 1,
        ..Failing::default()
    };
    let far = Far::default();
    let browser = asked(&provider, &far).await;
    assert_eq!(press(browser.clone(), ACME.0).await.0, 503);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(press(browser.clone(), GLOBEX.0).await.0, 503, "it waits");
    let (_, text) = press(browser, GLOBEX.0).await;
    assert_eq!(text, "inside");
}

/// A try that was given back twice would let two organizations be chosen.
#[tokio::test(start_paused = true)]
async fn a_try_that_failed_in_passing_is_given_back_once_however_many_have_waited() {
    let provider = Failing {
        by: Duration::from_secs(1),
        failing: 1,
        ..Failing::default()
    };
    let far = Far::default();
    let browser = asked(&provider, &far).await;
    let presses = (0..3).map(|_| press(browser.clone(), ACME.0));
    for (status, text) in futures_util::future::join_all(presses).await {
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("Choose an organization"), "{text}");
    }
    let counts = [&far.taken, &far.given_back].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counts, [1, 1]);
    let both = [ACME.0, GLOBEX.0].map(|id| press(browser.clone(), id));
    let both = futures_util::future::join_all(both).await;
    let signed_in = both.iter().filter(|(_, text)| text == "inside");
    assert_eq!(signed_in.count(), 1, "{both:?}");
    assert_eq!(provider.chosen.load(Ordering::SeqCst), 2);
}
