//! How many codes one network can guess at an address.

use std::{net::SocketAddr, time::Duration};

use http::Request;
use tower_magic_link::{
    PeerAddr, SignIn,
    throttle::{Limits, Rate},
};

use super::{Begun, action};
use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser},
};

/// Types a code from a peer.
async fn type_from(browser: &mut Browser, action: &str, code: &str, peer: &str) -> Answer {
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
async fn who_guesses_at_one_network_has_116_codes_a_day_for_an_address_and_its_owner_has_their_own()
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
    assert_eq!(compared, 20 + 96);
    assert_eq!(compared + refused, 3 * 145);
    let heard = begun.world.heard();
    let told = "Throttled { scope: Address, email: Some(a***@example.com) }";
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
