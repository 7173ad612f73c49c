//! Lengths of time in words: "30 seconds", "2 minutes and 5 seconds", "15 minutes", "1 hour and 30
//! minutes". Each language has its plural forms (CLDR).

use std::time::Duration;

use super::{Words, texts::Text};

const MINUTE: u64 = 60;

/// The start of the countdown in `templates/wait.js`, and the words that it counts with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Countdown {
    pub(crate) seconds: u64,
    pub(crate) words: String,
}

impl Words {
    /// Words a lifetime: below a minute in seconds, else in whole minutes, rounded down.
    pub(crate) fn lifetime(&self, lifetime: Duration) -> String {
        self.in_words(lifetime.as_secs())
    }

    /// Words a wait: to the second below an hour, else in whole minutes; rounded up, and at least a
    /// second.
    pub(crate) fn wait(&self, wait: Duration) -> String {
        let secs = ceil(wait).max(1);
        match (secs / MINUTE, secs % MINUTE) {
            (1..60, rest) if rest > 0 => {
                let minutes = self.in_words(secs);
                let seconds = self.count(Text::TimeSeconds, rest);
                let both = [("minutes", &*minutes), ("seconds", &*seconds)];
                self.fill_own(Text::TimeMinutesAndSeconds, &both)
            }
            (..60, _) => self.in_words(secs),
            // Nobody needs the seconds of a wait of hours. It is rounded up: a person who comes
            // back too early is refused again.
            _ => self.in_words(secs.div_ceil(MINUTE).saturating_mul(MINUTE)),
        }
    }

    /// Returns the rest of a wait, in seconds and in words. `None` when it is over.
    pub(crate) fn countdown(&self, left: Duration) -> Option<Countdown> {
        let seconds = ceil(left);
        (seconds > 0).then(|| Countdown {
            seconds,
            words: self.wait(left),
        })
    }

    /// Returns what a script needs to count down in this language, as JSON: the plural forms of
    /// hours, minutes and seconds, and how two of them are joined. A figure is held by its noun, as
    /// in HTML.
    pub(crate) fn counting(&self) -> String {
        let forms = |text| -> serde_json::Map<String, serde_json::Value> {
            let forms = self.forms(text).into_iter();
            let held = |form: String| form.replace("{count} ", "{count}\u{a0}").into();
            forms
                .map(|(category, form)| (category.to_owned(), held(form)))
                .collect()
        };
        let places = [
            ("hours", "{hours}"),
            ("minutes", "{minutes}"),
            ("seconds", "{seconds}"),
        ];
        serde_json::json!({
            "hours": forms(Text::TimeHours),
            "hours_and_minutes": self.fill_own(Text::TimeHoursAndMinutes, &places),
            "minutes": forms(Text::TimeMinutes),
            "minutes_and_seconds": self.fill_own(Text::TimeMinutesAndSeconds, &places),
            "seconds": forms(Text::TimeSeconds),
        })
        .to_string()
    }

    fn in_words(&self, secs: u64) -> String {
        let minutes = secs / MINUTE;
        match (minutes / 60, minutes % 60) {
            (0, 0) => self.count(Text::TimeSeconds, secs),
            (0, minutes) => self.count(Text::TimeMinutes, minutes),
            (hours, 0) => self.count(Text::TimeHours, hours),
            (hours, minutes) => {
                let hours = self.count(Text::TimeHours, hours);
                let minutes = self.count(Text::TimeMinutes, minutes);
                let both = [("hours", &*hours), ("minutes", &*minutes)];
                self.fill_own(Text::TimeHoursAndMinutes, &both)
            }
        }
    }
}

fn ceil(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(time: Duration) -> String {
        Words::english().lifetime(time)
    }

    fn wait(time: Duration) -> String {
        Words::english().wait(time)
    }

    fn countdown(left: Duration) -> Option<Countdown> {
        Words::english().countdown(left)
    }

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

    /// Pins: a script that could not say hours left a wait as it was until the last one.
    #[test]
    fn a_countdown_has_the_words_of_each_length_in_each_language() {
        for words in Words::all() {
            let counting: serde_json::Value = serde_json::from_str(&words.counting()).unwrap();
            for (name, text) in [
                ("hours", Text::TimeHours),
                ("minutes", Text::TimeMinutes),
                ("seconds", Text::TimeSeconds),
            ] {
                for (category, _) in words.forms(text) {
                    assert!(counting[name][category].is_string(), "{words:?}: {name}");
                }
                assert!(counting[name]["other"].is_string(), "{words:?}: {name}");
            }
            for (name, places) in [
                ("hours_and_minutes", ["{hours}", "{minutes}"]),
                ("minutes_and_seconds", ["{minutes}", "{seconds}"]),
            ] {
                let both = counting[name].as_str().unwrap();
                assert!(places.iter().all(|place| both.contains(place)), "{both}");
            }
        }
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
