//! What failed at the provider or the mailer does not count.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::join_all;
use http::StatusCode;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SignIn, SigningKey,
    emulator::{Endpoint, Fault},
    mailer::{Mail, MailError, Mailer},
    provider::{
        Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind as Kind, Start,
        Started,
    },
    testing::ManualClock,
    throttle::{Limits, Rate},
};

use super::{SECOND, begin, exchange::follow, status};
use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, World, app_of},
};

const PEER: Option<&str> = Some("192.0.2.1");

async fn statuses(world: &World, tries: usize) -> Vec<u16> {
    let mut got = Vec::new();
    for _ in 0..tries {
        got.push(status(world, ADA, PEER).await);
    }
    got
}

type MakeError = fn() -> MailError;

#[tokio::test]
async fn tries_during_an_outage_of_the_provider_do_not_make_the_next_one_wait() {
    let out = StatusCode::SERVICE_UNAVAILABLE;
    let faults = [
        ("503", Fault::Status(out)),
        ("cut", Fault::Cut),
        ("429", Fault::RateLimited(SECOND)),
        ("401", Fault::Status(StatusCode::UNAUTHORIZED)),
    ];
    // Each world for itself, and all at once: most of the time is spent waiting to try again.
    let ways = [SignIn::Link, SignIn::Code, SignIn::LinkAndCode];
    let all = faults
        .iter()
        .flat_map(|(name, fault)| ways.map(|sign_in| (*name, fault, sign_in)));
    join_all(all.map(|(name, fault, sign_in)| try_through(name, fault, sign_in))).await;
}

async fn try_through(name: &str, fault: &Fault, sign_in: SignIn) {
    // Few to the network, so that a charge of it would show.
    let limits = Limits::default().mails_per_network(Rate::new(4, 600 * SECOND));
    let world = World::with(|builder| {
        let builder = builder.limits(limits);
        match sign_in {
            SignIn::LinkAndCode => builder.sign_in(sign_in).mailer(Post::default()),
            _ => builder.sign_in(sign_in),
        }
    })
    .await;
    for endpoint in [Endpoint::Create, Endpoint::MagicAuthCreate] {
        world.emulator().order_always(endpoint, fault.clone());
    }
    for failed in statuses(&world, 9).await {
        // A limit of WorkOS's may be this address's, and is never told.
        assert_eq!(failed == 303, name == "429", "{name} {sign_in:?}");
    }
    for endpoint in [Endpoint::Create, Endpoint::MagicAuthCreate] {
        world.emulator().clear_orders(endpoint);
    }
    let got = statuses(&world, 4).await;
    assert_eq!(got, [303, 303, 303, 429], "{name} {sign_in:?}");
}

/// A mailer that fails as it is told to.
struct Failing {
    mails: Arc<AtomicU32>,
    error: fn() -> MailError,
}

impl Mailer for Failing {
    async fn send(&self, _: &Mail<'_>) -> Result<(), MailError> {
        self.mails.fetch_add(1, Ordering::SeqCst);
        Err((self.error)())
    }
}

#[tokio::test]
async fn a_mail_that_cannot_have_left_is_given_back_and_no_other() {
    let cases: [(&str, MakeError, u32); 4] = [
        ("no connection", || MailError::because("no connection"), 9),
        ("421", || MailError::because("busy").with_status(421), 9),
        (
            "it may have left",
            || MailError::because("late").after_sending(),
            3,
        ),
        // Else a caller could have any number of such mails tried.
        ("550", || MailError::because("no").with_status(550), 3),
    ];
    for (name, error, want) in cases {
        let mails = Arc::new(AtomicU32::new(0));
        let failing = Failing {
            mails: mails.clone(),
            error,
        };
        let world = World::with(|builder| builder.mailer(failing)).await;
        let _ = statuses(&world, 9).await;
        assert_eq!(mails.load(Ordering::SeqCst), want, "{name}");
    }
}

/// A provider that mails links itself, and fails.
struct Unheard {
    asked: Arc<AtomicU32>,
    error: fn() -> ProviderError,
}

