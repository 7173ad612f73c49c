//! How long a person waits for an exchange, and what becomes of one that goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    clock::{Clock, Timestamp},
    provider::{
        Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, StartCode,
        Started, StartedCode,
    },
    testing::StubProvider,
};

use crate::{
    names::{ADA, ORIGIN},
    redeemed::{Late, browser, layer},
    support::Post,
};

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

/// Pins: WorkOS calls the link used as soon as the first click's exchange has begun.
#[tokio::test(start_paused = true)]
async fn a_second_click_does_not_call_a_link_used_while_the_first_ones_exchange_goes_on() {
    let provider = Late {
        by: Duration::from_secs(80),
        ..Late::default()
    };
    let layer = layer(&provider, |builder| builder);
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let link = provider.stub.last_link().unwrap();
    let mut first = browser.clone();
    let left = tokio::time::timeout(Duration::from_secs(2), first.open(link.clone())).await;
    assert!(left.is_err(), "the second click calls the first one off");
    let (_, state) = link.expose().split_once("&state=").unwrap();
    let refused = format!("/auth/callback?error=access_denied&state={state}");
    let told = browser.get(&refused).await;
    assert_eq!(told.status(), 503, "{}", told.text());
    assert!(told.text().contains("Try again"), "{}", told.text());
    assert_eq!(browser.get(&refused).await.text(), "inside");
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

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let _ = self.0.finish(finish).await;
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

/// Its backend is gone, and it has no limit of its own.
#[derive(Clone, Default)]
struct Silent;

impl IdentityProvider for Silent {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        std::future::pending().await
    }

    async fn start_code(&self, _: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        std::future::pending().await
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        std::future::pending().await
    }
}

/// Pins: a mail kept its place among those under way for ever, and after 2,048 of them nobody got
/// one before a restart.
#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_keeps_no_place_for_longer_than_six_minutes() {
    for way in [SignIn::Link, SignIn::Code] {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(Silent, keys).public_url(ORIGIN);
        let builder = builder.sign_in(way).insecure_answer_when_sent();
        let mut person = browser(&builder.build().unwrap());
        person.get("/reports").await;
        let began = tokio::time::Instant::now();
        let told = person.submit_login(ADA).await;
        assert_eq!(
            (told.status().as_u16(), began.elapsed().as_secs()),
            (503, 360)
        );
    }
}

/// Pins: what a mail had shown was dated by when it was asked for. After the six minutes that was
/// too long ago for anybody.
#[tokio::test(start_paused = true)]
async fn an_outage_that_takes_minutes_to_show_is_told_to_those_who_come_then() {
    let clock = Running::default();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(Silent, keys).public_url(ORIGIN);
    let layer = builder.clock(clock.clone()).build().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let mut person = browser(&layer).with_clock(clock.clone());
        person.get("/reports").await;
        statuses.push(person.submit_login(ADA).await.status().as_u16());
        tokio::time::sleep(Duration::from_secs(365)).await;
    }
    assert_eq!(statuses, [200, 503]);
}

/// Its first call never ends. The others are answered at once, or fail after ten seconds.
#[derive(Clone, Default)]
struct Uneven {
    calls: Arc<AtomicUsize>,
    fails: bool,
    stub: StubProvider,
}

impl IdentityProvider for Uneven {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        if self.fails {
            tokio::time::sleep(Duration::from_secs(10)).await;
            return Err(ProviderErrorKind::Unavailable.into());
        }
        if self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            std::future::pending::<()>().await;
        }
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.stub.finish(finish).await
    }
}

fn uneven(fails: bool, clock: &Running) -> MagicLinkLayer {
    let provider = Uneven {
        fails,
        ..Uneven::default()
    };
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider, keys).public_url(ORIGIN);
    let builder = builder
        .mailer(Post::default())
        .email_domains(["example.com"]);
    builder.clock(clock.clone()).build().unwrap()
}

async fn asks(layer: &MagicLinkLayer, clock: &Running, address: &str) -> u16 {
    let mut person = browser(layer).with_clock(clock.clone());
    person.get("/reports").await;
    person.submit_login(address).await.status().as_u16()
}

/// Pins: a call that had hung for minutes told everybody of an outage, although later mail had gone
/// out.
#[tokio::test(start_paused = true)]
async fn a_fault_that_began_before_a_mail_that_went_out_is_over() {
    let clock = Running::default();
    let layer = uneven(false, &clock);
    assert_eq!(asks(&layer, &clock, ADA).await, 200);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(asks(&layer, &clock, "grace@example.com").await, 200);
    tokio::time::sleep(Duration::from_secs(65)).await;
    for address in ["eve@elsewhere.example", "linus@example.com"] {
        assert_eq!(asks(&layer, &clock, address).await, 200, "{address}");
    }
}

/// Pins: in an outage that takes a while to show, the charges of an address that may not sign in
/// were given back at once, and those of others when they had met it.
#[tokio::test(start_paused = true)]
async fn in_an_outage_that_takes_a_while_all_addresses_reach_their_limit_alike() {
    let told = async |address: &str| {
        let clock = Running::default();
        let layer = uneven(true, &clock);
        asks(&layer, &clock, "grace@example.com").await;
        tokio::time::sleep(Duration::from_secs(15)).await;
        let mut told = Vec::new();
        for _ in 0..6 {
            told.push(asks(&layer, &clock, address).await);
        }
        told
    };
    let good = told(ADA).await;
    assert!(good.contains(&503) && good.contains(&429), "{good:?}");
    assert_eq!(told("eve@elsewhere.example").await, good);
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
