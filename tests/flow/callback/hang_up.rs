//! A browser that hangs up during the exchange can finish later.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tower_magic_link::{
    KeyRing, MagicLinkLayer,
    provider::{Finish, Identity, IdentityProvider, ProviderError, Start, Started},
    testing::{ManualClock, StubProvider},
};

use super::parts;
use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, app_of},
};

/// Redeems like the stub, after waiting a while.
#[derive(Clone)]
struct Slow(StubProvider);

impl IdentityProvider for Slow {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        tokio::task::yield_now().await;
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        for _ in 0..6 {
            tokio::task::yield_now().await;
        }
        let identity = self.0.finish(finish).await;
        for _ in 0..6 {
            tokio::task::yield_now().await;
        }
        identity
    }
}

/// Polls a future so many times, and drops it if it is not ready by then.
async fn hang_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() && left == 0 {
            return Poll::Ready(None);
        }
        polled.map(Some)
    })
    .await
}

#[tokio::test]
async fn a_browser_that_hangs_up_anywhere_in_the_exchange_gets_in_on_the_next_try() {
    let stub = StubProvider::new();
    let keys = KeyRing::new(tower_magic_link::SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(Slow(stub.clone()), keys)
        .public_url(ORIGIN)
        .insecure_no_throttle()
        .insecure_answer_when_sent()
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let mut hung_up = 0;
    for polls in 0.. {
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.ask_for_link(ADA, "/reports").await;
        let link = stub.last_link().unwrap();
        let callback = link.expose().strip_prefix(ORIGIN).unwrap().to_owned();
        let exchanged = stub.finished();
        let first = hang_up_after(polls, browser.clone().get(&callback)).await;
        hung_up += usize::from(first.is_none());
        let answer = browser.get(&callback).await;
        assert_eq!(answer.location(), "/reports", "hung up after {polls} polls");
        assert_eq!(
            stub.finished(),
            exchanged + 1,
            "hung up after {polls} polls"
        );
        if first.is_some() {
            break;
        }
    }
    assert!(hung_up > 5, "{hung_up} places to hang up at");
}

#[tokio::test]
async fn whoever_hangs_up_ten_thousand_times_makes_nobody_elses_exchange_be_forgotten() {
    let stub = StubProvider::new();
    let keys = KeyRing::new(tower_magic_link::SigningKey::generate().unwrap());
    let clock = ManualClock::new();
    let layer = MagicLinkLayer::builder(Slow(stub.clone()), keys)
        .public_url(ORIGIN)
        .insecure_no_throttle()
        .insecure_answer_when_sent()
        .clock(clock.clone())
        .build()
        .unwrap();
    let begun = async |address: &str| {
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.ask_for_link(address, "/reports").await;
        let link = stub.last_link().unwrap();
        let callback = link.expose().strip_prefix(ORIGIN).unwrap().to_owned();
        (browser, callback)
    };
    let (ada, callback) = begun(ADA).await;
    let (mallory, theirs) = begun("mallory@example.com").await;
    assert_eq!(ada.clone().get(&callback).await.location(), "/reports");
    clock.advance(Duration::from_secs(1));
    let (_, state) = parts(&theirs);
    for number in 0..10_001 {
        let made_up = format!("/auth/callback?code=made-up-{number}&state={state}");
        let answer = hang_up_after(1, mallory.clone().get(&made_up)).await;
        assert!(answer.is_none(), "it was waiting");
    }
    assert_eq!(ada.clone().get(&callback).await.location(), "/reports");
    assert_eq!(stub.finished(), 1);
}
