//! Lengths of time in words: "30 seconds", "2 minutes and 5 seconds", "15 minutes", "1 hour and 30
//! minutes".

use std::time::Duration;

const MINUTE: u64 = 60;

/// Words a lifetime: below a minute in seconds, else in whole minutes, rounded down.
pub(crate) fn lifetime(lifetime: Duration) -> String {
    in_words(lifetime.as_secs())
}

/// Words a wait: to the second below an hour, else in whole minutes; rounded up, and at least a
/// second.
pub(crate) fn wait(wait: Duration) -> String {
    let secs = ceil(wait).max(1);
    match (secs / MINUTE, secs % MINUTE) {
        (1..60, rest) if rest > 0 => {
            format!("{} and {}", in_words(secs), counted(rest, "second"))
        }
        (..60, _) => in_words(secs),
        // Nobody needs the seconds of a wait of hours. It is rounded up: a person who comes back
        // too early is refused again.
        _ => in_words(secs.div_ceil(MINUTE).saturating_mul(MINUTE)),
    }
}

/// The start of the countdown in `templates/wait.js`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Countdown {
    pub(crate) seconds: u64,
    pub(crate) words: String,
}

/// Returns the rest of a wait, in seconds and in words. `None` when it is over.
pub(crate) fn countdown(left: Duration) -> Option<Countdown> {
    let seconds = ceil(left);
    (seconds > 0).then(|| Countdown {
        seconds,
        words: wait(left),
    })
}

fn ceil(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
}

fn in_words(secs: u64) -> String {
    let minutes = secs / MINUTE;
    match (minutes / 60, minutes % 60) {
        (0, 0) => counted(secs, "second"),
        (0, minutes) => counted(minutes, "minute"),
        (hours, 0) => counted(hours, "hour"),
        (hours, minutes) => format!(
            "{} and {}",
            counted(hours, "hour"),
            counted(minutes, "minute")
        ),
    }
}

fn counted(count: u64, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_rounded_down_and_a_wait_up() {
        let cases = [
            (0, "0 seconds", "1 second"),
            (1, "1 second", "1 second"),
            (59, "59 seconds", "59 seconds"),
            (60, "1 minute", "1 minute"),
            (61, "1 minute", "1 minute and 1 second"),
            (900, "15 minutes", "15 minutes"),
            (150, "2 minutes", "2 minutes and 30 seconds"),
            (3_599, "59 minutes", "59 minutes and 59 seconds"),
            (3_600, "1 hour", "1 hour"),
            (3_601, "1 hour", "1 hour and 1 minute"),
            (3_660, "1 hour and 1 minute", "1 hour and 1 minute"),
            (5_400, "1 hour and 30 minutes", "1 hour and 30 minutes"),
            (86_400, "24 hours", "24 hours"),
        ];
        for (secs, long, pause) in cases {
            assert_eq!(lifetime(Duration::from_secs(secs)), long, "{secs} s");
            assert_eq!(wait(Duration::from_secs(secs)), pause, "{secs} s");
        }
        assert_eq!(wait(Duration::from_millis(1_001)), "2 seconds");
        assert!(!wait(Duration::MAX).is_empty());
    }

    #[test]
    fn a_countdown_begins_at_the_second() {
        let cases = [
            (0, None),
            (1, Some((1, "1 second"))),
            (22_000_000_001, Some((23, "23 seconds"))),
            (61_000_000_000, Some((61, "1 minute and 1 second"))),
            (7_200_000_000_000, Some((7_200, "2 hours"))),
        ];
        for (nanos, want) in cases {
            let want = want.map(|(seconds, words)| Countdown {
                seconds,
                words: words.to_owned(),
            });
            assert_eq!(countdown(Duration::from_nanos(nanos)), want, "{nanos} ns");
        }
    }
}
