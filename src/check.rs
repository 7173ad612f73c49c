//! The start-up self-test: what [`MagicLinkLayer::check`](crate::MagicLinkLayer::check) finds out
//! about the keys, the provider, the mailer and the stores before the first person does.
//!
//! - Each port answers with [`Line`]s of its own: a `check` of its trait, which may be left out.
//! - A line has passed, was not checked, or has failed. One that failed says what is wrong and what
//!   to do about it.
//! - No line holds a secret, a code, a link or an address of a person.
//!
//! A port of your own adds its line:
//!
//! ```
//! use tower_magic_link::{check::Line, clock::Timestamp, mailer::{Mail, MailError, Mailer}};
//!
//! /// Hands mails to a service over HTTP.
//! struct Courier;
//!
//! impl Mailer for Courier {
//!     async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
//! #       let _ = mail;
//!         // …
//!         Ok(())
//!     }
//!
//!     async fn check(&self, _now: Timestamp) -> Vec<Line> {
//!         let takes = "the service takes our key";
//!         let takes = match ping().await {
//!             Ok(()) => Line::passed(takes),
//!             Err(error) => Line::failed(takes, error.to_string(), "look at COURIER_KEY"),
//!         };
//!         vec![takes, Line::not_checked("the sender's domain", "the service does not say")]
//!     }
//! }
//! # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
//! ```

use std::{borrow::Cow, fmt, future::Future, panic::AssertUnwindSafe, pin::Pin, time::Duration};

use futures_util::FutureExt;

#[cfg(any(feature = "redis", feature = "workos"))]
use crate::clock::Timestamp;
use crate::clock::words;

/// The future of a check of a port that is used as a trait object.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Vec<Line>> + Send + 'a>>;

/// What became of one line of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It does not work.
    #[non_exhaustive]
    Failed {
        /// What the check met.
        problem: Cow<'static, str>,
        /// What to do about it, as an order.
        cure: Cow<'static, str>,
    },
    /// Nobody knows whether it works.
    #[non_exhaustive]
    NotChecked {
        /// Why not.
        why: Cow<'static, str>,
    },
    /// It works.
    Passed,
}

/// One thing that was checked. Its `Display` is one line.
///
/// ```
/// use tower_magic_link::check::Line;
///
/// let line = Line::failed("the mailbox", "it is full", "empty it");
/// assert_eq!(line.to_string(), "failed       the mailbox: it is full; empty it");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    what: Cow<'static, str>,
    outcome: Outcome,
}

impl Line {
    /// States that something works.
    #[must_use]
    pub fn passed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what, Outcome::Passed)
    }

    /// States that something does not work, what the check met, and what to do about it. None of
    /// the texts may hold a secret or an address. Each is cut at 300 characters. Control
    /// characters, and those that end a line or turn the direction of writing, become spaces.
    #[must_use]
    pub fn failed(
        what: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        cure: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (problem, cure) = (problem.into(), cure.into());
        Self::new(what, Outcome::Failed { problem, cure })
    }

    /// States that something was not checked, and why.
    #[must_use]
    pub fn not_checked(
        what: impl Into<Cow<'static, str>>,
        why: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(what, Outcome::NotChecked { why: why.into() })
    }

    fn new(what: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        let what = plain(what.into());
        let outcome = match outcome {
            Outcome::Failed { problem, cure } => Outcome::Failed {
                problem: plain(problem),
                cure: plain(cure),
            },
            Outcome::NotChecked { why } => Outcome::NotChecked { why: plain(why) },
            Outcome::Passed => Outcome::Passed,
        };
        Self { what, outcome }
    }

    /// Returns what was checked.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns what became of it.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Says whether it has failed.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        let line = match &self.outcome {
            Outcome::Failed { problem, cure } => format!("failed       {what}: {problem}; {cure}"),
            Outcome::NotChecked { why } => format!("not checked  {what}: {why}"),
            Outcome::Passed => format!("passed       {what}"),
        };
        f.write_str(&line)
    }
}

/// What [`MagicLinkLayer::check`](crate::MagicLinkLayer::check) found. Its `Display` has one line
/// for each thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Report {
    lines: Vec<Line>,
}

impl Report {
    pub(crate) const fn new(lines: Vec<Line>) -> Self {
        Self { lines }
    }

