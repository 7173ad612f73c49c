//! What goes on beside the reading, and never in its way.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    play::session,
    process::{GRACE, Process},
    world::World,
};
use crate::revocation::Standing::{Active, Revoked};

/// Longer than until the next look-up of the primary.
const LONG: Duration = Duration::from_secs(15);

/// Pins: the reading stood still until a look-up of the primary had ended, which may take minutes
/// where packets are lost. All sessions were refused meanwhile, although the server answered.
#[tokio::test(start_paused = true)]
async fn a_look_up_of_the_primary_that_hangs_keeps_no_replica_from_following() {
    for seed in 1..20 {
        let world = World::new(seed);
        let [a, b] = [0, 1].map(|number| Process::start(&world, number));
        sleep(LONG).await;
        // The writer connects when it has something to write.
        drop(b.end(&session(0)));
        sleep(LONG).await;
        world.inside().is_silent_to_new = true;
        for number in 1..=30 {
            sleep(GRACE / 3).await;
            drop(b.end(&session(number)));
            sleep(Duration::from_secs(1)).await;
            for (name, known) in [("a", &a), ("b", &b)] {
                let told = [number, 99].map(|number| known.standing(&session(number)));
                let want = [Some(Revoked), Some(Active)];
                assert_eq!(told, want, "{seed}, {name}, {number}");
            }
        }
        a.stop();
        b.stop();
    }
}
