//! Lengths of time in English, for an engineer: "30 seconds", "2 minutes and 5 seconds", "15
//! minutes", "1 hour and 30 minutes". What a person reads is worded in `language/`.

use std::time::Duration;

const MINUTE: u64 = 60;

/// Words a wait: to the second below an hour, else in whole minutes; rounded up, and at least a
/// second.
pub(crate) fn wait(wait: Duration) -> String {
    let secs = wait
        .as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1);
    let minutes = match secs {
        // Nobody needs the seconds of a wait of hours.
        3_600.. => secs.div_ceil(MINUTE),
        _ => secs / MINUTE,
    };
    match (minutes / 60, minutes % 60, secs % MINUTE) {
        (0, 0, secs) => counted(secs, "second"),
        (0, minutes, 0) => counted(minutes, "minute"),
        (0, minutes, secs) => both(counted(minutes, "minute"), &counted(secs, "second")),
        (hours, 0, _) => counted(hours, "hour"),
        (hours, minutes, _) => both(counted(hours, "hour"), &counted(minutes, "minute")),
    }
}

fn both(long: String, short: &str) -> String {
    long + " and " + short
}

fn counted(count: u64, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up() {
        let cases = [
            (0, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "1 minute and 1 second"),
            (150, "2 minutes and 30 seconds"),
            (3_599, "59 minutes and 59 seconds"),
            (3_600, "1 hour"),
            (3_601, "1 hour and 1 minute"),
            (5_400, "1 hour and 30 minutes"),
            (7_199, "2 hours"),
            (86_400, "24 hours"),
        ];
        for (secs, want) in cases {
            assert_eq!(wait(Duration::from_secs(secs)), want, "{secs} s");
        }
        assert_eq!(wait(Duration::from_millis(1_001)), "2 seconds");
        assert!(!wait(Duration::MAX).is_empty());
    }
}
