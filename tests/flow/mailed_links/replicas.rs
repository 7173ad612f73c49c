//! What one replica begins another finishes, once, whatever keys, clocks and counts do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tower_magic_link::{
    RejectionKind, SignIn,
    clock::Timestamp,
    store::{StoreError, StoreErrorKind},
    testing::ManualClock,
    throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
};

use super::{Site, action, answer_elsewhere, ask, is_in, is_told, open, sign_out, type_digits};
use crate::support::Browser;

const SESSION: &str = "__Host-magic-link";
/// How often it is played, unless `ROUNDS` says so.
const ROUNDS: usize = 20;

/// A throttle that can be away.
#[derive(Clone, Default)]
struct Away {
    memory: MemoryThrottle,
    is_away: Arc<AtomicBool>,
}

impl Away {
    fn there(&self) -> Result<(), StoreError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable)),
            false => Ok(()),
        }
    }
}

impl Throttle for Away {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        self.there()?;
        self.memory.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        self.there()?;
        self.memory.take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.there()?;
        self.memory.give_try_back(key, now).await
    }
}

#[tokio::test]
async fn a_link_that_one_replica_has_taken_is_used_at_the_other() {
    let site = Site::new();
    let (a, b) = (site.replica(SignIn::Link), site.replica(SignIn::Link));
    let mut first = a.browser();
    let check = ask(&mut first).await;
    let link = site.post.link();
    let mut at_b = b.takes_over(&first);
    is_in(&open(&mut at_b, &link).await);
    let mut other = a.browser();
    let told = answer_elsewhere(&mut other, &link, &check).await;
    is_told(&told, RejectionKind::LinkUsed);
    sign_out(&mut at_b).await;
    let mut at_a = a.takes_over(&at_b);
    is_told(&open(&mut at_a, &link).await, RejectionKind::LinkUsed);
}

/// 64 visits of one link, from two browsers at two replicas: the one that began, and one that has
/// answered the question.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_redemptions_of_one_link_at_once_are_one_session_in_one_browser() {
    let rounds = std::env::var("ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut winners = BTreeMap::<_, usize>::new();
    for round in 0..rounds {
        let site = Site::new();
        let replicas = [site.replica(SignIn::Link), site.replica(SignIn::Link)];
        let (mut first, mut other) = (replicas[0].browser(), replicas[1].browser());
        let check = ask(&mut first).await;
        let link = site.post.link();
        other.get(&link).await;
        let page = crate::page::Page::of(&check.text());
        let letters = page.text_of("match-code").unwrap();
        let permitted = other.post(&link, &format!("code={letters}")).await;
        let callbacks = [
            first.get(&link).await.location().to_owned(),
            permitted.location().to_owned(),
        ];
        let visits = (0..64).map(|number| {
            let (who, at) = (number % 2, &replicas[number / 2 % 2]);
            let mut browser = at.takes_over([&first, &other][who]);
            let callback = callbacks[who].clone();
            tokio::spawn(async move {
                browser.get(&callback).await;
                (who, browser.jar.get(SESSION).cloned())
            })
        });
        let visited = join_all(visits).await.into_iter().map(Result::unwrap);
        let got: BTreeSet<_> = visited
            .filter_map(|(who, session)| Some((who, session?)))
            .collect();
        assert_eq!(got.len(), 1, "round {round}: {got:?}");
        assert_eq!(site.heard("SignedIn {"), 1, "round {round}");
        for (who, _) in got {
            *winners.entry(who).or_default() += 1;
        }
    }
    assert_eq!(winners.values().sum::<usize>(), rounds);
    println!("{rounds} rounds of 64 visits: one session each, by winning browser {winners:?}");
}

#[tokio::test]
async fn a_change_of_keys_between_mail_and_visit_lets_the_person_in_and_nobody_twice() {
    for sign_in in [SignIn::Link, SignIn::Code, SignIn::LinkAndCode] {
        let site = Site::new();
        let replica = site.replica(sign_in);
        let mut browser = replica.browser();
        let check = ask(&mut browser).await;
        site.rotate();
        let enter = async |browser: &mut Browser| match sign_in {
            SignIn::Code => type_digits(browser, &action(&check), &site.post.code()).await,
            _ => open(browser, &site.post.link()).await,
        };
        let session = is_in(&enter(&mut browser).await);
        // The counts of the layer's own limits begin again, and this one does not.
        site.rotate();
        site.pass(90);
        assert_eq!(is_in(&enter(&mut browser).await), session);
        sign_out(&mut browser).await;
        assert!(!enter(&mut browser).await.status().is_success());
        assert_eq!(site.heard("SignedIn {"), 1);
    }
}

