//! What the self-test finds out about a ring: whether each key signs and verifies, and whether the
//! end of a retired one comes too soon.

use std::time::Duration;

use super::{Entry, KeyRing};
use crate::{
    check::Line,
    clock::{Reading, words},
};

impl KeyRing {
    /// Checks each key. What a key has signed must be good for `longest`.
    pub(crate) fn check(&self, longest: Duration, reading: impl Into<Reading>) -> Vec<Line> {
        let (keys, reading) = (self.load(), reading.into());
        let lines = keys.iter().map(|entry| entry.check(longest, reading));
        lines.collect()
    }
}

impl Entry {
    fn check(&self, longest: Duration, reading: Reading) -> Line {
        let what = format!(
            "{} ({}) signs and verifies",
            self.key.id(),
            self.key.algorithm()
        );
        if !self.stands(reading) {
            return Line::not_checked(what, "its end has come; drop it from the ring");
        }
        if !self.key.works() {
            let cure = "make a new key; what this one has signed is lost";
            return Line::failed(what, "it does not verify what it signs", cure);
        }
        if let Some(short) = self.shortfall(longest) {
            let short = words::wait(short);
            let problem =
                format!("it ends {short} before the last session that it may have signed");
            return Line::failed(what, problem, "give it a later end (RetiredKey::until)");
        }
        Line::passed(what)
    }

    /// Returns by how much the key's end comes too soon. `None` if it does not, or if it has no end
    /// or does not say when it retired.
    fn shortfall(&self, longest: Duration) -> Option<Duration> {
        let (retired, until) = self.retirement()?;
        let short = until.until(retired + longest);
        (!short.is_zero()).then_some(short)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::RetiredKey, *};
    use crate::{clock::Timestamp, session::SigningKey};

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_key_that_ends_before_its_sessions_has_failed() {
        let now = Timestamp::from_secs(1_000_000);
        let retired = |since: Option<u64>, until: Option<u64>| {
            let mut key = RetiredKey::new(SigningKey::generate().unwrap().with_id("old").unwrap());
            if let Some(since) = since {
                key = key.since(Timestamp::from_secs(since));
            }
            if let Some(until) = until {
                key = key.until(Timestamp::from_secs(until));
            }
            let ring = KeyRing::new(SigningKey::generate().unwrap());
            let lines = ring.retire(key).unwrap().check(12 * HOUR, now);
            assert_eq!(lines.len(), 2);
            assert!(lines[0].to_string().starts_with("passed "), "{}", lines[0]);
            lines[1].to_string()
        };
        let end = 1_000_000 + 12 * 3_600;
        let cases = [
            ("for ever", None, None, "passed"),
            ("no end", Some(1_000_000), None, "passed"),
            ("in time", Some(1_000_000), Some(end), "passed"),
            (
                "too soon",
                Some(1_000_000),
                Some(end - 60),
                "it ends 1 minute before",
            ),
            ("who knows since when", None, Some(end - 60), "passed"),
            ("over", Some(900_000), Some(1_000_000), "not checked"),
        ];
        for (name, since, until, want) in cases {
            let line = retired(since, until);
            assert!(line.contains(want), "{name}: {line}");
        }
    }
}
