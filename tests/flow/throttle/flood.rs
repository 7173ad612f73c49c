//! How many networks keep one person out, or everybody. Prints what it measures.

use std::collections::{BTreeSet, VecDeque};

use http::Request;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, PeerAddr, SigningKey,
    testing::{ManualClock, StubProvider},
    throttle::MemoryThrottle,
};

use super::{SECOND, begin};
use crate::{
    names::{ADA, ORIGIN},
    support::{App, Browser, app_of},
};

/// A layer at its defaults, in front of a provider that costs nothing.
struct Site {
    app: App,
    clock: ManualClock,
    provider: StubProvider,
    throttle: MemoryThrottle,
}

impl Site {
    fn new() -> Self {
        let (clock, provider) = (ManualClock::new(), StubProvider::new());
        let throttle = MemoryThrottle::default();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(provider.clone(), keys)
            .public_url(ORIGIN)
            .clock(clock.clone())
            .throttle(throttle.clone())
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        Self {
            app: app_of(&layer),
            clock,
            provider,
            throttle,
        }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.app.clone(), ORIGIN)
    }

    /// Asks for mail from a peer, in a browser of its own. Says whether it was mailed.
    async fn asks(&self, email: &str, peer: &str) -> bool {
        let answer = begin(&mut self.browser(), email, Some(peer), &[]).await;
        self.is_mailed(answer.status().as_u16())
    }

    fn is_mailed(&self, status: u16) -> bool {
        assert!(matches!(status, 303 | 429), "{status}");
        status == 303
    }

    /// Signs a browser in from a peer.
    async fn signed_in(&self, email: &str, peer: &str) -> Browser {
        let mut browser = self.browser();
        let mailed = begin(&mut browser, email, Some(peer), &[]).await;
        assert_eq!(mailed.status(), 303);
        let link = self.provider.last_link().unwrap();
        assert_eq!(
            self.comes_back(&mut browser, link.expose(), peer).await,
            303
        );
        browser
    }

    /// Follows a link from a peer.
    async fn comes_back(&self, browser: &mut Browser, link: &str, peer: &str) -> u16 {
        let request = Request::get(link.strip_prefix(ORIGIN).unwrap())
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .extension(peer_of(peer));
        let request = request.body(String::new().into()).unwrap();
        browser.send(request).await.status().as_u16()
    }
}

fn peer_of(peer: &str) -> PeerAddr {
    PeerAddr::from(std::net::SocketAddr::new(peer.parse().unwrap(), 4_000))
}

/// An IPv4 address in the /24 of this number.
fn site(number: usize, host: u8) -> String {
    format!(
        "{}.{}.{}.{host}",
        1 + number / 65_536,
        number / 256 % 256,
        number % 256
    )
}

/// An address in one of the 256 networks of one home.
fn home(network: usize) -> String {
    format!("2001:db8:1:1{:02x}::1", network % 256)
}

/// Ten networks and a hundred sign-ins of their own kept everybody from finishing.
// Each used link waits a second for another click.
#[tokio::test(start_paused = true)]
async fn the_links_of_others_keep_nobody_from_finishing_in_the_browser_that_began() {
    let world = Site::new();
    let mut innocents = Vec::new();
    for number in 0..40 {
        let (mut browser, peer) = (world.browser(), site(1_000 + number, 1));
        let email = format!("i{number}@example.com");
        let mailed = begin(&mut browser, &email, Some(&peer), &[]).await;
        assert_eq!(mailed.status(), 303);
        innocents.push((browser, world.provider.last_link().unwrap(), peer));
    }
    let mut strangers = Vec::new();
    for number in 0..100 {
        // Their mails come by and by, before the attack.
        world.clock.advance(SECOND);
        let (mut browser, peer) = (world.browser(), site(number % 10, 1));
        let email = format!("s{number}@example.org");
        let mailed = begin(&mut browser, &email, Some(&peer), &[]).await;
        assert_eq!(mailed.status(), 303);
        let link = world.provider.last_link().unwrap();
        let (_, state) = link.expose().split_once("state=").unwrap();
        strangers.push((browser, state.to_owned(), peer));
    }
    let (mut refused, mut asked) = (0, 0);
    for number in 0..20 {
        for (browser, state, peer) in &mut strangers {
            let link = format!("{ORIGIN}/auth/callback?code=made-up-{number}&state={state}");
            let status = world.comes_back(browser, &link, peer).await;
            (asked, refused) = (asked + 1, refused + u32::from(status == 429));
        }
    }
    let mut kept_out = 0;
    for (browser, link, peer) in &mut innocents {
        kept_out += u32::from(world.comes_back(browser, link.expose(), peer).await != 303);
    }
    println!("callbacks: of {asked} made up {refused} refused; kept out: {kept_out} of 40");
    assert_eq!(kept_out, 0);
    assert!(refused >= 1_500, "an attempt has five");
    assert!(world.provider.finished() <= 540);
}

