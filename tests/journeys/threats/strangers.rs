//! A leaked link, or a sign-in begun for a victim, gives an attacker nothing.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tower_magic_link::{RejectionKind, emulator::Endpoint, page::CrossDevice};

use super::{Asker, MODES, OFFICES, gets_in, site};
use crate::{
    names::{ADA, EVE},
    robot::Robot,
    site::PostOffice,
    visitor::{Ask, From, Habits},
};

const BROWSER: &str = "__Host-magic-link-browser";
const PASS: &str = "__Host-magic-link-pass";

/// Threat 52 (RFC 10027): whoever began the sign-in waits for the victim's scanner to finish it.
#[tokio::test]
async fn an_attacker_who_begins_for_a_victim_gets_nothing_from_the_victims_scanner() {
    for office in OFFICES {
        for mode in MODES {
            for robot in Robot::ALL {
                let at = format!("{office:?}, {mode:?}, {robot:?}");
                let site = site(office, mode).await;
                let attacker = Asker::new(&site, ADA).await;
                let scanners = robot.visit(&site, &attacker.link).await;
                let used = site.used_links();
                let again = attacker.browser.reload(&attacker.check).await;
                assert_eq!(again.status, 200, "{at}");
                for path in ["/", "/auth/callback", "/auth/open", "/auth/session"] {
                    attacker.browser.go_to(path).await;
                    assert_eq!(attacker.browser.is_known_as().await, None, "{at}: {path}");
                }
                for scanner in scanners {
                    assert_eq!(scanner.is_known_as().await, None, "{at}");
                }
                let exchanged = site.emulator().count(Endpoint::Token);
                assert_eq!((site.sign_ins(), exchanged), (0, 0), "{at}");
                assert!(used.is_empty() || office == PostOffice::WorkOs, "{at}");
            }
        }
    }
}

/// Threat 53: the link is in somebody else's hands, as links on scanning services are.
#[tokio::test]
async fn a_stranger_with_a_leaked_link_sees_a_page_and_gets_no_further() {
    for office in OFFICES {
        for mode in [CrossDevice::MatchCode, CrossDevice::Refuse] {
            let site = site(office, mode).await;
            let ada = Asker::new(&site, ADA).await;
            let landing = ada.landing(&site).await;
            let used = site.used_links();
            let stranger = site.visitor(Habits::PERSON);
            stranger.go_to("/auth/login").await;
            let page = stranger.click(&landing).await;
            let masked = mode == CrossDevice::MatchCode;
            assert_eq!(
                page.html.contains("a***@example.com"),
                masked,
                "{}",
                page.html
            );
            for form in [
                "",
                "code=",
                "code=BBB-BBB",
                "code=%00",
                "answer=yes",
                "code[]=x",
            ] {
                let ask = Ask::post(&landing, form, From::Ours);
                let seen = stranger.go(ask).await;
                let want = match mode {
                    CrossDevice::MatchCode => 422,
                    _ => 403,
                };
                assert_eq!(seen.status, want, "{form}: {}", seen.html);
                assert!(!seen.html.contains(ADA), "{form}");
                assert!(!stranger.cookies().contains(&PASS.to_owned()), "{form}");
            }
            let own_code = Asker::new(&site, EVE).await.match_code_or_none(mode);
            let form = format!("code={own_code}");
            stranger.go(Ask::post(&landing, form, From::Ours)).await;
            assert_eq!(stranger.is_known_as().await, None);
            assert_eq!((site.sign_ins(), site.used_links()), (0, used));
            let way = match office {
                PostOffice::Alone | PostOffice::Ours => &ada.link,
                PostOffice::WorkOs => &landing,
            };
            gets_in(&ada.browser, way).await;
        }
    }
}

/// A robot presses the button of the page as often as it likes.
#[tokio::test]
async fn pressing_the_button_without_typing_is_no_try() {
    for office in OFFICES {
        let site = site(office, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let landing = ada.landing(&site).await;
        let robot = site.visitor(Habits::PERSON);
        robot.click(&landing).await;
        for form in ["", "code=", "code=+", "code=-"].repeat(5) {
            let seen = robot.go(Ask::post(&landing, form, From::Ours)).await;
            assert!(seen.asks_for_match_code(), "{}", seen.html);
        }
        let telephone = site.visitor(Habits::PERSON);
        let asked = telephone.click(&landing).await;
        telephone.type_into(&asked, "code", &ada.match_code()).await;
        assert_eq!(telephone.is_known_as().await.as_deref(), Some(ADA));
    }
}

/// Five guesses, from however many browsers and however many at once: then the other-browser way of
/// this link is closed, and no other way.
#[tokio::test]
async fn five_wrong_codes_end_the_way_of_other_browsers_and_never_that_of_the_one_that_began() {
    for office in OFFICES {
        let site = site(office, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let landing = ada.landing(&site).await;
        let mut guessers = Vec::new();
        for _ in 0..12 {
            let guesser = site.visitor(Habits::PERSON);
            let asked = guesser.click(&landing).await;
            guessers.push((guesser, asked));
        }
        let guesses = guessers
            .iter()
            .map(|(guesser, asked)| guesser.type_into(asked, "code", "BBB-BBB"));
        let answers = join_all(guesses).await;
        let wrong = answers.iter().filter(|seen| seen.status == 422).count();
        let ended = answers
            .iter()
            .filter(|seen| seen.is(RejectionKind::TooManyTries));
        assert_eq!((wrong, ended.count()), (5, 7), "{office:?}");
        let (guesser, asked) = &guessers[0];
        let late = guesser.type_into(asked, "code", &ada.match_code()).await;
        assert!(late.is(RejectionKind::TooManyTries), "{}", late.html);
        assert_eq!((site.sign_ins(), guesser.is_known_as().await), (0, None));
        gets_in(&ada.browser, &landing).await;
    }
}

/// The leave to finish is one browser's, for one sign-in.
#[tokio::test]
async fn leave_to_finish_is_of_no_use_in_another_browser_or_for_another_link() {
    let site = site(PostOffice::Ours, CrossDevice::MatchCode).await;
    let ada = Asker::new(&site, ADA).await;
    let eve = Asker::new(&site, EVE).await;
    let telephone = site.visitor(Habits::PERSON);
    telephone.click(&ada.link).await;
    let answer = Ask::post(&ada.link, format!("code={}", ada.match_code()), From::Ours);
    let onward = telephone.hop(&answer).await;
    assert!(onward.location().is_some(), "{}", onward.html);
    assert!(telephone.cookies().contains(&PASS.to_owned()));

    let thief = site.visitor(Habits::PERSON);
    thief.click(&ada.link).await;
    thief.take_cookie_from(&telephone, PASS);
    assert!(
        thief.click(&ada.link).await.asks_for_match_code(),
        "another browser"
    );
    thief.take_cookie_from(&site.visitor(Habits::PERSON), BROWSER);
    assert!(
        thief.click(&ada.link).await.asks_for_match_code(),
        "no browser"
    );
    assert!(
        telephone.click(&eve.link).await.asks_for_match_code(),
        "another link"
    );
    assert_eq!((site.sign_ins(), site.used_links()), (0, BTreeSet::new()));

    let link = onward.location().unwrap();
    let followed = telephone.click(link).await;
    assert_eq!(
        (followed.path(), followed.status.as_u16()),
        ("/reports", 200)
    );
    assert!(
        !telephone.cookies().contains(&PASS.to_owned()),
        "it was for once"
    );
}
