//! Indexes of live sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tower_magic_link::{
    SessionId,
    clock::Timestamp,
    sessions::{ListedSession, MemorySessions, Sessions},
    store::StoreFuture,
    testing::suite,
};

use crate::{assert_fails, assert_holds};

const PAGE: &str = include_str!("../../src/testing/suite/sessions/mod.rs");

#[tokio::test]
async fn memory_passes() {
    let report = suite::sessions::run(async |_| MemorySessions::default()).await;
    assert_holds(&report, PAGE);
}

#[tokio::test]
async fn clones_of_a_memory_pass_as_replicas() {
    let shared: Mutex<HashMap<String, MemorySessions>> = Mutex::default();
    let report = suite::sessions::run_shared(async |world| {
        let mut shared = shared.lock().unwrap();
        shared.entry(world.name().to_owned()).or_default().clone()
    });
    assert_holds(&report.await, PAGE);
}

#[tokio::test]
async fn replicas_that_share_nothing_are_found_out() {
    let report = suite::sessions::run_shared(async |_| MemorySessions::default()).await;
    let failed: Vec<_> = report.failed().collect();
    for case in [
        "a session that is noted is listed",
        "all sessions of a subject are listed, and no other's",
        "of fifty sessions that come together all are listed",
    ] {
        assert!(failed.contains(&case), "{report}");
    }
}

/// What is wrong with an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It loses a note that comes while another is taken.
    DropsWhatComesTogether,
    ForgetsAllOfTheSubject,
    /// Once forgotten, an id stays away.
    ForgetsForGood,
    ForgetsNothing,
    KeepsTheFirstNote,
    KeepsTheFirstNoteToo,
    ListsEverybody,
    ListsWhatHasEnded,
    LosesTheRevocationBefore,
    LosesTheUserAgent,
    None,
    ReadsSubjectsByCase,
    /// It answers after seven seconds.
    Slow,
    WritesAscii,
}

/// Keeps every entry that it was given.
#[derive(Debug)]
struct Faulty {
    fault: Fault,
    rows: Arc<Mutex<Vec<ListedSession>>>,
    gone: Mutex<Vec<SessionId>>,
    taking: Mutex<u32>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            rows: Arc::default(),
            gone: Mutex::default(),
            taking: Mutex::default(),
        }
    }

    fn written(&self, session: &ListedSession) -> ListedSession {
        let record = session.to_record();
        let record = match (self.fault, session.user_agent()) {
            (Fault::LosesTheRevocationBefore, _) => without_after(&record),
            (Fault::LosesTheUserAgent, Some(agent)) => record.replace(agent, ""),
            (Fault::WritesAscii, _) => record.chars().filter(char::is_ascii).collect(),
            _ => record,
        };
        ListedSession::from_record(&record).unwrap()
    }
}

/// Returns a record as a replica of before wrote it, which did not know the revocation before.
fn without_after(record: &str) -> String {
    let mut record: Value = serde_json::from_str(record).unwrap();
    record.as_object_mut().unwrap().remove("after").unwrap();
    record.to_string()
}

impl Sessions for Faulty {
    fn note<'a>(&'a self, session: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.fault == Fault::DropsWhatComesTogether {
                *self.taking.lock().unwrap() += 1;
                tokio::task::yield_now().await;
                let mut taking = self.taking.lock().unwrap();
                *taking -= 1;
                if *taking > 0 {
                    return Ok(());
                }
            }
            let mut rows = self.rows.lock().unwrap();
            let is_known = rows.iter().any(|row| row.id() == session.id());
            match self.fault {
                Fault::KeepsTheFirstNote if is_known => return Ok(()),
                Fault::ForgetsForGood if self.gone.lock().unwrap().contains(&session.id()) => {
                    return Ok(());
                }
                Fault::KeepsTheFirstNoteToo => {}
                _ => rows.retain(|row| row.id() != session.id()),
            }
            rows.push(self.written(session));
            Ok(())
        })
    }

    fn forget<'a>(&'a self, subject: &'a str, id: SessionId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut rows = self.rows.lock().unwrap();
            match self.fault {
                Fault::ForgetsNothing => {}
                Fault::ForgetsAllOfTheSubject => rows.retain(|row| row.subject() != subject),
                _ => rows.retain(|row| row.id() != id),
            }
            let is_known = rows.iter().any(|row| row.subject() == subject);
            if self.fault == Fault::ForgetsForGood && !is_known {
                self.gone.lock().unwrap().push(id);
            }
            Ok(())
        })
    }

    fn list<'a>(&'a self, subject: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        Box::pin(async move {
            if self.fault == Fault::Slow {
                tokio::time::sleep(Duration::from_secs(7)).await;
            }
            let rows = self.rows.lock().unwrap();
            let is_theirs = |row: &&ListedSession| match self.fault {
                Fault::ListsEverybody => true,
                Fault::ReadsSubjectsByCase => row.subject().eq_ignore_ascii_case(subject),
                _ => row.subject() == subject,
            };
            let is_live = |row: &&ListedSession| {
                self.fault == Fault::ListsWhatHasEnded || row.expires_at() > now
            };
            let listed = rows.iter().filter(is_theirs).filter(is_live);
            Ok(listed.cloned().collect())
        })
    }
}

const FORGOTTEN: &str = "a session that is forgotten leaves the list, and no other";
const RENEWED: &str = "a renewal replaces the entry of its session";
const SCRIPTS: &str = "an entry keeps text in every script";
const UNKNOWN: &str = "a session that is not known can be forgotten";
const AGAIN: &str = "a session that is noted again is listed again";
const ALIKE: &str = "subjects that look alike are not one subject";

#[tokio::test(start_paused = true)]
async fn an_index_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(Fault, &[&str]); 14] = [
        (Fault::None, &[]),
        (
            Fault::DropsWhatComesTogether,
            &["of fifty sessions that come together all are listed"],
        ),
        (Fault::ForgetsAllOfTheSubject, &[FORGOTTEN, UNKNOWN]),
        (Fault::ForgetsForGood, &[UNKNOWN, AGAIN]),
        (Fault::ForgetsNothing, &[FORGOTTEN]),
        (Fault::KeepsTheFirstNote, &[RENEWED]),
        (Fault::KeepsTheFirstNoteToo, &[RENEWED]),
        (
            Fault::ListsEverybody,
            &[
                "of a subject that is not known nothing is listed",
                "all sessions of a subject are listed, and no other's",
                ALIKE,
                "an entry keeps all that was noted",
                FORGOTTEN,
            ],
        ),
        (
            Fault::ListsWhatHasEnded,
            &[
                RENEWED,
                "a session is listed until the second in which it ends",
            ],
        ),
        (
            Fault::LosesTheRevocationBefore,
            &["an entry keeps the revocation that its sign-in comes after"],
        ),
        (
            Fault::LosesTheUserAgent,
            &[
                "a session that is noted is listed",
                "all sessions of a subject are listed, and no other's",
                ALIKE,
                "an entry keeps all that was noted",
                RENEWED,
                FORGOTTEN,
                UNKNOWN,
                AGAIN,
                "a session is listed until the second in which it ends",
                "of fifty sessions that come together all are listed",
                "an answer comes within two seconds",
            ],
        ),
        (Fault::ReadsSubjectsByCase, &[ALIKE]),
        (Fault::Slow, &["an answer comes within two seconds"]),
        (Fault::WritesAscii, &[SCRIPTS]),
    ];
    for (fault, failed) in cases {
        let report = suite::sessions::run(async |_| Faulty::new(fault)).await;
        assert_fails(&format!("{fault:?}"), &report, failed);
    }
}
