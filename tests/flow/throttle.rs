//! Limits: a person who asks for mail too often has to wait, and nobody else does.

use std::{net::SocketAddr, time::Duration};

use http::Request;
use tower_magic_link::{
    Builder, ForwardedField, KeyRing, MagicLinkLayer, PeerAddr, Rejection, RejectionKind,
    SigningKey,
    clock::Timestamp,
    emulator::Endpoint,
    store::{StoreError, StoreErrorKind},
    testing::StubProvider,
    throttle::{Charge, Charged, Limits, MemoryThrottle, Rate, Take, Throttle, ThrottleKey},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Browser, World},
};

const SECOND: Duration = Duration::from_secs(1);
/// Wide enough not to matter.
const WIDE: Rate = Rate::new(1_000, SECOND);

/// Begins a sign-in, from a peer where one is given, with more header fields.
async fn begin(
    browser: &mut Browser,
    email: &str,
    peer: Option<&str>,
    fields: &[(&str, &str)],
) -> Answer {
    let mut request = Request::post("/auth/login")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if let Some(peer) = peer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
        request = request.extension(PeerAddr::from(peer));
    }
    let email: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    let request = request.body(format!("email={email}").into()).unwrap();
    browser.send(request).await
}

async fn status(world: &World, email: &str, peer: Option<&str>) -> u16 {
    let answer = begin(&mut world.browser(), email, peer, &[]).await;
    answer.status().as_u16()
}

fn by_network(rate: Rate) -> impl FnOnce(Builder) -> Builder {
    move |builder| builder.limits(Limits::default().mails_per_network(rate))
}

/// Threat 55.
#[tokio::test]
async fn of_many_that_begin_together_exactly_as_many_get_a_mail_as_the_limit_says() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let mut browser = world.browser();
        tasks.spawn(async move { begin(&mut browser, ADA, None, &[]).await.status() });
    }
    let statuses = tasks.join_all().await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(303), count(429)), (3, 37));
    assert_eq!(world.emulator().count(Endpoint::Send), 3);
    assert_eq!(world.emulator().count(Endpoint::Create), 3);
    assert_eq!(status(&world, EVE, None).await, 303, "another address");
}

#[tokio::test]
async fn asking_for_the_link_again_counts_as_well() {
    let world = World::new().await;
    let mut browser = world.browser();
    let check = browser.ask_for_link(ADA, "/").await;
    assert!(check.text().contains("/auth/login"), "the resend form");
    for want in [303, 303, 429] {
        let again = browser.post("/auth/login", "email=ada%40example.com").await;
        assert_eq!(again.status().as_u16(), want);
    }
}

