//! How many codes one network, and all networks together, can guess at an address.

use std::{net::SocketAddr, time::Duration};

use http::Request;
use tower_magic_link::{
    Builder, PeerAddr, SignIn,
    throttle::{Limits, Rate},
};

use super::{Begun, action};
use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, by_own_link},
};

/// Types a code from a peer.
pub(crate) async fn type_from(
    browser: &mut Browser,
    action: &str,
    code: &str,
    peer: &str,
) -> Answer {
    let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
    let request = Request::post(action)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(PeerAddr::from(peer))
        .body(format!("code={code}").into())
        .unwrap();
    browser.send(request).await
}

/// Five tries are those of one mail, and there is always another mail.
#[tokio::test]
async fn who_guesses_at_one_network_has_44_codes_a_day_for_an_address_and_its_owner_has_their_own()
{
    let (guesser, owner) = ("192.0.2.1", "198.51.100.1");
    let mails = Limits::default()
        .mails_per_address(Rate::new(1_000, Duration::from_secs(1)))
        .mails_per_address_and_network(Rate::new(1_000, Duration::from_secs(1)));
    let mut begun = Begun::with(SignIn::Code, |builder| builder.limits(mails)).await;
    let (mut compared, mut refused) = (0, 0);
    for _ in 0..=144 {
        let mut other = begun.world.browser();
        let check = other.ask_for_link(ADA, "/").await;
        let action = action(&check).unwrap();
        let wrong = begun.wrong();
        // What can be no code is no guess.
        for typed in ["", "12345", wrong, wrong, wrong] {
            let answer = type_from(&mut other, &action, typed, guesser).await;
            match answer.status().as_u16() {
                422 => compared += usize::from(typed == wrong),
                status => {
                    assert_eq!((status, typed), (429, wrong));
                    refused += 1;
                }
            }
        }
        begun.world.clock.advance(Duration::from_secs(600));
    }
    assert_eq!(compared, 20 + 24);
    assert_eq!(compared + refused, 3 * 145);
    let heard = begun.world.heard();
    let told = "Throttled { scope: Address, email: Some(a***@example.com), hint: None }";
    assert_eq!(heard.matches(told).count(), refused);

    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = action(&check).unwrap();
    let code = begun.post.code();
    let answer = type_from(&mut begun.first, &begun.action, &code, owner).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn clients_that_are_not_known_share_the_codes_of_an_address_and_another_address_has_its_own()
{
    let two = Rate::new(2, Duration::from_secs(600));
    let limits = Limits::default().codes_per_address_and_network(two);
    let mut begun = Begun::with(SignIn::Code, |builder| builder.limits(limits)).await;
    let wrong = begun.wrong();
    for want in [422, 422, 429] {
        assert_eq!(begun.type_code(wrong).await.status(), want);
    }
    let limited = begun.type_code(wrong).await;
    assert_eq!(limited.header("retry-after"), "600");
    let mut eve = begun.world.browser();
    let action = action(&eve.ask_for_link(EVE, "/").await).unwrap();
    let answer = eve
        .post(&action, &format!("code={}", begun.post.code()))
        .await;
    assert_eq!(answer.location(), "/");
}

/// Begins two sign-ins from each of 1,000 networks, guesses five times at each mail, and pauses.
/// Returns how many guesses were made.
async fn guess_from_everywhere(begun: &Begun, pause: Duration) -> usize {
    let (wrong, mut made) = (begun.wrong(), 0);
    for network in 0..1_000 {
        let peer = format!("10.{}.{}.1", network / 250, network % 250);
        for _ in 0..2 {
            let mut other = begun.world.browser();
            let asked = other.post("/auth/login", &format!("email={ADA}")).await;
            let action = action(&other.follow(asked).await).unwrap();
            for _ in 0..5 {
                type_from(&mut other, &action, wrong, &peer).await;
                made += 1;
            }
            begun.world.clock.advance(pause);
        }
    }
    made
}

/// Unlimited mails, so that only the guesses are limited.
fn mails_without_end(builder: Builder) -> Builder {
    let endless = Rate::new(1_000_000, Duration::from_millis(1));
    let limits = Limits::default()
        .mails_per_address(endless)
        .mails_per_address_and_network(endless)
        .mails(endless)
        .codes(endless);
    builder.limits(limits)
}

#[tokio::test]
async fn ten_thousand_guesses_from_a_thousand_networks_at_once_are_compared_50_times() {
    let mut begun = Begun::with(SignIn::LinkAndCode, mails_without_end).await;
    let mut known = begun.first.clone();
    let code = begun.post.code();
    let signed_in = type_from(&mut known, &begun.action, &code, "198.51.100.1").await;
    assert_eq!(signed_in.location(), "/reports");
    let before = begun.redeemed();
    let made = guess_from_everywhere(&begun, Duration::ZERO).await;
    assert_eq!(made, 10_000);
    // The owner's own code was compared, too.
    assert_eq!(begun.redeemed() - before, 50 - 1);
    let told = "Throttled { scope: Address, email: Some(a***@example.com), hint: None }";
    assert!(begun.world.heard().contains(told));

    // A new browser has to wait, and its link works.
    let owner = "198.51.100.1";
    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = action(&check).unwrap();
    let code = begun.post.code();
    let limited = type_from(&mut begun.first, &begun.action, &code, owner).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.header("retry-after"), "1800");
    // The code will be too old by then. The page says what works, and names no wait for the code.
    let page = limited.read();
    assert!(
        page.contains("if yours has a link that isn’t too old, it works"),
        "{page}"
    );
    assert!(!page.contains("Please try again in"), "{page}");
    let link = begun.post.link();
    let opened = begun.first.get(&link).await;
    let in_by_link = by_own_link(&mut begun.first, &opened).await;
    assert_eq!(in_by_link.location(), "/reports");
    // A browser with a session of the address goes on by code.
    let check = known.ask_for_link(ADA, "/again").await;
    let again = action(&check).unwrap();
    let code = begun.post.code();
    let answer = type_from(&mut known, &again, &code, owner).await;
    assert_eq!(answer.location(), "/again");
}

