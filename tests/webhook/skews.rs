//! Events at replicas whose clocks differ by up to a minute.

use std::time::Duration;

use tower_magic_link::{
    provider::{Identity, SignInMethod},
    revocation::Target,
};

use crate::{
    names::{ADA, EVE},
    site::Site,
};

const DATA: &str = r#"{"id":"user_ada","email":"ada@example.com"}"#;

fn user(subject: &str, email: &str) -> Identity {
    let identity = Identity::new(subject, email.parse().unwrap());
    identity.with_method(SignInMethod::MagicAuth)
}

fn sign_in(sites: &[Site; 2], identity: &Identity) -> [String; 2] {
    sites.each_ref().map(|site| site.sign_in(identity))
}

async fn say(name: &str, sites: &[Site; 2], cookies: &[String; 2], want: bool) {
    for (number, cookie) in cookies.iter().enumerate() {
        for (at, site) in sites.iter().enumerate() {
            let is_admitted = site.is_admitted(cookie).await;
            assert_eq!(
                is_admitted, want,
                "{name}: session {number} at replica {at}"
            );
        }
    }
}

/// Pins: at 30 s ahead a session survived the event for its whole life, and at 30 s behind the next
/// sign-in had ended before it began.
#[tokio::test]
async fn an_event_ends_what_began_before_and_the_next_sign_in_lives_at_any_skew_of_a_minute() {
    let (ada, eve) = (user("user_ada", ADA), user("user_eve", EVE));
    for ahead in [-60, -45, -30, -6, 0, 6, 30, 45, 60] {
        for (first, second) in [(0, 1), (1, 0)] {
            for wait in [0, 1, 20] {
                let name = format!("{ahead} s ahead, taken at {first}, {wait} s between");
                let sites = Site::pair(ahead);
                let pass = || {
                    for site in &sites {
                        site.clock.advance(Duration::from_secs(wait));
                    }
                };
                let strangers = sign_in(&sites, &eve);
                let mut mine = sign_in(&sites, &ada);
                for round in 0..3 {
                    pass();
                    let event = sites[0].webhook().event("user.deleted", DATA);
                    assert_eq!(sites[first].take(&event).await.status, 200, "{name}");
                    say(&format!("{name}, {round}: ended"), &sites, &mine, false).await;
                    pass();
                    mine = sign_in(&sites, &ada);
                    say(&format!("{name}, {round}: again"), &sites, &mine, true).await;
                    // WorkOS has not heard the answer, and delivers it again.
                    assert_eq!(sites[second].take(&event).await.status, 200, "{name}");
                    say(
                        &format!("{name}, {round}: redelivered"),
                        &sites,
                        &mine,
                        true,
                    )
                    .await;
                    // Of another second: two events of one have one date.
                    for site in &sites {
                        site.clock.advance(Duration::from_secs(1));
                    }
                }
                say(&name, &sites, &strangers, true).await;
            }
        }
    }
}

/// Who signs out everywhere at a replica that is ahead, and signs in again, is still ended by an
/// event that comes at once.
#[tokio::test]
async fn no_revocation_of_a_clock_that_is_ahead_hides_an_event() {
    let ada = user("user_ada", ADA);
    for ahead in [-60, -30, 0, 30, 60] {
        let sites = Site::pair(ahead);
        let issued = sites[1].layer.issuer().issue(&ada).unwrap();
        let issuer = sites[1].layer.issuer();
        issuer.sign_out_everywhere(issued.session()).await.unwrap();
        for site in &sites {
            site.clock.advance(Duration::from_secs(1));
        }
        let mine = sign_in(&sites, &ada);
        say(&format!("{ahead}: again"), &sites, &mine, true).await;
        for site in &sites {
            site.clock.advance(Duration::from_secs(1));
        }
        let event = sites[0].webhook().event("user.deleted", DATA);
        assert_eq!(sites[0].take(&event).await.status, 200);
        say(&format!("{ahead}: the event"), &sites, &mine, false).await;
    }
}

/// Pins: who had signed in again within the minute after an event stayed signed in through the
/// application's order, because the event is dated later.
#[tokio::test]
async fn an_order_ends_who_signed_in_again_after_an_event() {
    let targets = [
        || Target::Address(ADA.to_owned()),
        || Target::Subject("user_ada".to_owned()),
    ];
    for ahead in [-60, -30, 0, 30, 60] {
        for target in targets {
            let sites = Site::pair(ahead);
            let ada = user("user_ada", ADA);
            for round in 0..3 {
                let name = format!("{ahead}: {:?}, {round}", target());
                let event = sites[0].webhook().event("user.deleted", DATA);
                assert_eq!(sites[0].take(&event).await.status, 200, "{name}");
                let mine = sign_in(&sites, &ada);
                say(&format!("{name}: again"), &sites, &mine, true).await;
                sites[0].layer.end_sessions(target()).await.unwrap();
                say(&format!("{name}: the order"), &sites, &mine, false).await;
                let mine = sign_in(&sites, &ada);
                say(&format!("{name}: at last"), &sites, &mine, true).await;
                for site in &sites {
                    site.clock.advance(Duration::from_secs(120));
                }
            }
        }
    }
}

/// An order that is repeated without end keeps nobody out.
#[tokio::test]
async fn who_signs_in_after_a_thousand_orders_is_in() {
    for ahead in [-60, 0, 60] {
        let sites = Site::pair(ahead);
        let ada = user("user_ada", ADA);
        for _ in 0..1_000 {
            let target = Target::Subject("user_ada".to_owned());
            sites[0].layer.end_sessions(target).await.unwrap();
        }
        let mine = sign_in(&sites, &ada);
        say(&format!("{ahead}"), &sites, &mine, true).await;
    }
}

/// Pins: each of many sign-outs by one dead cookie was dated a second later than the one before, so
/// that no event of the next two minutes reached the sign-in after them.
#[tokio::test]
async fn no_number_of_sign_outs_or_orders_hides_an_event() {
    let ada = user("user_ada", ADA);
    let sites = Site::pair(0);
    let layer = &sites[0].layer;
    let issued = layer.issuer().issue(&ada).unwrap();
    for is_order in [false, true] {
        for _ in 0..200 {
            let target = Target::Subject("user_ada".to_owned());
            match is_order {
                true => layer.end_sessions(target).await.unwrap(),
                false => {
                    let session = issued.session();
                    layer.issuer().sign_out_everywhere(session).await.unwrap();
                }
            }
        }
        let mine = sign_in(&sites, &ada);
        say(&format!("{is_order}: again"), &sites, &mine, true).await;
        for site in &sites {
            site.clock.advance(Duration::from_secs(2));
        }
        let event = sites[0].webhook().event("user.deleted", DATA);
        assert_eq!(sites[0].take(&event).await.status, 200);
        say(&format!("{is_order}: the event"), &sites, &mine, false).await;
        for site in &sites {
            site.clock.advance(Duration::from_secs(200));
        }
    }
}
