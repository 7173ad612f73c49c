//! What nobody sees: no walk puts a key, a code, a token, a link, a state or a whole address into
//! a log at any level, a metric, an event, a `Debug`, an error or a URL of ours.
//!
//! - `walk` gathers the secrets of a walk while it goes, and keeps what its application gets.
//! - `net` has all that the program logs and counts, and finds the secrets in it.
//! - `checker` proves the net: each kind of secret is found in each kind of output.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;

use self::{net::Source, secrets::Kind, walk::Walk};

mod checker;
#[path = "../support/names.rs"]
mod names;
mod net;
#[path = "../support/page.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod page;
#[path = "../support/redis.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod redis;
mod rude;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod scripted;
mod secrets;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod support;
#[path = "../support/taken.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod taken;
mod walk;
mod walks;
mod watched;

/// The refusals that no walk meets: the check page tells of them, and asks again.
const UNMET: [&str; 3] = ["code_expired", "code_used", "code_wrong"];
/// The events that no walk causes without another program: a Redis tells its policy.
const UNHEARD: [&str; 1] = ["server_may_evict"];

fn codes_of_refusals() -> BTreeSet<&'static str> {
    let table = include_str!("../../src/rejection/kind.rs");
    let rows = table.lines().filter(|line| line.contains("=> row("));
    rows.map(|row| row.split('"').nth(1).unwrap()).collect()
}

fn names_of_events() -> BTreeSet<&'static str> {
    let table = include_str!("../../src/event/fields.md");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('`').nth(1).unwrap()).collect()
}

#[tokio::test]
async fn no_walk_puts_a_secret_where_anybody_reads_it() {
    let walk = Walk::new().await;
    // At once: much of it waits for the time of a connection, or the second of a double click.
    tokio::join!(
        walks::choices::all(&walk),
        walks::client::all(&walk),
        walks::codes::all(&walk),
        walks::companions::all(&walk),
        walks::elsewhere::all(&walk),
        walks::links::all(&walk),
        walks::mails::all(&walk),
        walks::provider::all(&walk),
        walks::self_test::all(&walk),
        walks::sessions::all(&walk),
        walks::stores::all(&walk),
        walks::webhook::all(&walk),
        walks::wire::all(&walk),
    );
    // It stops tokio's clock.
    walks::refusals::all(&walk).await;
    walks::settings::all(&walk);

    let mut faults: Vec<_> = walk
        .leaks()
        .iter()
        .map(|leak| format!("{leak:?}"))
        .collect();
    let empty = Kind::ALL
        .into_iter()
        .filter(|kind| walk.secrets.of(*kind).is_empty());
    faults.extend(empty.map(|kind| format!("no walk has a {kind:?}")));
    let unmet: Vec<_> = codes_of_refusals()
        .difference(&walk.refused())
        .copied()
        .collect();
    if unmet != UNMET {
        faults.push(format!("no walk meets {unmet:?}"));
    }
    let unheard: Vec<_> = names_of_events()
        .difference(&walk.heard())
        .copied()
        .collect();
    if unheard != UNHEARD {
        faults.push(format!("no walk causes {unheard:?}"));
    }
    let logged = net::put_out();
    let targets = logged.iter().filter_map(|line| match &line.source {
        Source::Log(target) => Some(target.as_str()),
        _ => None,
    });
    let targets: BTreeSet<_> = targets.collect();
    for target in ["tower_magic_link", "reqwest", "rustls"] {
        let is_there = targets.iter().any(|other| other.starts_with(target));
        if !is_there {
            faults.push(format!("{target} logs nothing: {targets:?}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
#[ignore = "needs redis-server; run by tests/run"]
async fn no_secret_is_put_out_at_a_real_redis() {
    let walk = Walk::new().await;
    walks::stores::at_a_real_redis(&walk).await;
    let leaks = walk.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(
        walk.heard().contains("server_may_evict"),
        "{:?}",
        walk.heard()
    );
}
