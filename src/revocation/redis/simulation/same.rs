//! The Redis in memory does what a real one does: the same random calls bring the same answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    dice::Dice,
    world::{Key, World},
};
use crate::{
    clock::Timestamp,
    revocation::{
        Revocation, Target,
        redis::server::{Doing, RedisServer, RedisServers, Server, Servers, State},
    },
    session::SessionId,
    store::redis::Redis,
};

#[path = "../../../../tests/support/redis.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod program;

const SEQUENCES: u64 = 60;
const CALLS: u64 = 60;
/// A replica that was not heard of for this long is gone, and one that was is not: calls take far
/// less.
const WHILE: i64 = 6_100;
/// Makes everything that is noted in a Redis older, or newer if the clock is set back.
const AGE: &str = "for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do \
    if string.find(field, '^[mbd]:') or field == 'since' or field == 'restoring' then \
    redis.call('HINCRBY', KEYS[1], field, -ARGV[1]) end end";
const SETTLES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(60),
];

/// What a description says, without its names of data sets and its clock.
#[derive(Debug, PartialEq)]
struct Said {
    is_intact: bool,
    /// Which data set it is, in the order in which they came.
    epoch: usize,
    is_of_this_history: bool,
    counts: (u64, u64),
    restorers: [Option<String>; 2],
    returning: BTreeSet<String>,
    done: BTreeSet<String>,
    others: BTreeSet<String>,
    has_settled: [bool; 3],
}

fn said(state: &State, epochs: &mut Vec<String>) -> Said {
    if !epochs.contains(&state.epoch) {
        epochs.push(state.epoch.clone());
    }
    Said {
        is_intact: state.is_intact,
        epoch: epochs
            .iter()
            .position(|epoch| *epoch == state.epoch)
            .unwrap(),
        is_of_this_history: state.of == state.history,
        counts: (state.seq, state.restored),
        restorers: [state.restorer.as_deref(), state.restorer_now()]
            .map(|id| id.map(str::to_owned)),
        returning: state.returning.keys().cloned().collect(),
        done: state.done.iter().cloned().collect(),
        others: others(state),
        has_settled: SETTLES.map(|settle| has_settled(state, settle)),
    }
}

/// Returns who was heard of within half a minute.
fn others(state: &State) -> BTreeSet<String> {
    let heard = state.members.iter();
    let heard = heard.filter(|(id, date)| *id != "a" && state.time.abs_diff(**date) < 30_000);
    heard.map(|(id, _)| id.clone()).collect()
}

fn has_settled(state: &State, settle: Duration) -> bool {
    state.of == state.history
        && Duration::from_millis(state.time.saturating_sub(state.since)) >= settle
        && !state.returning.keys().any(|id| state.awaits(id))
}

/// Both of them.
struct Pair {
    program: program::RedisServer,
    real: RedisServer,
    world: World,
    dice: Dice,
    /// Whether revocations end many sessions. What is left of these where one key alone is lost is
    /// simpler in memory.
    are_groups: bool,
    epochs: [Vec<String>; 2],
}

impl Pair {
    fn revocations(&mut self) -> Vec<Revocation> {
        let count = 1 + self.dice.below(5);
        let mut revocations = Vec::new();
        for _ in 0..count {
            let number = self.dice.below(12);
            let target = if self.are_groups && number < 6 {
                Target::Subject(format!("{}:{number}", number / 2))
            } else {
                Target::Session(SessionId::from_bytes(u128::from(number).to_be_bytes()))
            };
            let until = [500, 900, 2_000][self.dice.index(3)];
            let [at, until] = [self.dice.below(50), until].map(Timestamp::from_secs);
            revocations.push(Revocation::new(target, at, until));
        }
        revocations
    }

    fn lose(&mut self, key: Key) -> String {
        self.world.delete(key);
        let name = match key {
            Key::Entries => "ended",
            Key::Groups => "groups",
            Key::State => "state",
            Key::Stream => "stream",
        };
        self.program
            .say(&["DEL", &format!("{{tower-magic-link}}:{name}")]);
        format!("{name} is lost")
    }