/// One /56 at 31 requests a second kept 24 of 40 out, at 285 a second 58 of 62.
#[tokio::test]
async fn one_home_that_asks_without_end_keeps_nobody_out() {
    for a_second in [31, 285] {
        let world = Site::new();
        let (mut mailed, mut kept_out, mut number) = (0, 0, 0);
        for second in 0..40 {
            for _ in 0..a_second {
                let email = format!("s{number}@example.org");
                mailed += u32::from(world.asks(&email, &home(number)).await);
                number += 1;
            }
            let email = format!("i{second}@example.com");
            kept_out += u32::from(!world.asks(&email, &site(second, 1)).await);
            world.clock.advance(SECOND);
        }
        println!("a /56, {a_second} a second: {mailed} mailed, kept out: {kept_out} of 40");
        assert_eq!(kept_out, 0, "{a_second}");
        assert!(mailed <= 120 + 40 * 2 / 5, "the /56's own: {mailed}");
    }
}

/// Eight /64s of one /56 kept one person out of their mail for seven minutes.
#[tokio::test]
async fn eight_networks_of_one_home_keep_nobody_out_of_their_mail() {
    let world = Site::new();
    let mut got = Vec::new();
    for minute in 0..60 {
        for _ in 0..15 {
            for network in 0..8 {
                world.asks(ADA, &home(network)).await;
            }
            world.clock.advance(4 * SECOND);
        }
        // The person tries every ten minutes.
        if minute % 10 == 9 {
            got.push(world.asks(ADA, "198.51.100.1").await);
        }
    }
    println!("eight /64s of one /56, an address: the person got {got:?}");
    assert_eq!(got, [true; 6]);
}

/// Returns how many of twelve tries of one person came to a mail, while that many networks ask for
/// the same address without end: from a new browser, and from one that has signed in.
async fn one_person(networks: usize) -> (u32, u32) {
    let world = Site::new();
    let mut known = world.signed_in(ADA, "198.51.100.1").await;
    let (mut new_got, mut known_got) = (0, 0);
    for minute in 0..120 {
        for stranger in 0..networks {
            for host in 1..=2 {
                world.asks(ADA, &site(stranger, host)).await;
            }
            // Everybody's share too.
            world
                .asks(
                    &format!("{minute}-{stranger}@example.org"),
                    &site(stranger, 3),
                )
                .await;
        }
        // Half an hour later the attack is in full swing. The person sits in one of its networks.
        if minute >= 30 && minute % 10 == 0 {
            new_got += u32::from(world.asks(ADA, "198.51.100.1").await);
            let answer = begin(&mut known, ADA, Some(&site(0, 1)), &[]).await;
            known_got += u32::from(world.is_mailed(answer.status().as_u16()));
        }
        world.clock.advance(60 * SECOND);
    }
    println!(
        "{networks} networks, one person: {new_got} of 9 in a new browser, \
         {known_got} of 9 in a known one"
    );
    (new_got, known_got)
}

#[tokio::test]
async fn no_number_of_networks_keeps_one_person_out_who_has_signed_in_in_this_browser() {
    assert_eq!(one_person(1).await, (9, 9));
    // The documented two. A minute is their slowest, so that the person is lucky at times.
    assert_eq!(one_person(3).await, (0, 9));
    assert_eq!(one_person(40).await, (0, 9));
}

