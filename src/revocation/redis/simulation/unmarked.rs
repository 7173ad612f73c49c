//! A failover to a server that lagged, and that takes no mark of when it was seen first.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    play::session,
    process::Process,
    world::{World, Writes},
};
use crate::revocation::Standing::{Active, Revoked};

/// Longer than settling, and than the grace.
const LONG: Duration = Duration::from_secs(15);

/// Starts two replicas that know a session to have ended, which the new primary does not.
async fn failed_over(world: &World, writes: Writes) -> [Process; 2] {
    let processes = [0, 1].map(|number| Process::start(world, number));
    sleep(LONG).await;
    world.back_up();
    drop(processes[0].end(&session(1)));
    sleep(LONG).await;
    world.inside().writes = writes;
    world.return_to_backup();
    processes
}

/// Pins: a replica that started then believed the older data set after the time of settling.
#[tokio::test(start_paused = true)]
async fn where_writes_are_refused_replicas_go_on_from_their_copies_and_new_ones_wait() {
    for seed in 1..20 {
        let world = World::new(seed);
        let [a, b] = failed_over(&world, Writes::Refused).await;
        let new = Process::start(&world, 2);
        sleep(LONG).await;
        for (name, known) in [("a", &a), ("b", &b)] {
            let told = [1, 2].map(|number| known.standing(&session(number)));
            assert_eq!(told, [Some(Revoked), Some(Active)], "{seed}, {name}");
        }
        let told = [1, 2].map(|number| new.standing(&session(number)));
        assert_eq!(told, [None; 2], "{seed}");
        world.inside().writes = Writes::Taken;
        sleep(LONG).await;
        for process in [a, b, new] {
            let told = [1, 2].map(|number| process.standing(&session(number)));
            assert_eq!(told, [Some(Revoked), Some(Active)], "{seed}");
            process.stop();
        }
    }
}

/// Pins: a mark without an answer counted as one that was refused.
#[tokio::test(start_paused = true)]
async fn a_replica_whose_mark_is_late_arrives_anew() {
    for seed in 1..20 {
        let world = World::new(seed);
        let processes = failed_over(&world, Writes::Late).await;
        sleep(LONG).await;
        for process in &processes {
            assert_eq!(process.standing(&session(2)), None, "{seed}");
        }
        world.inside().writes = Writes::Taken;
        sleep(LONG).await;
        for process in processes {
            assert_eq!(process.standing(&session(2)), Some(Active), "{seed}");
            process.stop();
        }
    }
}