#[tokio::test]
async fn over_the_limit_every_address_is_answered_by_the_same_bytes() {
    let world = World::with(|builder| builder.email_domains(["example.com"])).await;
    let mut answers = Vec::new();
    for email in [ADA, "eve@example.org", "bob@example.com"] {
        let mut browser = world.browser();
        browser.get("/auth/login").await;
        for _ in 0..3 {
            assert_eq!(begin(&mut browser, email, None, &[]).await.status(), 303);
        }
        let answer = begin(&mut browser, email, None, &[]).await;
        assert_eq!(answer.status(), 429, "{email}");
        assert_eq!(answer.header("retry-after"), "180");
        let text = answer.text();
        assert!(
            text.contains(RejectionKind::RateLimited.heading()),
            "{text}"
        );
        assert!(text.contains("Please try again in 3 minutes."), "{text}");
        let rejection = answer.head.extensions.get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::RateLimited);
        // The cookie that each browser sent is set again; it differs by browser alone.
        let mut fields = answer.head.headers.clone();
        fields.remove("set-cookie");
        // The page has the address that was typed, for the next try.
        answers.push((fields, text.replace(email, "…")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    let heard = world.heard();
    assert!(
        heard.contains("Throttled { scope: Address, email: Some(a***@example.com) }"),
        "{heard}"
    );
    assert!(!heard.contains(ADA));
}

#[tokio::test]
async fn addresses_that_differ_in_case_or_spaces_share_a_limit() {
    let world = World::new().await;
    for (email, want) in [
        (ADA, 303),
        ("Ada@Example.com", 303),
        (" ADA@EXAMPLE.COM ", 303),
        ("aDa@example.com", 429),
        ("ada@example.org", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
}

/// A mailbox has as many tags as one likes to think of, and its owner one patience.
#[tokio::test]
async fn addresses_that_differ_in_their_tag_share_a_limit_and_stay_addresses() {
    let world = World::new().await;
    for (email, want) in [
        ("ada+1@example.com", 303),
        ("Ada+2+3@example.com", 303),
        (ADA, 303),
        ("ada+4@example.com", 429),
        ("ada+4@example.org", 303),
        ("bob+ada@example.com", 303),
        ("+ada@example.com", 303),
        ("+bob@example.com", 303),
        ("+bob+1@example.com", 303),
        ("+@example.com", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
    assert!(world.emulator().last_link_to("ada+1@example.com").is_some());
}

/// Gmail delivers a name with dots anywhere, at either of its domains, to one mailbox.
#[tokio::test]
async fn gmail_addresses_that_differ_in_dots_share_a_limit_and_stay_addresses() {
    let world = World::new().await;
    for (email, want) in [
        ("ada@gmail.com", 303),
        ("a.da@gmail.com", 303),
        ("A.D.A+x@googlemail.com", 303),
        ("ad.a@gmail.com", 429),
        ("a.da@example.com", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
    assert!(world.emulator().last_link_to("a.da@gmail.com").is_some());
}

#[tokio::test]
async fn the_wait_that_is_told_is_exact() {
    let world = World::new().await;
    for _ in 0..3 {
        assert_eq!(status(&world, ADA, None).await, 303);
    }
    world.clock.advance(25 * SECOND);
    let answer = begin(&mut world.browser(), ADA, None, &[]).await;
    assert_eq!(answer.header("retry-after"), "155");
    assert!(answer.text().contains("2 minutes and 35 seconds"));
    world.clock.advance(154 * SECOND);
    let answer = begin(&mut world.browser(), ADA, None, &[]).await;
    assert_eq!(answer.header("retry-after"), "1");
    assert!(answer.text().contains("in 1 second."));
    world.clock.advance(SECOND);
    assert_eq!(status(&world, ADA, None).await, 303);
    assert_eq!(status(&world, ADA, None).await, 429);
}

/// Whoever asked without end had each refill of an address, and its owner none.
#[tokio::test]
async fn a_stranger_who_asks_without_end_keeps_nobody_at_another_network_from_a_mail() {
    let world = World::new().await;
    let (stranger, owner) = (Some("192.0.2.1"), Some("198.51.100.1"));
    let mut got = 0;
    for ten_seconds in 0..=720 {
        got += usize::from(status(&world, ADA, stranger).await == 303);
        // Every twenty minutes the owner needs three mails.
        if ten_seconds % 120 == 0 {
            for _ in 0..3 {
                assert_eq!(status(&world, ADA, owner).await, 303, "{ten_seconds}");
            }
            assert_eq!(status(&world, ADA, owner).await, 429, "{ten_seconds}");
        }
        world.clock.advance(10 * SECOND);
    }
    assert_eq!(got, 3 + 2 * 3_600 / 180, "one network's share in two hours");
}

#[tokio::test]
async fn many_networks_together_have_an_address_mailed_no_more_often_than_its_own_limit_says() {
    let world = World::new().await;
    let mut got = Vec::new();
    for ten_seconds in 0..=360 {
        let before: usize = got.iter().sum();
        let mut mails = 0;
        for number in 0..2 {
            let peer = format!("10.{number}.{}.{}", ten_seconds / 256, ten_seconds % 256);
            mails += usize::from(status(&world, ADA, Some(&peer)).await == 303);
        }
        got.push(mails);
        assert!(before + mails <= 10 + ten_seconds / 12, "{ten_seconds}");
        world.clock.advance(10 * SECOND);
    }
    assert_eq!(got.iter().sum::<usize>(), 40, "in the first hour");
    let heard = world.heard();
    assert!(heard.contains("Throttled { scope: Address, email: Some(a***@example.com) }"));
    assert_eq!(status(&world, EVE, Some("10.0.0.1")).await, 303);
}

#[tokio::test]
async fn a_network_has_its_own_share_of_each_address_and_a_tag_or_a_neighbour_buys_no_more() {
    let world = World::new().await;
    let cases = [
        (ADA, "2001:db8::1", 303),
        ("Ada+1@example.com", "2001:db8::2", 303),
        ("ada+2@example.com", "2001:db8::3", 303),
        (ADA, "2001:db8::4", 429),
        (ADA, "2001:db8:0:1::1", 303),
        (EVE, "2001:db8::1", 303),
    ];
    for (email, peer, want) in cases {
        assert_eq!(
            status(&world, email, Some(peer)).await,
            want,
            "{email} {peer}"
        );
    }
}

#[tokio::test]
async fn a_network_is_an_ipv4_address_or_64_bits_of_ipv6() {
    let two = Rate::new(2, 60 * SECOND);
    let cases = [
        ("IPv4", ["192.0.2.1", "192.0.2.1", "192.0.2.1"], 429),
        (
            "IPv4 mapped",
            ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"],
            429,
        ),
        (
            "IPv4 neighbour",
            ["192.0.2.1", "192.0.2.1", "192.0.2.2"],
            303,
        ),
        (
            "one /64",
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1"],
            429,
        ),
        (
            "another /64",
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"],
            303,
        ),
    ];
    for (name, peers, want) in cases {
        let world = World::with(by_network(two)).await;
        let mut got = Vec::new();
        for (number, peer) in peers.into_iter().enumerate() {
            got.push(status(&world, &format!("n{number}@example.com"), Some(peer)).await);
        }
        assert_eq!(got, [303, 303, want], "{name}");
    }
}

#[tokio::test]
async fn whose_peer_is_not_known_shares_no_network_with_anybody() {
    let world = World::with(by_network(Rate::new(1, 60 * SECOND))).await;
    for number in 0..5 {
        assert_eq!(
            status(&world, &format!("n{number}@example.com"), None).await,
            303
        );
    }
}

#[tokio::test]
async fn a_layer_warns_once_that_the_client_is_not_known_and_never_where_it_is() {
    crate::secrets::listen();
    let cases = [
        ("https://unknown.example.com", None, true, 1),
        ("https://another.example.com", None, true, 1),
        ("https://known.example.com", Some("192.0.2.1"), true, 0),
        ("https://unlimited.example.com", None, false, 0),
    ];
    for (public_url, peer, is_limited, want) in cases {
        let world = World::with(|builder| {
            let builder = builder.public_url(public_url);
            if is_limited {
                builder
            } else {
                builder.insecure_no_throttle()
            }
        })
        .await;
        for email in [ADA, EVE, ADA] {
            assert_eq!(status(&world, email, peer).await, 303);
        }
        let logged = crate::secrets::logged();
        let warned: Vec<_> = logged
            .lines()
            .filter(|line| line.contains("client address unknown") && line.contains(public_url))
            .collect();
        assert_eq!(warned.len(), want, "{public_url}: {warned:?}");
        for line in warned {
            assert!(
                line.contains("PeerAddr") && line.contains("connect_info"),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_client_is_and_only_in_its_field() {
    let configure = |field| {
        move |builder: Builder| {
            by_network(Rate::new(1, 60 * SECOND))(builder)
                .trusted_proxies(["10.0.0.0/8"])
                .forwarded_field(field)
        }
    };
    let (xff, forwarded) = (ForwardedField::XForwardedFor, ForwardedField::Forwarded);
    let cases = [
        ("untrusted", xff, "192.0.2.1", "x-forwarded-for", "{}", 429),
        (
            "untrusted",
            forwarded,
            "192.0.2.1",
            "forwarded",
            "for={}",
            429,
        ),
        ("trusted", xff, "10.0.0.1", "x-forwarded-for", "{}", 303),
        ("trusted", forwarded, "10.0.0.1", "forwarded", "for={}", 303),
        ("other field", xff, "10.0.0.1", "forwarded", "for={}", 429),
        (
            "other field",
            forwarded,
            "10.0.0.1",
            "x-forwarded-for",
            "{}",
            429,
        ),
        (
            "forged",
            xff,
            "10.0.0.1",
            "x-forwarded-for",
            "{}, 192.0.2.7",
            429,
        ),
    ];
    for (name, field, peer, header, value, want) in cases {
        let world = World::with(configure(field)).await;
        let mut got = Vec::new();
        for number in 0..2 {
            let value = value.replace("{}", &format!("198.51.100.{number}"));
            let email = format!("n{number}@example.com");
            let fields = [(header, value.as_str())];
            let answer = begin(&mut world.browser(), &email, Some(peer), &fields).await;
            got.push(answer.status().as_u16());
        }
        assert_eq!(got, [303, want], "{name}, {field:?}");
    }
}

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

/// Follows a callback, from a peer where one is given.
async fn follow(browser: &mut Browser, callback: &str, peer: Option<&str>) -> Answer {
    let mut request = Request::get(callback)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate");
    if let Some(peer) = peer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
        request = request.extension(PeerAddr::from(peer));
    }
    browser
        .send(request.body(String::new().into()).unwrap())
        .await
}

/// A throttle at the other end of a network.
#[derive(Debug, Default)]
pub(crate) struct Far {
    memory: MemoryThrottle,
    takes_nothing_back: bool,
}

impl Far {
    pub(crate) fn that_takes_nothing_back() -> Self {
        Self {
            takes_nothing_back: true,
            ..Self::default()
        }
    }
}

impl Throttle for Far {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.memory.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        self.memory.take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        if self.takes_nothing_back {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        self.memory.give_try_back(key, now).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_share_an_exchange_are_counted_once() {
    let once = Rate::new(1, 10 * SECOND);
    let configure = |builder: Builder| {
        let limits = Limits::default().exchanges_per_attempt(once);
        builder.throttle(Far::default()).limits(limits)
    };
    let world = World::with(configure).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    let clicks: Vec<_> = (0..64)
        .map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move { browser.get(&callback).await })
        })
        .collect();
    for click in clicks {
        assert_eq!(click.await.unwrap().location(), "/reports");
    }
    assert_eq!(world.exchanges(), 1);
}

/// Whoever has one state and its browser could ask WorkOS in everybody's name, without end.
#[tokio::test]
async fn made_up_codes_ask_the_provider_no_more_often_than_the_limit_says_and_use_nothing_up() {
    let two = Rate::new(2, 10 * SECOND);
    let peer = Some("192.0.2.1");
    let cases = [
        (
            "Attempt",
            Limits::default().exchanges_per_attempt(two),
            None,
        ),
        (
            "Network",
            Limits::default().exchanges_per_network(two),
            peer,
        ),
        ("Everybody", Limits::default().exchanges(two), peer),
    ];
    for (scope, limits, peer) in cases {
        let world = World::with(|builder| builder.limits(limits)).await;
        let mut browser = world.browser();
        browser.ask_for_link(ADA, "/reports").await;
        let callback = world.follow_mail(ADA).await;
        let (_, state) = callback.split_once("&state=").unwrap();
        for number in 0..10 {
            let made_up = format!("/auth/callback?code=made-up-{number}&state={state}");
            let want = if number < 2 { 303 } else { 429 };
            let answer = follow(&mut browser.clone(), &made_up, peer).await;
            assert_eq!(answer.status(), want, "{scope} {number}");
        }
        assert_eq!(world.exchanges(), 2, "{scope}");
        let heard = world.heard();
        let told = format!("Throttled {{ scope: {scope}, email: None }}");
        assert_eq!(heard.matches(&told).count(), 8, "{heard}");

        let limited = follow(&mut browser, &callback, peer).await;
        assert_eq!(limited.header("retry-after"), "10", "{scope}");
        let text = limited.text();
        assert!(
            text.contains(RejectionKind::RateLimited.heading()),
            "{text}"
        );
        // The way on is the way that they came.
        let link = format!("href=\"{}\"", callback.replace('&', "&#38;"));
        assert!(text.contains(&link), "{link} in {text}");
        assert!(!text.contains("name=\"email\""), "{text}");
        let rejection = limited.head.extensions.get::<Rejection>().unwrap();
        assert!(!format!("{rejection:?}").contains(state));
        world.clock.advance(10 * SECOND);
        let answer = follow(&mut browser, &callback, peer).await;
        assert_eq!(answer.location(), "/reports", "{scope}");
        // What is known costs nothing.
        for _ in 0..5 {
            let again = follow(&mut browser, &callback, peer).await;
            assert_eq!(again.location(), "/reports", "{scope}");
        }
        assert_eq!(world.exchanges(), 3, "{scope}");
    }
}

#[tokio::test]
async fn a_program_hears_of_too_many_exchanges_by_a_problem_and_others_are_not_held_up() {
    let limits = Limits::default().exchanges_per_network(Rate::new(1, 60 * SECOND));
    let world = World::with(|builder| builder.limits(limits)).await;
    let mut callbacks = Vec::new();
    for email in [ADA, EVE, "bob@example.com"] {
        let mut browser = world.browser();
        browser.ask_for_link(email, "/").await;
        callbacks.push((browser, world.follow_mail(email).await));
    }
    let peers = ["192.0.2.1", "192.0.2.1", "192.0.2.2"];
    let mut got = Vec::new();
    for ((browser, callback), peer) in callbacks.iter_mut().zip(peers) {
        got.push(
            follow(browser, callback, Some(peer))
                .await
                .status()
                .as_u16(),
        );
    }
    assert_eq!(got, [303, 429, 303]);
    // A network's codes are counted apart.
    let (browser, callback) = &mut callbacks[1];
    let request = Request::get(callback.as_str());
    let peer = PeerAddr::from(SocketAddr::new("192.0.2.1".parse().unwrap(), 4_000));
    let request = request.extension(peer).body(String::new().into()).unwrap();
    let answer = browser.send(request).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.code(), RejectionKind::RateLimited.code());
    assert_eq!(answer.header("retry-after"), "60");
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
    assert_eq!(throttle.keys(), 4, "pair, address, network, everybody");
    assert_eq!(format!("{throttle:?}"), "MemoryThrottle { keys: 4, .. }");
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