/// What an hour of a flood from that many addresses, each in a /24 of its own, does to people in
/// new browsers.
struct Hour {
    tried: u32,
    kept_out: u32,
    /// The longest time in which nobody was mailed, in seconds.
    longest: u64,
    mailed: u32,
    most_keys: usize,
}

async fn an_hour_of(networks: usize) -> Hour {
    const STEP: u64 = 8;
    let world = Site::new();
    let mut known = world.signed_in(ADA, "198.51.100.1").await;
    // Twenty that keep the share of anybody empty, and the others, by when they are quiet.
    let mut quiet: VecDeque<(u64, usize)> = (20..networks).map(|number| (0, number)).collect();
    let mut hour = Hour {
        tried: 0,
        kept_out: 0,
        longest: 0,
        mailed: 0,
        most_keys: 0,
    };
    let (mut number, mut since, mut known_kept_out) = (0, 0, BTreeSet::new());
    for second in (0..3_600).step_by(usize::try_from(STEP).unwrap()) {
        let second = u64::try_from(second).unwrap();
        let mut failed = 0;
        while failed < 20 {
            number += 1;
            let email = format!("s{number}@example.org");
            match world.asks(&email, &site(number % 20, 1)).await {
                true => (failed, hour.mailed) = (0, hour.mailed + 1),
                false => failed += 1,
            }
        }
        while let Some((_, stranger)) = quiet.front().copied().filter(|(at, _)| *at <= second) {
            number += 1;
            if !world
                .asks(&format!("s{number}@example.org"), &site(stranger, 1))
                .await
            {
                break;
            }
            quiet.pop_front();
            quiet.push_back((second + 3_600, stranger));
            hour.mailed += 1;
        }
        hour.tried += 1;
        let (email, peer) = (format!("i{second}@example.com"), site(300_000 + number, 1));
        if world.asks(&email, &peer).await {
            since = second;
        } else {
            hour.kept_out += 1;
            hour.longest = hour.longest.max(second - since + STEP);
        }
        if second % 600 == 0 {
            let answer = begin(&mut known, ADA, Some(&site(0, 1)), &[]).await;
            if !world.is_mailed(answer.status().as_u16()) {
                known_kept_out.insert(second);
            }
        }
        hour.most_keys = hour.most_keys.max(world.throttle.keys());
        world.clock.advance(u32::try_from(STEP).unwrap() * SECOND);
    }
    println!(
        "{networks} networks, everybody, an hour: kept out {} of {}, for {} seconds at most; \
         {} mails, {} keys",
        hour.kept_out, hour.tried, hour.longest, hour.mailed, hour.most_keys
    );
    assert_eq!(known_kept_out, BTreeSet::new(), "a known browser gets in");
    hour
}

#[tokio::test]
async fn ten_thousand_networks_do_not_keep_everybody_out() {
    let hour = an_hour_of(10_000).await;
    assert!(
        hour.kept_out * 4 < hour.tried,
        "less than a quarter of the hour"
    );
    assert!(hour.longest <= 14 * 60 + 8, "{}", hour.longest);
    assert!(hour.most_keys <= 200_000);
}

/// Threat 56. The bound is of keys: one takes 100 bytes at most.
#[tokio::test]
#[ignore = "needs minutes where it is not optimised; run by tests/run"]
async fn as_many_networks_as_the_docs_say_keep_everybody_out_and_memory_stays_bounded() {
    let hour = an_hour_of(42_900).await;
    assert!(hour.kept_out + 2 >= hour.tried, "{}", hour.kept_out);
    assert!(hour.most_keys <= 200_000);
    // More than that many networks ask, of which few are mailed.
    let world = Site::new();
    for number in 0..100_000 {
        world
            .asks(&format!("s{number}@example.org"), &site(number, 1))
            .await;
    }
    println!("100,000 networks at once: {} keys", world.throttle.keys());
    assert!(world.throttle.keys() <= 2_000, "{}", world.throttle.keys());
}
