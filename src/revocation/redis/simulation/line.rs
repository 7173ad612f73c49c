//! The way to the Redis in memory: links that are slow or cut.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::{Inside, Link, World};
use crate::{
    clock::Timestamp,
    revocation::{
        Revocation,
        redis::server::{Doing, Server, Servers, State, Streamed},
    },
    store::{StoreError, StoreErrorKind},
};

/// The scripts' `PATIENCE`, in milliseconds.
const PATIENCE: u64 = 5_000;

/// Where a replica finds the Redis.
pub(super) struct From {
    pub(super) world: World,
    pub(super) replica: usize,
}

impl Servers for From {
    type Server = Line;

    async fn connect(&self) -> Result<Line, StoreError> {
        let (breaks, history) = {
            let inside = self.world.inside();
            (inside.breaks, inside.history.to_string())
        };
        let line = Line {
            world: self.world.clone(),
            replica: self.replica,
            breaks,
            history,
        };
        line.carry().await?;
        Ok(line)
    }

    fn jittered(&self, pause: Duration) -> Duration {
        let share = self.world.inside().dice.below(256);
        pause / 2 + pause / 2 * u32::try_from(share).unwrap() / 255
    }
}

/// A connection.
pub(super) struct Line {
    world: World,
    replica: usize,
    breaks: u64,
    history: String,
}

impl Line {
    /// Carries a packet: it takes a while, fails, or gets no answer.
    async fn carry(&self) -> Result<(), StoreError> {
        let (delay, link, is_broken) = {
            let mut inside = self.world.inside();
            let slow = if inside.dice.below(20) == 0 { 200 } else { 8 };
            let delay = inside.dice.below(slow);
            let link = inside
                .links
                .get(&self.replica)
                .copied()
                .unwrap_or(Link::Whole);
            let is_broken = !inside.is_up || inside.breaks != self.breaks;
            (delay, link, is_broken)
        };
        sleep(Duration::from_millis(delay)).await;
        if link == Link::Dead {
            sleep(Duration::from_secs(1)).await;
            return Err(StoreError::new(StoreErrorKind::TimedOut));
        }
        if link == Link::Cut || is_broken {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        Ok(())
    }

    /// Carries a question there and its answer back: the work is done if only the answer is lost.
    async fn ask<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> Result<T, StoreError> {
        self.carry().await?;
        let answer = {
            let mut inside = self.world.inside();
            if !inside.is_up || inside.breaks != self.breaks {
                return Err(StoreError::new(StoreErrorKind::Unavailable));
            }
            work(&mut inside)
        };
        self.carry().await?;
        Ok(answer)
    }
}

impl Server for Line {
    fn history(&self) -> &str {
        &self.history
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.ask(|inside| inside.state()).await
    }

    async fn arrive(&self, id: &str, settle: Duration, doing: Doing) -> Result<(), StoreError> {
        self.ask(|inside| inside.arrive(id, settle, doing)).await
    }

    async fn read(
        &self,
        behind: u64,
        block: Option<Duration>,
    ) -> Result<Vec<Streamed>, StoreError> {
        let until = Instant::now() + block.unwrap_or_default();
        loop {
            let read = |inside: &mut Inside| -> Vec<_> {
                let entries = inside.data.stream.iter().filter(|(seq, _)| *seq > behind);
                entries.take(3).cloned().collect()
            };
            let read = self.ask(read).await?;
            if !read.is_empty() || Instant::now() >= until {
                let streamed = read.into_iter().map(|(seq, revocation)| Streamed {
                    seq: Some(seq),
                    revocation: Some(revocation),
                });
                return Ok(streamed.collect());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn scan(
        &self,
        cursor: String,
        _count: u32,
    ) -> Result<(String, Vec<Revocation>), StoreError> {
        self.ask(|inside| {
            let mut rest = inside.data.entries.range(cursor.clone()..);
            if cursor == "0" {
                rest = inside.data.entries.range(String::new()..);
            }
            let page = rest
                .by_ref()
                .take(4)
                .map(|(_, revocation)| revocation.clone());
            let page = page.collect();
            let next = rest
                .next()
                .map_or_else(|| "0".to_owned(), |(key, _)| key.clone());
            (next, page)
        })
        .await
    }

    async fn put(&self, revocations: &[Revocation], _now: Timestamp) -> Result<(), StoreError> {
        self.ask(|inside| inside.put(revocations)).await
    }

    async fn restore(&self, revocations: &[Revocation], id: &str) -> Result<(), StoreError> {
        let restored = self.ask(|inside| {
            let now = inside.now();
            let state = inside.data.state.as_mut()?;
            let is_ours =
                |(other, heard): &&mut (String, u64)| other == id && now - *heard < PATIENCE;
            let (_, heard) = state.restorer.as_mut().filter(is_ours)?;
            *heard = now;
            state.returning.insert(id.to_owned(), now);
            for revocation in revocations {
                let key = revocation.target().key();
                inside.data.entries.insert(key, revocation.clone());
            }
            Some(())
        });
        let refused = || StoreError::new(StoreErrorKind::Unavailable);
        restored.await?.ok_or_else(refused)
    }
}
