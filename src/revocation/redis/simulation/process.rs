//! A process with its copy of the revocations.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{line::From, world::World};
use crate::{
    clock::Timestamp,
    revocation::{
        Lookup, MemoryRevocations, Revocation, Standing, Target,
        redis::{follower::Follower, place::Member, replica::Replica, unsent::Letter, writer},
    },
    session::Session,
    store::StoreErrorKind,
};

pub(super) const GRACE: Duration = Duration::from_secs(6);
pub(super) const FAR: u64 = 60 * 366 * 86_400 + 1_767_268_800;
const SETTLE: Duration = Duration::from_secs(3);

/// What becomes of an order to end a session.
pub(super) type Answer = oneshot::Receiver<Result<(), StoreErrorKind>>;

/// A process.
pub(super) struct Process {
    pub(super) number: usize,
    pub(super) born: Instant,
    /// Which of the confirmed ends were obeyed here.
    pub(super) obeyed: Vec<bool>,
    replica: Arc<Replica>,
    letters: mpsc::UnboundedSender<Letter>,
    tasks: [JoinHandle<()>; 2],
}

impl Process {
    pub(super) fn start(world: &World, number: usize) -> Self {
        let mut replica = Replica::new(GRACE);
        // What is put back goes in the order of the parts, which is random otherwise.
        replica.revocations = MemoryRevocations::with_key([1, 2]);
        let replica = Arc::new(replica);
        let (letters, inbox) = mpsc::unbounded_channel();
        let from = || From {
            world: world.clone(),
            replica: number,
        };
        let follower = Follower {
            servers: from(),
            member: Member {
                replica: replica.clone(),
                letters: letters.clone(),
                settle: SETTLE,
                few: world.inside().few,
                batch: 2,
                id: format!("replica-{number}"),
            },
            loaded: watch::channel(false).0,
        };
        let follower = tokio::spawn(follower.follow());
        let writer = tokio::spawn(writer::write(from(), replica.clone(), inbox));
        Self {
            number,
            born: Instant::now(),
            obeyed: Vec::new(),
            replica,
            letters,
            tasks: [follower, writer],
        }
    }

    pub(super) fn standing(&self, session: &Session) -> Option<Standing> {
        match self.replica.look_up(session) {
            Lookup::Settled(answer) => answer.ok(),
            Lookup::Pending(_) => panic!("it is known at once"),
        }
    }

    /// Ends a session here. The answer says whether that was confirmed.
    pub(super) fn end(&self, session: &Session) -> Answer {
        let until = Timestamp::from_secs(FAR);
        let at = Timestamp::from_secs(20);
        let revocation = Revocation::new(Target::Session(session.id()), at, until);
        self.replica.record(&revocation);
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        self.letters.send(Letter { revocation, reply }).unwrap();
        answer
    }

    pub(super) fn stop(self) {
        for task in self.tasks {
            task.abort();
        }
    }
}
