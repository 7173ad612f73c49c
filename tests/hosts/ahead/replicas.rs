//! Replicas whose clocks were ahead, each by itself, and what becomes of one's sessions at another.

use super::*;

const IDLE: u64 = 10 * MINUTE;

/// Two replicas with the same keys, whose clocks are set by themselves.
struct Two {
    clocks: [Dials; 2],
    replicas: [MagicLinkLayer; 2],
}

impl Two {
    fn new() -> Self {
        let keys = keys();
        let clocks = [Dials::at(BEGIN), Dials::at(BEGIN)];
        let replicas = clocks.each_ref().map(|clock| {
            let replica = layer(clock, &keys, |builder| {
                builder.idle_timeout(Duration::from_secs(IDLE))
            });
            begun(&replica);
            replica
        });
        Self { clocks, replicas }
    }

    /// Sets the clock of one of them forward or back, and has it tell the time.
    fn step(&self, which: usize, by: i64) {
        let wall = self.clocks[which].now().as_secs();
        self.clocks[which].set(wall.checked_add_signed(by).unwrap());
        begun(&self.replicas[which]);
    }

    fn pass(&self, secs: u64) {
        for clock in &self.clocks {
            clock.pass(secs);
        }
    }
}

/// Pins: the skew of another replica's token counted where the clock was set back by as much, and
/// the token came back after it had expired there.
#[test]
fn no_session_of_a_replica_that_was_ahead_comes_back_at_another_that_was_too() {
    let hour = HOUR.cast_signed();
    let two = Two::new();
    two.step(0, hour);
    two.step(0, -hour);
    two.step(1, hour);
    let cookie = cookie_of(&begun(&two.replicas[0]));
    assert!(is_admitted(&two.replicas[0], &cookie));
    // By the clock of the other it began an hour ago.
    assert!(!is_admitted(&two.replicas[1], &cookie));
    two.step(1, -hour);
    for _ in 0..=IDLE / MINUTE {
        assert!(!is_admitted(&two.replicas[1], &cookie), "it came back");
        two.pass(MINUTE);
    }
    assert!(!is_admitted(&two.replicas[0], &cookie));
}

/// Pins: a session lived an hour longer at a replica whose clock had been an hour behind.
#[test]
fn a_session_of_a_replica_that_was_ahead_ends_on_time_where_the_clock_was_behind() {
    let hour = HOUR.cast_signed();
    let two = Two::new();
    two.pass(DAY);
    two.step(0, hour);
    two.step(0, -hour);
    two.step(1, 0);
    two.step(1, -hour);
    two.step(1, hour);
    let cookie = cookie_of(&begun(&two.replicas[0]));
    two.pass(IDLE - 1);
    for replica in &two.replicas {
        assert!(is_admitted(replica, &cookie));
    }
    two.pass(1);
    for replica in &two.replicas {
        assert!(!is_admitted(replica, &cookie));
    }
}

/// Pins: until its process ended, a replica that had been ahead refused what others began.
#[tokio::test]
async fn once_what_it_was_ahead_has_passed_a_replica_takes_the_sessions_of_all() {
    for ahead in [HOUR, DAY] {
        let step = ahead.cast_signed();
        let two = Two::new();
        // One of them, both, and one after the other.
        for both in [false, true, true] {
            for which in 0..=usize::from(both) {
                two.step(which, step);
                two.step(which, -step);
            }
            two.pass(ahead + 1);
            for (here, there) in [(0, 1), (1, 0)] {
                let mut cookie = cookie_of(&begun(&two.replicas[here]));
                for _ in 0..10 {
                    two.pass(IDLE - 1);
                    for replica in &two.replicas {
                        assert!(is_admitted(replica, &cookie), "{ahead}: {here} to {there}");
                    }
                    let (next, _) = renewed(&two.replicas[there], &cookie).await.unwrap();
                    cookie = next;
                }
                two.pass(IDLE);
                for replica in &two.replicas {
                    assert!(!is_admitted(replica, &cookie), "{ahead}: {here} to {there}");
                }
            }
        }
    }
}
