//! `Report`: the result of each case of a suite.

use std::{
    any::Any,
    fmt::{self, Debug},
    future::Future,
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::FutureExt;

/// How long a case may take. Only one that hangs takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// How a case ended.
pub(super) type Outcome<T = ()> = Result<T, Miss>;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) enum Miss {
    Failed(String),
    /// It could not be run.
    Skipped(&'static str),
}

impl Miss {
    pub(super) fn failed(expected: &str, found: impl fmt::Display) -> Self {
        Self::Failed(format!("expected {expected}, found {found}"))
    }
}

/// Says that two things are the same.
pub(super) fn same<T: PartialEq + Debug>(what: &str, got: &T, want: &T) -> Outcome {
    if got == want {
        return Ok(());
    }
    let reason = format!("{what}: expected {want:?}, found {got:?}");
    Err(Miss::Failed(reason))
}

/// The result of each case of a suite. `Display` lists the cases that failed or were skipped, and
/// why.
#[derive(Debug)]
#[must_use = "a suite fails by its report: call assert"]
pub struct Report {
    port: &'static str,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    name: &'static str,
    outcome: Outcome,
}

impl Report {
    pub(super) const fn of(port: &'static str) -> Self {
        Self {
            port,
            cases: Vec::new(),
        }
    }

    /// Runs one case. A panic in it is its failure alone.
    pub(super) async fn case(&mut self, name: &'static str, check: impl Future<Output = Outcome>) {
        // Nothing of a case that panicked is used again: its world is dropped with it.
        let check = AssertUnwindSafe(tokio::time::timeout(LIMIT, check));
        let outcome = match check.catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Miss::failed("an end of the case", "none in a minute")),
            Err(panic) => {
                let message = message_of(&*panic);
                Err(Miss::failed("no panic", format_args!("{message:?}")))
            }
        };
        self.cases.push(Case { name, outcome });
    }

    /// Panics if a case has failed, and names all that have.
    ///
    /// # Panics
    ///
    /// If a case has failed.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.failed().next().is_none(), "{self}");
    }

    /// Returns the names of the cases that held.
    pub fn held(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        self.cases
            .iter()
            .filter_map(|case| case.outcome.is_ok().then_some(case.name))
    }

    /// Returns the names of the cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        let failed = |case: &&Case| matches!(case.outcome, Err(Miss::Failed(_)));
        self.cases.iter().filter(failed).map(|case| case.name)
    }

    /// Returns the names of the cases that could not be run.
    pub fn skipped(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        let skipped = |case: &&Case| matches!(case.outcome, Err(Miss::Skipped(_)));
        self.cases.iter().filter(skipped).map(|case| case.name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, all) = (self.failed().count(), self.cases.len());
        write!(f, "{}: {failed} of {all} cases failed", self.port)?;
        for Case { name, outcome } in &self.cases {
            match outcome {
                Ok(()) => {}
                Err(Miss::Failed(reason)) => write!(f, "\n- {name}: {reason}")?,
                Err(Miss::Skipped(reason)) => write!(f, "\n- {name}: skipped, {reason}")?,
            }
        }
        Ok(())
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_case_that_fails_hides_no_other_and_the_report_names_each() {
        let mut report = Report::of("port");
        report.case("one holds", async { Ok(()) }).await;
        report
            .case("one panics", async { panic!("for {}", "a reason") })
            .await;
        report.case("one hangs", std::future::pending()).await;
        report
            .case("one differs", async { same("a number", &1, &2) })
            .await;
        report
            .case("one is skipped", async { Err(Miss::Skipped("no clock")) })
            .await;
        report.case("the last holds", async { Ok(()) }).await;
        assert!(report.held().eq(["one holds", "the last holds"]));
        let failed = ["one panics", "one hangs", "one differs"];
        assert!(report.failed().eq(failed));
        assert!(report.skipped().eq(["one is skipped"]));
        let said = "port: 3 of 6 cases failed\n\
            - one panics: expected no panic, found \"for a reason\"\n\
            - one hangs: expected an end of the case, found none in a minute\n\
            - one differs: a number: expected 2, found 1\n\
            - one is skipped: skipped, no clock";
        assert_eq!(report.to_string(), said);
        let panic = std::panic::catch_unwind(|| report.assert()).unwrap_err();
        assert_eq!(message_of(&*panic), said);
    }

    #[tokio::test]
    async fn a_case_that_is_skipped_fails_no_suite() {
        let mut report = Report::of("port");
        report
            .case("one is skipped", async { Err(Miss::Skipped("no clock")) })
            .await;
        report.assert();
    }
}
