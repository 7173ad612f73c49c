//! What an engineer reads of each mistake in the configuration, at midnight: it names the setting,
//! the value (a secret never), and what to do.
//!
//! - The rows stand where they are made: `built` (an error of a setter or of `build()`), `file` (of
//!   the settings), `wired` (a line of the log, or a body), `started` (of the self-test).
//! - If a row fails, mend the text.
//! - A Redis that evicts, and a password that a mail server refuses, have their rows in
//!   `tests/stores/check.rs` and `tests/smtp/check.rs`: they need those servers.

use std::collections::BTreeSet;

use crate::row::Row;

mod built;
mod file;
mod started;
mod wired;

#[tokio::test]
async fn what_is_read_of_each_mistake_names_the_setting_the_value_and_the_cure() {
    let mut rows: Vec<Row> = built::rows();
    rows.extend(file::rows());
    rows.extend(wired::rows().await);
    rows.extend(started::rows().await);
    let faults: Vec<_> = rows.iter().flat_map(Row::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "each has a name of its own");
    assert!(rows.len() > 60, "{} rows", rows.len());
}
