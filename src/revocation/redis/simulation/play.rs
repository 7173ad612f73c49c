//! One schedule: what happens, when, and what must hold all the while.

use std::time::Duration;

use tokio::{
    sync::oneshot::error::TryRecvError,
    time::{Instant, sleep},
};

use super::{
    dice::Dice,
    process::{Answer, FAR, GRACE, Process},
    world::{Key, Link, World},
};
use crate::{
    clock::Timestamp,
    provider::Identity,
    revocation::{Standing, Target},
    session::{Session, SessionId, Times},
};

/// A copy that is followed may be this old: `HEARD_WITHIN`.
const FOLLOWED: Duration = Duration::from_millis(2_500);
/// After this long without a fault, every replica vouches for who is live.
const WELL: Duration = Duration::from_secs(10);

/// Odd, so that no two numbers have the same id.
const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A session. Ids are in no order of time, so that a load passes the places of ends to come.
pub(super) fn session(number: u64) -> Session {
    let [begun, expires] = [10, FAR].map(Timestamp::from_secs);
    let times = Times {
        issued_at: begun,
        expires_at: expires,
        auth_time: begun,
    };
    let identity = Identity::new("a", "ada@example.com".parse().unwrap());
    Session::new(
        &identity,
        SessionId::from_bytes(u128::from(number).wrapping_mul(SCATTER).to_be_bytes()),
        times,
    )
}

/// What has happened so far in one schedule.
struct Play {
    seed: u64,
    began: Instant,
    world: World,
    dice: Dice,
    processes: Vec<Process>,
    started: usize,
    sessions: u64,
    live: Session,
    /// The ends that were confirmed, and when.
    confirmed: Vec<(Session, Instant)>,
    waits: Vec<(Session, Answer)>,
    /// When something last went wrong.
    fault: Instant,
    log: Vec<String>,
}

