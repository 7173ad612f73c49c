//! What counts as one client network, and how many mails it may request.

use tower_magic_link::{
    Builder, ForwardedField,
    throttle::{Limits, Rate},
};

use super::{SECOND, begin, status};
use crate::{
    names::{ADA, EVE},
    support::World,
};

fn by_network(rate: Rate) -> impl FnOnce(Builder) -> Builder {
    move |builder| builder.limits(Limits::default().mails_per_network(rate))
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
    assert!(
        heard.contains("Throttled { scope: Address, email: Some(a***@example.com), hint: None }")
    );
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

/// The figures of the page of `Limits`. The share of anybody is narrower than the network's limit.
#[tokio::test]
async fn an_office_of_200_behind_one_address_is_mailed_within_12_minutes() {
    let world = World::new().await;
    let mut waiting: Vec<_> = (0..200).map(|n| format!("p{n}@example.com")).collect();
    let (mut mailed, mut at_once, mut sixty) = (0, 0, None);
    for second in 0..=720 {
        while let Some(email) = waiting.pop() {
            if status(&world, &email, Some("192.0.2.1")).await == 429 {
                waiting.push(email);
                break;
            }
            mailed += 1;
        }
        at_once = if second == 0 { mailed } else { at_once };
        sixty = sixty.or((mailed >= 60).then_some(second));
        world.clock.advance(SECOND);
    }
    assert_eq!((at_once, sixty, mailed), (43, Some(5), 200));
}
