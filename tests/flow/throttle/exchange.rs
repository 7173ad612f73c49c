//! How many exchanges callbacks may request from the provider.

use std::net::SocketAddr;

use http::Request;
use tower_magic_link::{
    Builder, PeerAddr, Rejection, RejectionKind,
    throttle::{Limits, Rate},
};

use super::{Far, SECOND};
use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, World},
};

/// Follows a callback, from a peer where one is given.
pub(super) async fn follow(browser: &mut Browser, callback: &str, peer: Option<&str>) -> Answer {
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
        let told = format!("Throttled {{ scope: {scope}, email: None, hint: None }}");
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