impl Play {
    fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        let time = self.began.elapsed().as_millis();
        self.log.push(format!("{time} ms: {what}"));
    }

    fn check(&mut self) {
        let now = Instant::now();
        for (session, answer) in std::mem::take(&mut self.waits) {
            let mut answer = answer;
            match answer.try_recv() {
                Ok(Ok(())) => self.confirmed.push((session, now)),
                Ok(Err(_)) | Err(TryRecvError::Closed) => {}
                Err(TryRecvError::Empty) => self.waits.push((session, answer)),
            }
        }
        for process in &mut self.processes {
            let mut obeyed = std::mem::take(&mut process.obeyed);
            obeyed.resize(self.confirmed.len(), false);
            let confirmed = self.confirmed.iter().zip(&mut obeyed);
            for ((session, at), obeyed) in confirmed.filter(|(_, obeyed)| !**obeyed) {
                let is_late = now.duration_since(*at) > FOLLOWED + GRACE;
                // A replica that is followed and well obeys at once, not in the grace alone.
                let is_well = now.duration_since(self.fault.max(*at)) > WELL;
                if !is_late && !is_well {
                    continue;
                }
                let standing = process.standing(session);
                *obeyed = standing == Some(Standing::Revoked);
                assert!(
                    standing != Some(Standing::Active),
                    "seed {}: {} admits what ended {:?} ago\n{}",
                    self.seed,
                    process.number,
                    now.duration_since(*at),
                    self.log.join("\n")
                );
            }
            process.obeyed = obeyed;
            let well = now.duration_since(self.fault.max(process.born));
            if well > WELL && self.world.is_whole(process.number) {
                assert_eq!(
                    process.standing(&self.live),
                    Some(Standing::Active),
                    "seed {}: {} refuses who is live\n{}",
                    self.seed,
                    process.number,
                    self.log.join("\n")
                );
            }
        }
    }

    async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            sleep(Duration::from_millis(100)).await;
            self.check();
        }
    }

    fn start(&mut self) {
        self.note(format!("replica {} starts", self.started));
        self.processes
            .push(Process::start(&self.world, self.started));
        self.started += 1;
    }

    fn end_some(&mut self) {
        let count = 1 + self.dice.below(5);
        self.end(count);
    }

    /// Some replica ends sessions.
    fn end(&mut self, count: u64) {
        let who = self.dice.index(self.processes.len());
        for _ in 0..count {
            self.sessions += 1;
            let session = session(self.sessions);
            let process = &self.processes[who];
            self.waits.push((session.clone(), process.end(&session)));
        }
        let number = self.processes[who].number;
        self.note(format!(
            "replica {number} ends up to session {}",
            self.sessions
        ));
    }

    /// Redis loses something.
    async fn lose(&mut self) {
        self.fault = Instant::now();
        match self.dice.below(7) {
            0 => {
                self.note("emptied");
                self.world.flush();
            }
            key @ 1..=4 => {
                let keys = [Key::Entries, Key::Groups, Key::State, Key::Stream];
                let key = keys[usize::try_from(key - 1).unwrap()];
                self.note(format!("{key:?} is lost"));
                self.world.delete(key);
            }
            5 => {
                self.note("restarts empty");
                self.world.stop();
                if self.dice.below(2) == 0 {
                    self.start();
                }
                let time = Duration::from_millis(self.dice.below(1_500));
                self.pass(time).await;
                self.world.start_empty();
            }
            _ => {
                self.note("fails over to an older copy");
                self.world.return_to_backup();
            }
        }
        self.fault = Instant::now();
    }

    fn set_clock(&mut self) {
        self.note("the clock is set");
        self.world.set_clock();
    }

    async fn step(&mut self) {
        match self.dice.below(12) {
            11 => self.set_clock(),
            0..=3 => self.end_some(),
            4 => self.world.back_up(),
            5 | 6 => {
                // Nobody is cut off or ends just before or after: see the page's top.
                self.pass(Duration::from_secs(2)).await;
                self.lose().await;
                for _ in 0..self.dice.below(3) {
                    match self.dice.below(3) {
                        0 => self.start(),
                        1 => self.end_some(),
                        _ => self.lose().await,
                    }
                    let time = Duration::from_millis(self.dice.below(700));
                    self.pass(time).await;
                }
                self.pass(Duration::from_secs(9)).await;
            }
            7 => {
                self.cut_off_some().await;
                self.pass(Duration::from_secs(4)).await;
            }
            8 if self.processes.len() < 4 => self.start(),
            9 if self.processes.len() > 2 => {
                self.pass(Duration::from_secs(2)).await;
                let who = self.dice.index(self.processes.len());
                let process = self.processes.swap_remove(who);
                self.note(format!("replica {} ends", process.number));
                process.stop();
            }
            10 => self.refill_slowly().await,
            _ => {}
        }
        let time = Duration::from_millis(self.dice.below(1_500));
        self.pass(time).await;
    }

    async fn cut_off_some(&mut self) {
        let who = self.dice.index(self.processes.len());
        let number = self.processes[who].number;
        let link = if self.dice.below(2) == 0 {
            Link::Cut
        } else {
            Link::Dead
        };
        self.note(format!("replica {number} is {link:?}"));
        let before = self.world.link(number, link);
        self.fault = Instant::now();
        let time = Duration::from_millis(self.dice.below(12_000));
        for _ in 0..4 {
            self.pass(time / 4).await;
            if self.dice.below(2) == 0 {
                self.end_some();
            }
        }
        self.world.link(number, before);
        self.fault = Instant::now();
        self.note(format!("replica {number} is back"));
    }

    /// Redis loses everything where a load takes many seconds, and a replica is cut off meanwhile.
    async fn refill_slowly(&mut self) {
        self.pass(Duration::from_secs(2)).await;
        self.note("all are slow");
        for process in &self.processes {
            self.world.link(process.number, Link::Slow);
        }
        self.lose().await;
        for _ in 0..3 {
            let time = Duration::from_millis(self.dice.below(4_000));
            self.pass(time).await;
            self.end_some();
        }
        // Not sooner: a replica that never says that it returns is not waited for.
        self.pass(Duration::from_secs(2)).await;
        self.cut_off_some().await;
        for process in &self.processes {
            self.world.link(process.number, Link::Whole);
        }
        self.note("all are well");
        self.fault = Instant::now();
        self.pass(Duration::from_secs(13)).await;
    }
}

/// Plays a schedule, and returns what it came to: the same for a seed each time.
pub(super) async fn play(seed: u64) -> String {
    let world = World::new(seed);
    let mut play = Play {
        seed,
        began: Instant::now(),
        world,
        dice: Dice::new(seed),
        processes: Vec::new(),
        started: 0,
        sessions: 0,
        live: session(u64::MAX),
        confirmed: Vec::new(),
        waits: Vec::new(),
        fault: Instant::now(),
        log: Vec::new(),
    };
    for _ in 0..2 + play.dice.below(2) {
        play.start();
    }
    play.pass(Duration::from_secs(5)).await;
    if play.dice.below(3) == 0 {
        play.end(40);
    }
    for _ in 0..8 {
        play.step().await;
    }
    play.fault = Instant::now();
    play.pass(WELL + Duration::from_secs(1)).await;
    let all = play.confirmed.iter();
    for (session, _) in all {
        let key = Target::Session(session.id()).key();
        assert!(
            play.world.holds(&key),
            "seed {seed}: {key} is not put back\n{}",
            play.log.join("\n")
        );
    }
    // An end that a replica obeyed is not looked at again before this.
    for obeyed in play
        .processes
        .iter_mut()
        .flat_map(|process| &mut process.obeyed)
    {
        *obeyed = false;
    }
    play.check();
    for process in play.processes {
        process.stop();
    }
    let chance = play.world.inside().dice.below(u64::MAX);
    play.log.push(format!("{chance}"));
    play.log.join("\n")
}
