//! The limit for everybody together, limits that are off or shared, a throttle that fails.

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    store::{StoreError, StoreErrorKind},
    testing::StubProvider,
    throttle::{Charge, Charged, Limits, MemoryThrottle, Rate, Take, Throttle, ThrottleKey},
};

use super::{SECOND, begin, status};
use crate::{
    names::{ADA, EVE, ORIGIN},
    support::World,
};

/// Wide enough not to matter.
const WIDE: Rate = Rate::new(1_000, SECOND);

#[tokio::test]
async fn everybody_together_has_a_limit_and_a_refused_request_costs_no_other_limit_anything() {
    let everybody = Rate::new(2, 10 * SECOND);
    let limits = Limits::default().mails(everybody).mails_per_network(WIDE);
    let world = World::with(|builder| builder.limits(limits)).await;
    assert_eq!(status(&world, EVE, None).await, 303);
    assert_eq!(status(&world, EVE, None).await, 303);
    for _ in 0..10 {
        let answer = begin(&mut world.browser(), ADA, None, &[]).await;
        assert_eq!(answer.header("retry-after"), "10");
    }
    assert!(world.heard().contains("Throttled { scope: Everybody"));
    world.clock.advance(20 * SECOND);
    assert_eq!(status(&world, ADA, None).await, 303);
    assert_eq!(status(&world, ADA, None).await, 303);
}

#[tokio::test]
async fn who_is_signed_in_is_never_limited() {
    let one = Rate::new(1, 3_600 * SECOND);
    let limits = Limits::default().mails(one).codes(one).exchanges(one);
    let world = World::with(|builder| builder.limits(limits)).await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(status(&world, ADA, None).await, 429);
    for _ in 0..200 {
        assert_eq!(browser.get("/reports").await.status(), 200);
        assert_eq!(browser.get("/auth/session").await.status(), 200);
    }
}

#[tokio::test]
async fn limits_are_switched_off_by_an_insecure_name_alone() {
    let world = World::with(Builder::insecure_no_throttle).await;
    for _ in 0..10 {
        assert_eq!(status(&world, ADA, Some("192.0.2.1")).await, 303);
    }
    let on_again = |builder: Builder| builder.insecure_no_throttle().limits(Limits::default());
    let world = World::with(on_again).await;
    for want in [303, 303, 303, 429] {
        assert_eq!(status(&world, ADA, None).await, want);
    }
}

/// A store that fails, or hangs.
struct Broken(Option<StoreErrorKind>);

impl Broken {
    async fn answer<T>(&self) -> Result<T, StoreError> {
        match self.0 {
            Some(kind) => Err(StoreError::new(kind)),
            None => std::future::pending().await,
        }
    }
}

impl Throttle for Broken {
    async fn charge(&self, _: &[Charge], _: Timestamp) -> Result<Charged, StoreError> {
        self.answer().await
    }

    async fn take_try(
        &self,
        _: ThrottleKey,
        _: u32,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Take, StoreError> {
        self.answer().await
    }

    async fn give_try_back(&self, _: ThrottleKey, _: Timestamp) -> Result<(), StoreError> {
        self.answer().await
    }
}

#[tokio::test]
async fn a_throttle_that_fails_lets_mail_and_exchanges_pass_and_says_so() {
    let broken = Broken(Some(StoreErrorKind::Unavailable));
    let world = World::with(|builder| builder.throttle(broken)).await;
    for _ in 0..5 {
        assert_eq!(status(&world, ADA, None).await, 303);
    }
    world.signed_in(ADA).await;
    let heard = world.heard();
    assert!(
        heard.contains("ThrottleFailed { kind: Unavailable }"),
        "{heard}"
    );
}

#[tokio::test]
async fn layers_that_share_a_throttle_and_a_key_share_its_counts() {
    let throttle = MemoryThrottle::default();
    let world = World::with(|builder| builder.throttle(throttle.clone())).await;
    assert_eq!(throttle.keys(), 0);
    assert_eq!(status(&world, ADA, Some("192.0.2.1")).await, 303);
    let what = "pair and network, each at /32 and /24, address, everybody";
    assert_eq!(throttle.keys(), 6, "{what}");
    assert_eq!(format!("{throttle:?}"), "MemoryThrottle { keys: 6, .. }");
}

#[test]
fn a_rate_that_cannot_work_is_refused_by_build_with_its_value() {
    let none = Rate::new(0, SECOND);
    let cases = [
        (
            "mails_per_address",
            Limits::default().mails_per_address(none),
        ),
        (
            "mails_per_address_and_network",
            Limits::default().mails_per_address_and_network(none),
        ),
        (
            "mails_per_network",
            Limits::default().mails_per_network(none),
        ),
        ("mails", Limits::default().mails(none)),
        (
            "codes_per_address_and_network",
            Limits::default().codes_per_address_and_network(none),
        ),
        (
            "codes_per_network",
            Limits::default().codes_per_network(none),
        ),
        ("codes", Limits::default().codes(none)),
        (
            "exchanges_per_attempt",
            Limits::default().exchanges_per_attempt(none),
        ),
        (
            "exchanges_per_network",
            Limits::default().exchanges_per_network(none),
        ),
        ("exchanges", Limits::default().exchanges(none)),
        ("known_browsers", Limits::default().known_browsers(none)),
        ("quiet_networks", Limits::default().quiet_networks(none)),
    ];
    for (setting, limits) in cases {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
        let error = builder.limits(limits).build().unwrap_err();
        assert_eq!(error.setting(), setting);
        assert!(
            error
                .to_string()
                .contains("\"0 and one each 1s\" must have a burst")
        );
    }
}
