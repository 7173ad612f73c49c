//! Throttles.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    clock::Timestamp,
    store::StoreError,
    testing::suite,
    throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
};

use crate::{assert_fails, assert_holds};

const PAGE: &str = include_str!("../../src/testing/suite/throttle/mod.rs");

#[tokio::test]
async fn memory_passes() {
    let report = suite::throttle::run(async |_| MemoryThrottle::default()).await;
    assert_holds(&report, PAGE);
}

#[tokio::test]
async fn clones_of_a_memory_pass_as_replicas() {
    let shared: Mutex<HashMap<String, MemoryThrottle>> = Mutex::default();
    let report = suite::throttle::run_shared(async |world| {
        let mut shared = shared.lock().unwrap();
        shared.entry(world.name().to_owned()).or_default().clone()
    });
    assert_holds(&report.await, PAGE);
}

#[tokio::test]
async fn replicas_that_count_apart_are_found_out() {
    let report = suite::throttle::run_shared(async |_| MemoryThrottle::default()).await;
    let failed: Vec<_> = report.failed().collect();
    for case in [
        "a rate admits its burst and then one each period",
        "of a thousand that come together exactly the burst is admitted",
        "of a thousand guesses that come together exactly the tries are taken",
        "tries are counted down to none",
    ] {
        assert!(failed.contains(&case), "{report}");
    }
}

/// What is wrong with a throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It takes from each rate by itself.
    ChargesOneByOne,
    /// What comes while another is decided is admitted.
    CountsTogetherAsOne,
    EmptyChargesAreRefused,
    ForgetsWhereThereAreMany,
    GivesNothingBack,
    KeepsWhatFailed,
    NamesTheFirst,
    None,
    OneTryTooMany,
    /// Its first answer takes three seconds.
    Slow,
    /// It begins tries afresh with each moment.
    TriesByMoment,
}

/// A throttle over a right one.
struct Faulty {
    fault: Fault,
    right: Mutex<MemoryThrottle>,
    keys: Mutex<HashSet<ThrottleKey>>,
    deciding: AtomicU32,
    /// Under which key a try was taken last.
    last: Mutex<Option<ThrottleKey>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            right: Mutex::default(),
            keys: Mutex::default(),
            deciding: AtomicU32::new(0),
            last: Mutex::default(),
        }
    }

    fn right(&self, key: Option<ThrottleKey>) -> MemoryThrottle {
        let mut keys = self.keys.lock().unwrap();
        keys.extend(key);
        let mut right = self.right.lock().unwrap();
        if self.fault == Fault::ForgetsWhereThereAreMany && keys.len() > 500 {
            keys.clear();
            *right = MemoryThrottle::default();
        }
        right.clone()
    }

    /// Says whether another decision is under way.
    async fn is_together(&self) -> bool {
        if self.fault != Fault::CountsTogetherAsOne {
            return false;
        }
        let others = self.deciding.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.deciding.fetch_sub(1, Ordering::SeqCst);
        others > 0
    }
}

impl Throttle for Faulty {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        if self.is_together().await {
            return Ok(Charged::Admitted);
        }
        if self.fault == Fault::Slow && self.deciding.fetch_add(1, Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        let right = self.right(charges.first().map(Charge::key));
        if self.fault == Fault::EmptyChargesAreRefused && charges.is_empty() {
            let wait = Duration::from_secs(1);
            return Ok(Charged::Refused { by: 0, wait });
        }
        let charged = right.charge(charges, now).await?;
        Ok(match (self.fault, charged) {
            (Fault::NamesTheFirst, Charged::Refused { wait, .. }) => {
                Charged::Refused { by: 0, wait }
            }
            (Fault::ChargesOneByOne, Charged::Refused { .. }) if charges.len() > 1 => {
                for charge in charges {
                    let _ = right.charge(&[*charge], now).await?;
                }
                charged
            }
            _ => charged,
        })
    }

    async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
        match self.fault {
            Fault::KeepsWhatFailed => Ok(()),
            _ => self.right(None).give_back(charges, now).await,
        }
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        if self.is_together().await {
            return Ok(Take::Taken { left: most });
        }
        let right = self.right(Some(key));
        let key = match self.fault {
            Fault::TriesByMoment => {
                let mut bytes = *key.as_bytes();
                bytes[8..].copy_from_slice(&until.as_secs().to_be_bytes());
                ThrottleKey::from_bytes(bytes)
            }
            _ => key,
        };
        *self.last.lock().unwrap() = Some(key);
        let extra = u32::from(self.fault == Fault::OneTryTooMany && most > 0);
        let take = right.take_try(key, most + extra, until, now).await?;
        Ok(match take {
            Take::Taken { left } => Take::Taken {
                left: left.saturating_sub(extra),
            },
            Take::Exhausted => Take::Exhausted,
        })
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        if self.fault == Fault::GivesNothingBack {
            return Ok(());
        }
        let right = self.right(Some(key));
        let key = self.last.lock().unwrap().unwrap_or(key);
        right.give_try_back(key, now).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(Fault, &[&str]); 11] = [
        (Fault::None, &[]),
        (
            Fault::ChargesOneByOne,
            &[
                "where one rate refuses nothing is taken from the others",
                "four rates are one decision",
            ],
        ),
        (
            Fault::CountsTogetherAsOne,
            &[
                "of a thousand that come together exactly the burst is admitted",
                "of a thousand guesses that come together exactly the tries are taken",
            ],
        ),
        (
            Fault::EmptyChargesAreRefused,
            &["no charges at all are admitted"],
        ),
        (
            Fault::ForgetsWhereThereAreMany,
            &[
                "a key that is not refilled is not forgotten among others",
                "tries that have not ended are not forgotten among others",
            ],
        ),
        (
            Fault::GivesNothingBack,
            &[
                "a try that is given back can be taken again",
                "no try is given back that was not taken",
            ],
        ),
        (
            Fault::KeepsWhatFailed,
            &[
                "what is given back can be charged again",
                "no more is given back than was taken",
            ],
        ),
        (
            Fault::NamesTheFirst,
            &[
                "where one rate refuses nothing is taken from the others",
                "four rates are one decision",
                "the longest wait is named",
                "what is given back can be charged again",
            ],
        ),
        (
            Fault::OneTryTooMany,
            &[
                "tries are counted down to none",
                "tries do not refill before their moment",
                "a sooner moment does not let tries begin afresh",
                "a later moment keeps the tries that were taken",
                "a try that is given back can be taken again",
                "tries that have not ended are not forgotten among others",
                "of a thousand guesses that come together exactly the tries are taken",
            ],
        ),
        (Fault::Slow, &["an answer comes within two seconds"]),
        (
            Fault::TriesByMoment,
            &[
                "a sooner moment does not let tries begin afresh",
                "a later moment keeps the tries that were taken",
            ],
        ),
    ];
    for (fault, failed) in cases {
        let report = suite::throttle::run(async |_| Faulty::new(fault)).await;
        assert_fails(&format!("{fault:?}"), &report, failed);
    }
}
