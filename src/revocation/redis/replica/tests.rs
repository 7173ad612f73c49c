//! What a copy says of its own freshness, and forgets.

use std::sync::Arc;

use super::*;
use crate::revocation::Target;

/// A wall clock that is set by hand.
#[derive(Clone, Debug)]
struct Wall(Arc<AtomicU64>);

impl Wall {
    fn at(secs: u64) -> Self {
        Self(Arc::new(AtomicU64::new(secs)))
    }

    fn set(&self, secs: u64) {
        self.0.store(secs, Ordering::SeqCst);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test(start_paused = true)]
async fn the_servers_clock_is_taken_to_go_on_while_it_is_away() {
    let replica = Replica::new(Duration::ZERO);
    let revocation = |until| {
        let [at, until] = [0, until].map(Timestamp::from_secs);
        Revocation::new(Target::Subject("a".to_owned()), at, until)
    };
    assert_eq!(replica.past(), Timestamp::from_secs(0), "never heard of");
    tokio::time::advance(Duration::from_secs(100)).await;
    replica.set_server_time(5_000);
    assert_eq!(replica.past(), Timestamp::from_secs(4_940));
    tokio::time::advance(Duration::from_secs(100)).await;
    assert_eq!(replica.past(), Timestamp::from_secs(5_040));
    replica.set_server_time(5_001);
    assert_eq!(replica.past(), Timestamp::from_secs(4_941));
    let now = SystemClock.now();
    replica.set_server_time(now.as_secs() + 86_400);
    assert!(replica.past() < now, "a server that is a day ahead");
    replica.set_server_time(5_001);
    replica.hear_of(vec![revocation(4_941)]);
    assert_eq!(replica.revocations.len(), 0);
    replica.hear_of(vec![revocation(4_942)]);
    assert_eq!(replica.revocations.len(), 1);
}

/// Pins: a revocation that another server took while no server was followed was lost, because
/// no replica put it back on the server that the follower had read before.
#[tokio::test]
async fn what_is_written_at_another_server_than_the_last_one_makes_the_follower_arrive_anew() {
    let replica = Replica::new(Duration::ZERO);
    assert!(replica.note_history("a") && !replica.take_doubt());
    replica.leave_memory("a");
    replica.hear(replica.moment());
    assert!(replica.note_history("a") && replica.note_history(""));
    assert!(!replica.take_doubt());
    assert!(!replica.note_history("b") && replica.take_doubt());
    replica.lose();
    assert!(replica.note_history("a") && !replica.take_doubt());
    assert!(replica.note_history("b") && replica.take_doubt());
    assert!(!replica.take_doubt(), "once");
}

#[tokio::test(start_paused = true)]
async fn the_grace_begins_when_the_server_was_heard_of_last() {
    let replica = Replica::new(Duration::from_secs(3));
    assert!(replica.is_stale(), "nothing is known yet");
    tokio::time::advance(Duration::from_secs(10)).await;
    replica.hear(replica.moment());
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1_300)).await;
    replica.lose();
    tokio::time::advance(Duration::from_millis(1_699)).await;
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(replica.is_stale());
    // Without answers the copy gets stale even while it counts as followed.
    replica.hear(replica.moment());
    tokio::time::advance(Duration::from_millis(5_499)).await;
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(replica.is_stale() && !replica.is_following());
    replica.hear(replica.moment());
    assert!(!replica.is_stale());
}

/// Pins: after a machine had been suspended for hours, its copy counted as followed, because the
/// monotonic clock stands still meanwhile.
#[tokio::test(start_paused = true)]
async fn a_copy_ages_by_the_wall_clock_too_and_never_grows_younger_by_it() {
    const HOUR: u64 = 3_600;
    let wall = Wall::at(100 * HOUR);
    let replica = Replica::with_clock(Duration::from_secs(3), Box::new(wall.clone()));
    replica.hear(replica.moment());
    wall.set(100 * HOUR + 1);
    assert_eq!(replica.unheard(), Duration::ZERO, "a tick");
    assert!(!replica.is_stale() && replica.is_following());

    let asked = replica.moment();
    wall.set(102 * HOUR);
    assert!(replica.is_stale() && !replica.is_following(), "suspended");
    replica.hear(asked);
    assert!(replica.is_stale(), "what was asked before says nothing new");
    replica.hear(replica.moment());
    assert!(!replica.is_stale() && replica.is_following(), "heard of");

    wall.set(HOUR);
    assert!(!replica.is_stale() && replica.is_following(), "set back");
    tokio::time::advance(Duration::from_millis(2_500)).await;
    assert!(!replica.is_following(), "it ages all the same");
    tokio::time::advance(Duration::from_secs(3)).await;
    assert!(replica.is_stale(), "it ages all the same");
    replica.hear(replica.moment());
    assert!(!replica.is_stale());
    wall.set(HOUR + 60);
    assert!(
        replica.is_stale(),
        "suspended by the clock that was set back"
    );
}