    /// Returns what was checked, in the order of the report.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Says whether nothing has failed. What was not checked may still fail.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        !self.lines.iter().any(Line::has_failed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.lines.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}

/// Makes a text that stays one line of a terminal and of a log, whatever a server has answered.
fn plain(text: Cow<'static, str>) -> Cow<'static, str> {
    const MOST: usize = 300;
    let moves = |c: char| {
        let marks = '\u{202a}'..='\u{202e}';
        let isolates = '\u{2066}'..='\u{2069}';
        let others = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
        c.is_control() || marks.contains(&c) || isolates.contains(&c) || others.contains(&c)
    };
    if text.len() <= MOST && !text.contains(moves) {
        return text;
    }
    let mut plain: String = text.chars().take(MOST).collect();
    if plain.len() < text.len() {
        plain.push('…');
    }
    plain.replace(moves, " ").into()
}

/// The line of a store that needs nobody.
pub(crate) fn in_memory() -> Line {
    let why = "only this process uses it, and it ends with the process";
    Line::not_checked("memory", why)
}

/// Compares two clocks. `theirs` is the other one's owner, in the genitive, and its time.
#[cfg(any(feature = "redis", feature = "workos"))]
pub(crate) fn clocks(
    what: &'static str,
    (whose, theirs): (&'static str, Timestamp),
    ours: Timestamp,
    leeway: Duration,
) -> Line {
    let (by, way) = match ours < theirs {
        true => (ours.until(theirs), "behind"),
        false => (theirs.until(ours), "ahead of"),
    };
    if by <= leeway {
        return Line::passed(what);
    }
    let by = words::wait(by);
    let problem = format!("this machine's clock is {by} {way} {whose}");
    Line::failed(what, problem, "have both synchronised by NTP")
}

/// Puts a port's name before its lines. A port without any was not checked.
pub(crate) fn of(port: &str, lines: Vec<Line>) -> Vec<Line> {
    if lines.is_empty() {
        let why = "it has no check of its own";
        return vec![Line::not_checked(port.to_owned(), why)];
    }
    let named = lines.into_iter().map(|line| Line {
        what: format!("{port}: {}", line.what).into(),
        ..line
    });
    named.collect()
}

/// Waits for a port's lines. A check that panics has failed, and the others go on.
///
/// `lines` has to call the port itself: a port may panic before it returns a future.
pub(crate) async fn caught(
    port: &'static str,
    lines: impl Future<Output = Vec<Line>>,
) -> Vec<Line> {
    let lines = AssertUnwindSafe(lines).catch_unwind().await;
    lines.unwrap_or_else(|_| {
        let cure = "mend the check of this port; the log has the panic";
        vec![Line::failed(port, "its check panicked", cure)]
    })
}

/// Waits for a port's lines, at most for a time.
pub(crate) async fn bounded(
    port: &'static str,
    limit: Duration,
    lines: impl Future<Output = Vec<Line>>,
) -> Vec<Line> {
    match tokio::time::timeout(limit, lines).await {
        Ok(lines) => of(port, lines),
        Err(_) => {
            let problem = format!("no answer within {}", words::wait(limit));
            let cure = "see whether its server runs and can be reached from here";
            vec![Line::failed(port, problem, cure)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_each_and_is_good_unless_one_has_failed() {
        let good = vec![Line::passed("a"), Line::not_checked("b", "it is new")];
        let report = Report::new(good.clone());
        assert!(report.is_ok());
        assert_eq!(
            report.to_string(),
            "passed       a\nnot checked  b: it is new"
        );
        let bad = [good, vec![Line::failed("c", "x\r\ny", "z")]].concat();
        let report = Report::new(bad);
        assert!(!report.is_ok());
        assert_eq!(report.to_string().lines().count(), 3);
        assert!(report.to_string().ends_with("failed       c: x  y; z"));
        assert!(Report::new(Vec::new()).is_ok());
    }

    #[cfg(any(feature = "redis", feature = "workos"))]
    #[test]
    fn clocks_may_differ_by_the_leeway_and_not_by_more() {
        let leeway = Duration::from_secs(60);
        let line = |ours: u64| {
            let (theirs, ours) = (Timestamp::from_secs(1_000), Timestamp::from_secs(ours));
            clocks("clock", ("the other's", theirs), ours, leeway).to_string()
        };
        let cases = [
            (939, "1 minute and 1 second behind the other's"),
            (940, "passed"),
            (1_000, "passed"),
            (1_060, "passed"),
            (1_061, "1 minute and 1 second ahead of the other's"),
        ];
        for (ours, want) in cases {
            let line = line(ours);
            assert!(line.contains(want), "{ours}: {line}");
        }
    }

    /// Pinned: only `Display` replaced control characters, and only those.
    #[test]
    fn the_texts_of_a_line_are_plain_and_have_an_end() {
        let line = Line::failed(
            "a\u{2028}b",
            "c\u{202e}d\u{2066}\u{1b}[1m",
            "é".repeat(1_000),
        );
        assert_eq!(line.what(), "a b");
        let Outcome::Failed { problem, cure } = line.outcome() else {
            panic!("{line}");
        };
        assert_eq!(problem, "c d  [1m");
        assert_eq!(cure.chars().count(), 301);
        assert!(cure.ends_with("é…"));
        assert_eq!(Line::passed("é".repeat(300)).what(), "é".repeat(300));
    }

    #[tokio::test]
    async fn a_check_that_panics_has_failed() {
        let lines = caught("store", async { panic!("hunter2") }).await;
        let report = Report::new(lines).to_string();
        assert!(
            report.starts_with("failed       store: its check panicked"),
            "{report}"
        );
        assert!(!report.contains("hunter2"), "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_port_that_hangs_has_failed_and_one_that_says_nothing_was_not_checked() {
        let limit = Duration::from_secs(2);
        let lines = bounded("store", limit, std::future::pending()).await;
        let want = "failed       store: no answer within 2 seconds; see whether its server runs and can be \
                    reached from here";
        assert_eq!(Report::new(lines).to_string(), want);
        let lines = bounded("store", limit, async { Vec::new() }).await;
        let want = "not checked  store: it has no check of its own";
        assert_eq!(Report::new(lines).to_string(), want);
        let lines = bounded("store", limit, async { vec![Line::passed("a")] }).await;
        assert_eq!(Report::new(lines).to_string(), "passed       store: a");
    }
}
