//! `Heard`: how long ago other replicas gave a sign of life, by this process's own clock.
//!
//! Redis dates the signs by its clock, which may be set. After a step of a minute, every replica
//! would look gone, and none would wait for what another knows.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// The last sign of life of each replica.
#[derive(Debug, Default)]
pub(super) struct Heard(HashMap<String, Sign>);

#[derive(Debug)]
struct Sign {
    /// When it was given, by the server's clock, in milliseconds: another date is another sign.
    date: u64,
    seen: Instant,
    /// How old it was when it was seen.
    age: Duration,
}

impl Sign {
    fn is_within(&self, limit: Duration) -> bool {
        self.age + self.seen.elapsed() < limit
    }
}

impl Heard {
    /// Notes the dates of the signs, and the server's present, in milliseconds. Forgets what is
    /// older than `limit`.
    pub(super) fn note(&mut self, dates: &HashMap<String, u64>, time: u64, limit: Duration) {
        for (id, date) in dates {
            let known = self.0.get(id);
            if known.is_some_and(|known| known.date == *date) {
                continue;
            }
            // How old the first one is, only the server knows.
            let age = if known.is_none() {
                Duration::from_millis(time.abs_diff(*date))
            } else {
                Duration::ZERO
            };
            let seen = Instant::now();
            let sign = Sign {
                date: *date,
                seen,
                age,
            };
            self.0.insert(id.clone(), sign);
        }
        self.0
            .retain(|id, sign| sign.is_within(limit) || dates.contains_key(id));
    }

    /// Returns the replicas that were heard of within that time.
    pub(super) fn within(&self, limit: Duration) -> impl Iterator<Item = &String> {
        let signs = self.0.iter();
        let signs = signs.filter(move |(_, sign)| sign.is_within(limit));
        signs.map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Pins: once Redis's clock had been set ahead by a minute, no replica waited for another.
    #[tokio::test(start_paused = true)]
    async fn no_replica_looks_gone_because_the_servers_clock_was_set() {
        let limit = Duration::from_secs(30);
        let mut dates = HashMap::from([("a".to_owned(), 1_000_000), ("b".to_owned(), 940_000)]);
        let mut heard = Heard::default();
        let within = |heard: &Heard| heard.within(limit).cloned().collect::<Vec<_>>();
        for (name, time) in [
            ("at first", 1_001_000),
            ("ahead", 1_062_000),
            ("back", 942_000),
        ] {
            heard.note(&dates, time, limit);
            assert_eq!(within(&heard), ["a"], "{name}");
            advance(Duration::from_secs(1)).await;
        }
        advance(Duration::from_secs(26)).await;
        assert!(within(&heard).is_empty(), "no sign for half a minute");
        dates.insert("a".to_owned(), 942_500);
        heard.note(&dates, 970_000, limit);
        assert_eq!(
            within(&heard),
            ["a"],
            "a new sign, by a clock that was set back"
        );
    }
}
