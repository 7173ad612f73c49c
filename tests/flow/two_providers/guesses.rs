//! Guesses at codes while one of the two does not say whether they are right.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SignIn, SigningKey,
    provider::{ProviderError, ProviderErrorKind, TwoProviders},
    testing::Browser,
    throttle::{Limits, Rate},
};

use super::Sometimes;
use crate::{
    names::{ADA, ORIGIN},
    redeemed,
};

/// How many guesses at an address are compared within this test.
const GUESSES: usize = 7;

/// A layer of two providers, of which one compares codes, and the other answers with an error.
struct Site {
    layer: MagicLinkLayer,
    primary: Sometimes,
    fallback: Sometimes,
}

impl Site {
    fn new(primary: Sometimes, fallback: Sometimes) -> Self {
        let both = TwoProviders::new(primary.clone(), fallback.clone());
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let endless = Rate::new(1_000, Duration::from_secs(1));
        let limits = Limits::default()
            .mails_per_address(endless)
            .mails_per_address_and_network(endless)
            .codes(Rate::new(60, Duration::from_secs(1)))
            .codes_per_address(Rate::new(7, Duration::from_secs(3_600)));
        let layer = MagicLinkLayer::builder(both, keys)
            .public_url(ORIGIN)
            .sign_in(SignIn::Code)
            .insecure_answer_when_sent()
            .limits(limits)
            .build()
            .unwrap();
        Self {
            layer,
            primary,
            fallback,
        }
    }

    /// Returns a browser that has a form for a code.
    async fn begun(&self) -> Browser {
        let mut browser = redeemed::browser(&self.layer);
        browser.get("/reports").await;
        browser.submit_login(ADA).await;
        browser
    }

    /// Returns six digits that are not those of the newest mail.
    fn wrong(&self) -> &'static str {
        let code = self.primary.stub.last_code().unwrap();
        match code.expose() {
            "271828" => "314159",
            _ => "271828",
        }
    }
}

/// Types a wrong code some times, and returns the statuses of the answers.
async fn guess(site: &Site, times: usize) -> Vec<u16> {
    let form = site.begun().await;
    let mut answers = Vec::new();
    for _ in 0..times {
        // The page of an outage has no field, but Back leads to it.
        let mut browser = form.clone();
        let answer = browser.submit(&[("code", site.wrong())]).await;
        answers.push(answer.status().as_u16());
    }
    answers
}

fn in_vain(kind: ProviderErrorKind) -> ProviderError {
    ProviderError::new(kind).before_acting()
}

/// Otherwise an outage of one of the two is an invitation to guess.
#[tokio::test]
async fn a_guess_counts_if_one_of_two_providers_has_compared_it_whatever_the_other_one_says() {
    use ProviderErrorKind::{InvalidAnswer, Misconfigured, RateLimited, TimedOut, Unavailable};

    type Answer = fn() -> ProviderError;
    // A primary that rejects our key ends the matter, and then no code is compared.
    let of_both: [(&str, Answer, u16); 4] = [
        ("away", || in_vain(Unavailable), 422),
        ("late", || in_vain(TimedOut), 422),
        ("busy", || in_vain(RateLimited), 429),
        ("its answer is lost", || Unavailable.into(), 502),
    ];
    let of_fallback: [(&str, Answer, u16); 2] = [
        ("misconfigured", || in_vain(Misconfigured), 502),
        ("unreadable", || in_vain(InvalidAnswer), 502),
    ];
    let silent = |answer| Sometimes {
        redeems_nothing: Some(answer),
        ..Sometimes::default()
    };
    let cases = of_both.iter().map(|case| (case, true));
    let cases = cases.chain(of_both.iter().chain(&of_fallback).map(|case| (case, false)));
    for (&(name, answer, status), is_primary) in cases {
        let (primary, fallback) = match is_primary {
            true => (silent(answer), Sometimes::default()),
            false => (Sometimes::default(), silent(answer)),
        };
        let site = Site::new(primary, fallback);
        let name = format!("{name}, the primary: {is_primary}");
        let compared = || site.primary.stub.finished() + site.fallback.stub.finished();

        let answers = guess(&site, 8).await;
        assert_eq!(
            answers,
            [[status; 5].as_slice(), &[403; 3]].concat(),
            "{name}"
        );
        assert_eq!(compared(), 5, "the tries of one mail, {name}");
        for _ in 0..3 {
            guess(&site, 4).await;
        }
        assert_eq!(compared(), GUESSES, "the guesses at an address, {name}");
    }
}

/// Pins: the fallback was asked as if the primary were away, and its comparison counted as a guess.
#[tokio::test]
async fn a_code_that_the_primary_has_under_way_is_not_offered_to_the_fallback() {
    let busy = Sometimes {
        redeems_nothing: Some(|| in_vain(ProviderErrorKind::Unavailable).with_status(409)),
        ..Sometimes::default()
    };
    let site = Site::new(busy, Sometimes::default());
    let answers = guess(&site, GUESSES + 1).await;
    assert_eq!(answers, [503; GUESSES + 1]);
    assert_eq!(site.fallback.stub.finished(), 0);
}

/// Pins: if the one that was asked first could not be reached, the guess was given back, although
/// the other one may have compared it.
#[tokio::test]
async fn a_guess_that_either_of_two_providers_may_have_compared_counts() {
    use ProviderErrorKind::{TimedOut, Unavailable};

    type Answer = fn() -> ProviderError;
    let away: Answer = || in_vain(Unavailable);
    let lost: Answer = || Unavailable.into();
    let late: Answer = || TimedOut.into();
    // The last status is that of an eighth guess at the address.
    let cases: [(&str, Answer, Answer, [u16; 2]); 4] = [
        ("away, lost", away, lost, [502, 429]),
        ("away, late", away, late, [502, 429]),
        ("lost, away", lost, away, [502, 429]),
        ("away, away", away, away, [503, 503]),
    ];
    for (name, first, second, [want, last]) in cases {
        let [primary, fallback] = [first, second].map(|answer| Sometimes {
            redeems_nothing: Some(answer),
            ..Sometimes::default()
        });
        let site = Site::new(primary, fallback);
        let answers = guess(&site, GUESSES + 1).await;
        assert_eq!(answers[..GUESSES], [want; GUESSES], "{name}");
        assert_eq!(answers[GUESSES], last, "{name}");
    }
}
