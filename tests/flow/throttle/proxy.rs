//! A proxy that nobody has named: all its clients share one network, and the operator learns it.

use tower_magic_link::{
    Builder, ForwardedField,
    throttle::{Limits, Rate},
};

use super::{SECOND, begin};
use crate::{names::ADA, support::World};

/// The client whose address a field holds.
const CLIENT: &str = "198.51.100.77";

/// Returns the warnings about proxies that were logged for a site.
fn warned(public_url: &str) -> Vec<String> {
    let logged = crate::secrets::logged();
    let lines = logged
        .lines()
        .filter(|line| line.contains("is not in trusted_proxies") && line.contains(public_url));
    lines.map(str::to_owned).collect()
}

async fn world(public_url: &str, configure: impl FnOnce(Builder) -> Builder) -> World {
    let two = Rate::new(2, 60 * SECOND);
    World::with(|builder| {
        let limits = Limits::default().mails_per_network(two);
        configure(builder.public_url(public_url).limits(limits))
    })
    .await
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_warned_of_once_with_the_line_to_add() {
    crate::secrets::listen();
    let (xff, forwarded) = (ForwardedField::XForwardedFor, ForwardedField::Forwarded);
    let trusted = ".trusted_proxies([\"127.0.0.1\"])";
    let cases: [(_, &str, _, &str, &[&str]); 13] = [
        ("loopback", "127.0.0.1", xff, "x-forwarded-for", &[trusted]),
        (
            "mapped",
            "::ffff:127.0.0.1",
            xff,
            "x-forwarded-for",
            &[trusted],
        ),
        (
            "ipv6",
            "::1",
            xff,
            "x-forwarded-for",
            &[".trusted_proxies([\"::1\"])"],
        ),
        ("private", "10.0.0.7", xff, "x-forwarded-for", &["10.0.0.7"]),
        (
            "carrier",
            "100.64.0.7",
            xff,
            "x-forwarded-for",
            &["100.64.0.7"],
        ),
        (
            "unique local",
            "fd00::7",
            xff,
            "x-forwarded-for",
            &["fd00::7"],
        ),
        (
            "other field",
            "127.0.0.1",
            xff,
            "forwarded",
            &[trusted, ".forwarded_field(ForwardedField::Forwarded)"],
        ),
        (
            "other default",
            "127.0.0.1",
            forwarded,
            "x-forwarded-for",
            &[trusted, ".forwarded_field(ForwardedField::XForwardedFor)"],
        ),
        (
            "same field",
            "127.0.0.1",
            forwarded,
            "forwarded",
            &[trusted],
        ),
        (
            "unreadable",
            "127.0.0.1",
            xff,
            "x-real-ip",
            &[trusted, "send X-Forwarded-For"],
        ),
        (
            "cloudflare",
            "127.0.0.1",
            xff,
            "cf-connecting-ip",
            &[trusted],
        ),
        ("public", "192.0.2.1", xff, "x-forwarded-for", &[]),
        ("no field", "127.0.0.1", xff, "x-other", &[]),
    ];
    for (number, (name, peer, field, header, want)) in cases.into_iter().enumerate() {
        let public_url = format!("https://proxied{number}.example.com");
        let world = world(&public_url, |builder| builder.forwarded_field(field)).await;
        let value = if header == "forwarded" {
            format!("for={CLIENT}")
        } else {
            CLIENT.to_owned()
        };
        let mut got = Vec::new();
        for person in 0..3 {
            let email = format!("n{person}@example.com");
            let fields = [(header, value.as_str())];
            let answer = begin(&mut world.browser(), &email, Some(peer), &fields).await;
            got.push(answer.status().as_u16());
        }
        assert_eq!(got, [303, 303, 429], "{name}: one network");
        let warned = warned(&public_url);
        let is_seen = !want.is_empty();
        assert_eq!(warned.len(), usize::from(is_seen), "{name}: {warned:?}");
        let heard = world.heard();
        let throttled = heard.lines().find(|line| line.starts_with("Throttled"));
        let throttled = throttled.expect("an event").replace('\\', "");
        for text in want {
            assert!(warned[0].contains(text), "{name}: {warned:?}");
            assert!(throttled.contains(text), "{name}: {throttled}");
        }
        assert_eq!(
            throttled.contains("hint: None"),
            !is_seen,
            "{name}: {throttled}"
        );
        assert!(
            !heard.contains(CLIENT) && !warned.concat().contains(CLIENT),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_is_named_is_not_warned_of_and_its_clients_have_their_own_networks() {
    crate::secrets::listen();
    let public_url = "https://named.example.com";
    let world = world(public_url, |builder| builder.trusted_proxies(["127.0.0.1"])).await;
    for client in 0..5 {
        let (email, field) = (
            format!("n{client}@example.com"),
            format!("198.51.100.{client}"),
        );
        let fields = [("x-forwarded-for", field.as_str())];
        let answer = begin(&mut world.browser(), &email, Some("127.0.0.1"), &fields).await;
        assert_eq!(answer.status(), 303);
    }
    assert_eq!(warned(public_url), Vec::<String>::new());
    // A second proxy, which the setting does not name.
    let fields = [("x-forwarded-for", CLIENT)];
    begin(&mut world.browser(), ADA, Some("127.0.0.2"), &fields).await;
    assert!(warned(public_url)[0].contains("127.0.0.2"));
}
