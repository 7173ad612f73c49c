//! The way to the Redis in memory: links that are slow or cut.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::world::{Inside, Link, World, Writes};
use crate::{
    clock::Timestamp,
    revocation::{
        Revocation,
        redis::server::{Doing, Server, Servers, State, Streamed},
    },
    store::{StoreError, StoreErrorKind},
};

/// Where a replica finds the Redis.
pub(super) struct From {
    pub(super) world: World,
    pub(super) replica: usize,
}

impl Servers for From {
    type Server = Line;

    async fn connect(&self) -> Result<Line, StoreError> {
        let (breaks, history, is_silent) = {
            let inside = self.world.inside();
            let history = inside.history.to_string();
            (inside.breaks, history, inside.is_silent_to_new)
        };
        if is_silent {
            std::future::pending::<()>().await;
        }
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
            let link = inside.links.get(&self.replica).copied();
            let link = link.unwrap_or(Link::Whole);
            let bound = match link {
                Link::Slow => inside.slow,
                _ if inside.dice.below(20) == 0 => 200,
                _ => 8,
            };
            let delay = inside.dice.below(bound);
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
        let answer = self.at(work)?;
        self.carry().await?;
        Ok(answer)
    }

    /// Fails if the server takes no writes.
    fn write(&self) -> Result<(), StoreError> {
        match self.world.inside().writes {
            Writes::Refused => Err(StoreError::new(StoreErrorKind::Unavailable)),
            Writes::Taken | Writes::Late => Ok(()),
        }
    }

    /// Works at the Redis, if the connection still leads there.
    fn at<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> Result<T, StoreError> {
        let mut inside = self.world.inside();
        if !inside.is_up || inside.breaks != self.breaks {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        Ok(work(&mut inside))
    }
}

impl Server for Line {
    fn history(&self) -> &str {
        &self.history
    }

    fn evicts(&self) -> Option<&str> {
        None
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.ask(|inside| inside.state()).await
    }

    async fn arrive(&self, id: &str, settle: Duration, doing: Doing) -> Result<(), StoreError> {
        self.write()?;
        if self.world.inside().writes == Writes::Late {
            sleep(Duration::from_secs(1)).await;
            return Err(StoreError::new(StoreErrorKind::TimedOut));
        }
        self.ask(|inside| inside.arrive(id, settle, doing)).await
    }

    async fn read(
        &self,
        behind: u64,
        block: Option<Duration>,
    ) -> Result<Vec<Streamed>, StoreError> {
        let until = Instant::now() + block.unwrap_or_default();
        self.carry().await?;
        let streamed = loop {
            // Made before the look, so that nothing that comes between the two is missed.
            let news = self.world.news();
            let read = self.at(|inside| {
                let entries = inside.data.stream.iter().filter(|(seq, _)| *seq > behind);
                entries.take(3).cloned().collect::<Vec<_>>()
            })?;
            if !read.is_empty() || timeout_at(until, news).await.is_err() {
                break read;
            }
        };
        self.carry().await?;
        let streamed = streamed.into_iter().map(|(seq, revocation)| Streamed {
            seq: Some(seq),
            revocation: Some(revocation),
        });
        Ok(streamed.collect())
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
                .take(inside.page)
                .map(|(_, revocation)| revocation.clone());
            let page = page.collect();
            let next = rest
                .next()
                .map_or_else(|| "0".to_owned(), |(key, _)| key.clone());
            (next, page)
        })
        .await
    }

    async fn put(&self, revocations: &[Revocation], now: Timestamp) -> Result<(), StoreError> {
        self.write()?;
        let mut revocations = revocations.to_vec();
        // A copy has its revocations in an order of its own, by chance that no seed decides.
        revocations.sort_by_key(|revocation| revocation.target().key());
        self.ask(|inside| {
            inside.put(&revocations, now);
            self.world.tell_news();
        })
        .await
    }

    async fn restore(&self, revocations: &[Revocation], id: &str) -> Result<(), StoreError> {
        self.write()?;
        let restored = self.ask(|inside| inside.restore(revocations, id)).await?;
        let refused = || StoreError::new(StoreErrorKind::Unavailable);
        restored.then_some(()).ok_or_else(refused)
    }
}
