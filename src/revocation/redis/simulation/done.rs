//! A replica that has put back what it knew says so until the server knows it.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    play::session,
    process::Process,
    world::{Link, World},
};

const SESSIONS: u64 = 40;

/// Returns which replica has just put back the last of the sessions.
fn restorer(world: &World) -> Option<usize> {
    let inside = world.inside();
    let state = inside.state();
    let number = state.restorer_now()?.strip_prefix("replica-")?;
    let is_whole = inside.data.entries.len() == usize::try_from(SESSIONS).unwrap();
    is_whole.then(|| number.parse().unwrap())
}

/// Pins: the mark that a replica is done was sent once. If the connection broke just then, the
/// replica followed on without it, and the others refused every session for five seconds.
#[tokio::test(start_paused = true)]
async fn that_a_replica_has_put_back_what_it_knew_is_said_again_if_it_was_lost() {
    for seed in 0..20 {
        let world = World::new(seed);
        let processes = [0, 1].map(|number| Process::start(&world, number));
        sleep(Duration::from_secs(5)).await;
        for number in 0..SESSIONS {
            drop(processes[0].end(&session(number)));
        }
        sleep(Duration::from_secs(3)).await;
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
