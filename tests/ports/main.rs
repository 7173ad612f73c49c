//! The suites of the ports, for every implementation that needs no other program, and for broken
//! ones, of which each makes its own cases fail and no others.
//!
//! Redis has them in `tests/stores`, the mailer over SMTP in `tests/smtp`.

#![cfg(feature = "workos")]
#![expect(
    clippy::unwrap_used,
    reason = "what fails here is the test's own scaffolding"
)]

mod mailer;
mod provider;
mod revocations;
mod sessions;
mod throttle;

use std::collections::BTreeSet;

use tower_magic_link::testing::suite::Report;

/// Makes sure which cases failed.
fn assert_fails(name: &str, report: &Report, failed: &[&str]) {
    let got: Vec<_> = report.failed().collect();
    assert_eq!(got, failed, "{name}: {report}");
}

/// Makes sure that all cases held, and that the table on the suite's page has these and no others.
fn assert_holds(report: &Report, page: &str) {
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
    let rows = page.lines().filter(|line| line.starts_with("//! | "));
    let cases = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "));
    let named: BTreeSet<_> = cases
        .flat_map(|(_, cases)| cases.split('`').skip(1).step_by(2))
        .collect();
    let held: BTreeSet<_> = report.held().collect();
    assert!(held.len() >= 10, "{report}");
    let unnamed: Vec<_> = held.difference(&named).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
    // Of stores that several machines share.
    let shared = "an entry is kept for a minute after its end";
    let left: Vec<_> = named
        .difference(&held)
        .filter(|case| **case != shared)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
