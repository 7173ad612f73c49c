//! A replica that has put back what it knew says so until the server knows it.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    play::session,
    process::Process,
    world::{Link, World},
};
use crate::revocation::Standing;

const SESSIONS: u64 = 40;

/// Starts two replicas that know the sessions to have ended.
async fn replicas(world: &World) -> [Process; 2] {
    let processes = [0, 1].map(|number| Process::start(world, number));
    sleep(Duration::from_secs(5)).await;
    for number in 0..SESSIONS {
        drop(processes[0].end(&session(number)));
    }
    sleep(Duration::from_secs(3)).await;
    processes
}

/// Returns which replica has just put back the last of the sessions.
fn restorer(world: &World) -> Option<usize> {
    let state = world.inside().state();
    let number = state.restorer_now()?.strip_prefix("replica-")?;
    is_whole(world).then(|| number.parse().unwrap())
}

fn is_whole(world: &World) -> bool {
    world.inside().data.entries.len() == usize::try_from(SESSIONS).unwrap()
}

/// Pins: the mark that a replica is done was sent once. If the connection broke just then, the
/// replica followed on without it, and the others refused every session for five seconds.
#[tokio::test(start_paused = true)]
async fn that_a_replica_has_put_back_what_it_knew_is_said_again_if_it_was_lost() {
    for seed in 1..20 {
        let world = World::new(seed);
        world.inside().few = 3;
        let processes = replicas(&world).await;
        world.flush();
        let number = loop {
            sleep(Duration::from_millis(1)).await;
            if let Some(number) = restorer(&world) {
                break number;
            }
        };
        world.link(number, Link::Cut);
        sleep(Duration::from_secs(1)).await;
        world.link(number, Link::Whole);
        sleep(Duration::from_secs(3)).await;
        let state = world.inside().state();
        assert!(!state.awaits(&format!("replica-{number}")), "{seed}");
        for process in processes {
            process.stop();
        }
    }
}

/// Pins: a put-back through the stream gave no sign of life. On a slow way it takes longer than the
/// others wait for one, so that they believed in a data set that was not whole.
#[tokio::test(start_paused = true)]
async fn a_replica_that_puts_back_slowly_through_the_stream_is_waited_for() {
    for seed in 1..20 {
        let world = World::new(seed);
        world.inside().few = 100;
        let processes = replicas(&world).await;
        for number in [0, 1] {
            world.link(number, Link::Slow);
        }
        world.flush();
        let ids = [0, 1].map(|number| format!("replica-{number}"));
        let mut were_awaited = false;
        while !is_whole(&world) {
            sleep(Duration::from_millis(1)).await;
            let state = world.inside().state();
            let are_awaited = ids.iter().any(|id| state.awaits(id));
            assert!(are_awaited || !were_awaited, "{seed}");
            were_awaited |= are_awaited;
        }
        assert!(were_awaited, "{seed}");
        for process in processes {
            process.stop();
        }
    }
}

/// Pins: a replica that had waited long for another to put back took the signs of life of before
/// for the latest, and believed while a third was putting back.
#[tokio::test(start_paused = true)]
async fn who_has_waited_long_believes_by_what_the_server_says_now() {
    for seed in 1..20 {
        let world = World::new(seed);
        world.inside().few = 3;
        let mut processes = Vec::from(replicas(&world).await);
        world.flush();
        processes.push(Process::start(&world, 2));
        let restorer = loop {
            sleep(Duration::from_millis(1)).await;
            let restorer = world.inside().state().restorer_now().map(str::to_owned);
            if let Some(id) = restorer {
                break id;
            }
        };
        for number in [0, 1] {
            let is_it = restorer == format!("replica-{number}");
            world.link(number, if is_it { Link::Dead } else { Link::Slow });
        }
        let mut more = SESSIONS;
        for _ in 0..100 {
            more += 1;
            drop(processes[2].end(&session(more)));
            sleep(Duration::from_millis(100)).await;
            for number in 0..SESSIONS {
                let standing = processes[2].standing(&session(number));
                assert_ne!(standing, Some(Standing::Active), "{seed}");
            }
        }
        for process in processes {
            process.stop();
        }
    }
}