#[tokio::test]
async fn replicas_whose_clocks_differ_by_a_minute_let_the_person_in_once() {
    for (seconds, is_ahead) in [(60, true), (60, false), (30, true)] {
        let site = Site::new();
        let now = tower_magic_link::clock::Clock::now(&site.clock);
        let by = Duration::from_secs(seconds);
        let other = ManualClock::at(if is_ahead { now + by } else { now - by });
        for sign_in in [SignIn::Link, SignIn::Code] {
            let (a, b) = (
                site.replica(sign_in),
                site.with(sign_in, |builder| builder.clock(other.clone())),
            );
            let mut browser = a.browser();
            let check = ask(&mut browser).await;
            let mut at_b = b.takes_over(&browser);
            let answer = match sign_in {
                SignIn::Code => type_digits(&mut at_b, &action(&check), &site.post.code()).await,
                _ => open(&mut at_b, &site.post.link()).await,
            };
            is_in(&answer);
            if sign_in == SignIn::Link {
                is_told(
                    &open(&mut browser, &site.post.link()).await,
                    RejectionKind::LinkUsed,
                );
            }
        }
    }
}

/// Prefers the person: what cannot be counted signs in, and never by a second session.
#[tokio::test]
async fn while_the_count_is_away_a_link_signs_in_and_all_its_visits_have_one_session() {
    let (site, away) = (Site::new(), Away::default());
    let replicas = [(), ()].map(|()| {
        site.with(SignIn::LinkAndCode, |builder| {
            builder.throttle(away.clone())
        })
    });
    let mut browser = replicas[0].browser();
    let check = ask(&mut browser).await;
    let link = site.post.link();
    // Two browsers that are permitted, each at a replica of its own.
    let mut other = replicas[1].browser();
    other.get(&link).await;
    let page = crate::page::Page::of(&check.text());
    let letters = page.text_of("match-code").unwrap();
    let permitted = other.post(&link, &format!("code={letters}")).await;
    away.is_away.store(true, Ordering::SeqCst);
    let session = is_in(&open(&mut browser, &link).await);
    assert_eq!(is_in(&other.follow(permitted).await), session);
    assert!(site.heard("ThrottleFailed {") > 0);
    // The digits are a guess, which nobody could count.
    let mut third = replicas[0].browser();
    let check = ask(&mut third).await;
    let told = type_digits(&mut third, &action(&check), &site.post.code()).await;
    is_told(&told, RejectionKind::StoreUnavailable);
    // Whoever signs out there signs out everywhere, and the link is used.
    sign_out(&mut browser).await;
    let asked = other.get("/reports").await;
    assert!(asked.location().starts_with("/auth/login"), "it has ended");
    is_told(&open(&mut browser, &link).await, RejectionKind::LinkUsed);
    site.pass(90);
    is_told(&open(&mut browser, &link).await, RejectionKind::LinkUsed);
}

/// A restart loses the counts of a process.
#[tokio::test]
async fn a_count_that_is_lost_makes_no_second_session_and_brings_none_back() {
    for out in [None, Some(""), Some("everywhere=true")] {
        let site = Site::new();
        let mut browser = site.replica(SignIn::Link).browser();
        ask(&mut browser).await;
        let link = site.post.link();
        let session = is_in(&open(&mut browser, &link).await);
        if let Some(form) = out {
            browser.post("/auth/logout", form).await;
        }
        let restarted = site.with(SignIn::Link, |builder| {
            builder.throttle(MemoryThrottle::default())
        });
        let mut again = restarted.takes_over(&browser);
        again.jar.remove(SESSION);
        let answer = open(&mut again, &link).await;
        if out.is_none() {
            assert_eq!(is_in(&answer), session);
            continue;
        }
        is_told(&answer, RejectionKind::LinkUsed);
        assert_eq!(site.heard("SignedIn {"), 1, "nobody is told of a second");
    }
}