/// A code lives ten minutes. The page led back to it after a wait of twenty, and said nothing of
/// the link.
#[tokio::test]
async fn a_code_that_will_be_too_old_after_the_wait_is_not_waited_for() {
    let owner = "198.51.100.1";
    for (sign_in, has_link) in [(SignIn::LinkAndCode, true), (SignIn::Code, false)] {
        let mut begun = Begun::with(sign_in, mails_without_end).await;
        guess_from_everywhere(&begun, Duration::ZERO).await;
        begun.world.clock.advance(Duration::from_secs(600));
        let check = begun.first.ask_for_link(ADA, "/reports").await;
        begun.action = action(&check).unwrap();
        let code = begun.post.code();
        let limited = type_from(&mut begun.first, &begun.action, &code, owner).await;
        assert_eq!(limited.status(), 429, "{sign_in:?}");
        assert_eq!(limited.header("retry-after"), "1200", "{sign_in:?}");
        let (page, text) = (limited.read(), limited.text());
        assert!(text.contains("id=\"again\""), "a new mail: {text}");
        let advice = page.contains("if yours has a link that isn’t too old, it works");
        assert_eq!(advice, has_link, "{page}");
        // A new code would have to wait as long, and a new link would not.
        assert_eq!(text.contains("data-seconds=\"1200\""), !has_link, "{text}");
        assert!(!page.contains("Please try again in"), "{page}");
    }
}

#[tokio::test]
async fn ten_thousand_guesses_in_a_day_from_a_thousand_networks_are_compared_98_times() {
    let begun = Begun::with(SignIn::Code, mails_without_end).await;
    // 43 seconds for five guesses, as a day has 86,400.
    let made = guess_from_everywhere(&begun, Duration::from_secs(43)).await;
    assert_eq!(made, 10_000);
    assert!(
        (96..=98).contains(&begun.redeemed()),
        "{}",
        begun.redeemed()
    );
}