impl IdentityProvider for Unheard {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Err((self.error)())
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(Kind::Refused.into())
    }
}

/// Pins: of what may have left, an outage is given back, and an answer that came late is not.
#[tokio::test]
async fn a_link_that_the_provider_may_have_mailed_counts_unless_the_provider_was_out() {
    type Make = fn() -> ProviderError;
    let cases: [(&str, Make, u32); 5] = [
        ("out", || Kind::Unavailable.into(), 9),
        (
            "out, and not asked",
            || ProviderError::new(Kind::Unavailable).before_acting(),
            9,
        ),
        ("late", || Kind::TimedOut.into(), 3),
        (
            "late to connect",
            || ProviderError::new(Kind::TimedOut).before_acting(),
            9,
        ),
        ("unreadable", || Kind::InvalidAnswer.into(), 3),
    ];
    for (name, error, want) in cases {
        let asked = Arc::new(AtomicU32::new(0));
        let unheard = Unheard {
            asked: asked.clone(),
            error,
        };
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(unheard, keys)
            .public_url(ORIGIN)
            .clock(ManualClock::new())
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        for _ in 0..9 {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            let _ = begin(&mut browser, ADA, PEER, &[]).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), want, "{name}");
    }
}

#[tokio::test]
async fn an_address_that_the_provider_refuses_is_not_given_back() {
    for (sign_in, endpoint, status, code) in [
        // An answer that we do not know may be to the address.
        (SignIn::Link, Endpoint::Create, 422, "invalid_email"),
        (
            SignIn::Code,
            Endpoint::MagicAuthCreate,
            400,
            "email_domain_not_deliverable",
        ),
    ] {
        let world = World::with(|builder| builder.sign_in(sign_in)).await;
        let status = StatusCode::from_u16(status).unwrap();
        let fault = Fault::refusal(status, code);
        world.emulator().order_always(endpoint, fault);
        let got = statuses(&world, 5).await;
        assert_eq!(got[3..], [429, 429], "{code}: {got:?}");
    }
}

/// A slow failure has refilled by itself: given back too, there would be one mail more.
#[tokio::test]
async fn what_has_refilled_meanwhile_is_not_given_back_as_well() {
    let world = World::new().await;
    let hold = tower_magic_link::emulator::Hold::new();
    world
        .emulator()
        .order(Endpoint::Create, Fault::Hold(hold.clone()));
    let mut browser = world.browser();
    let slow = tokio::spawn(async move { begin(&mut browser, ADA, PEER, &[]).await.status() });
    hold.wait_for(1).await;
    world.clock.advance(180 * SECOND);
    assert_eq!(statuses(&world, 4).await, [303, 303, 303, 429]);
    let fault = Fault::Status(StatusCode::BAD_GATEWAY);
    world.emulator().order(Endpoint::Send, fault);
    hold.release();
    assert_eq!(slow.await.unwrap(), 503);
    assert_eq!(statuses(&world, 1).await, [429]);
}

#[tokio::test]
async fn an_outage_at_the_exchange_costs_the_link_nothing_and_asks_the_provider_ten_times() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    let out = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    world.emulator().order_always(Endpoint::Token, out);
    for _ in 0..15 {
        assert_ne!(follow(&mut browser, &callback, PEER).await.status(), 303);
    }
    assert_eq!(world.exchanges(), 10);
    world.emulator().clear_orders(Endpoint::Token);
    world.clock.advance(10 * SECOND);
    let answer = follow(&mut browser, &callback, PEER).await;
    assert_eq!(answer.location(), "/reports");
}

/// Otherwise the fourth answer would tell who may sign in.
#[tokio::test]
async fn an_outage_is_given_back_to_an_address_that_may_not_sign_in_too() {
    let failing = Failing {
        mails: Arc::default(),
        error: || MailError::because("no connection"),
    };
    let world = World::with(|builder| builder.mailer(failing).email_domains(["example.com"])).await;
    assert_eq!(statuses(&world, 5).await, [502; 5]);
    for number in 0..5 {
        let got = status(&world, "eve@elsewhere.example", PEER).await;
        assert_eq!(got, 502, "try {number}");
    }
}