    /// Makes one call to both, and returns which it was.
    async fn call(&mut self) -> String {
        let id = ["a", "b", "c"][self.dice.index(3)];
        match self.dice.below(12) {
            0..=3 => {
                let settle = SETTLES[self.dice.index(3)];
                let doing = match self.dice.below(5) {
                    0 => Doing::Follows,
                    1 => Doing::Returns,
                    2 | 3 => Doing::Restores(self.world.inside().state().restored),
                    _ => Doing::IsDone,
                };
                self.world.inside().arrive(id, settle, doing);
                self.real.arrive(id, settle, doing).await.unwrap();
                format!("{id} arrives: {doing:?}, {settle:?}")
            }
            4..=6 => {
                let revocations = self.revocations();
                let now = Timestamp::from_secs([0, 900][self.dice.index(2)]);
                self.world.inside().put(&revocations, now);
                self.real.put(&revocations, now).await.unwrap();
                format!("put at {now:?}: {revocations:?}")
            }
            7 | 8 => {
                let revocations = self.revocations();
                let ours = self.world.inside().restore(&revocations, id);
                let theirs = self.real.restore(&revocations, id).await;
                assert_eq!(ours, theirs.is_ok(), "{theirs:?}");
                format!("{id} restores, {ours}: {revocations:?}")
            }
            9 => {
                let step = [WHILE, -WHILE][self.dice.index(2)];
                if let Some(state) = &mut self.world.inside().data.state {
                    state.age(step);
                }
                let key = "{tower-magic-link}:state";
                self.program
                    .say(&["EVAL", AGE, "1", key, &step.to_string()]);
                format!("the clock goes on by {step} ms")
            }
            10 if self.dice.below(3) == 0 => {
                self.world.flush();
                self.program.say(&["FLUSHALL"]);
                "emptied".to_owned()
            }
            11 if self.are_groups => {
                let key = [Key::State, Key::Stream][self.dice.index(2)];
                self.lose(key)
            }
            11 => {
                let keys = [Key::Entries, Key::Groups, Key::State, Key::Stream];
                let key = keys[self.dice.index(4)];
                self.lose(key)
            }
            _ => "nothing".to_owned(),
        }
    }

    async fn compare(&mut self, what: &str) {
        let [ours, theirs] = &mut self.epochs;
        let ours = said(&self.world.inside().state(), ours);
        let theirs = said(&self.real.state().await.unwrap(), theirs);
        assert_eq!(ours, theirs, "{what}");

        let mut held = BTreeMap::new();
        let mut cursor = "0".to_owned();
        loop {
            let (next, page) = self.real.scan(cursor, 1_000).await.unwrap();
            held.extend(page.into_iter().map(|found| (found.target().key(), found)));
            if next == "0" {
                break;
            }
            cursor = next;
        }
        assert_eq!(self.world.inside().data.entries, held, "{what}");

        let theirs = self.real.read(0, None).await.unwrap();
        let theirs: Vec<_> = theirs
            .into_iter()
            .map(|streamed| (streamed.seq.unwrap(), streamed.revocation.unwrap()))
            .collect();
        // In memory the stream is short.
        assert!(theirs.ends_with(&self.world.inside().data.stream), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn the_redis_in_memory_answers_as_a_real_one_does() {
    let program = program::RedisServer::start().await;
    let real = RedisServers::new(Redis::new(&program.url()).unwrap());
    let mut pair = Pair {
        real: real.connect().await.unwrap(),
        program,
        world: World::new(0),
        dice: Dice::new(1),
        are_groups: false,
        epochs: [Vec::new(), Vec::new()],
    };
    for seed in 1..=SEQUENCES {
        pair.program.say(&["FLUSHALL"]);
        pair.world = World::new(seed);
        pair.dice = Dice::new(seed);
        pair.are_groups = seed % 2 == 0;
        pair.epochs = [Vec::new(), Vec::new()];
        let mut calls = Vec::new();
        for _ in 0..CALLS {
            calls.push(pair.call().await);
            pair.compare(&format!("seed {seed}: {}", calls.join("\n")))
                .await;
        }
    }
}
