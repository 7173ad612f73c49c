//! What a copy says of its own freshness, and forgets.

use super::*;
use crate::revocation::Target;

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
    replica.hear(Instant::now());
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
    replica.hear(Instant::now());
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1_300)).await;
    replica.lose();
    tokio::time::advance(Duration::from_millis(1_699)).await;
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(replica.is_stale());
    // Without answers the copy gets stale even while it counts as followed.
    replica.hear(Instant::now());
    tokio::time::advance(Duration::from_millis(5_499)).await;
    assert!(!replica.is_stale());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(replica.is_stale() && !replica.is_following());
    replica.hear(Instant::now());
    assert!(!replica.is_stale());
}
