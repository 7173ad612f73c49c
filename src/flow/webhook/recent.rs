//! `Recent`: which events were done a moment ago.
//!
//! - Bounded: the last 4,096, by 16 bytes each of a hash, whatever their ids look like.
//! - It belongs to this process. On another replica a duplicate gives the store the same orders
//!   again, which change nothing: an order names the event's time, not its delivery's. It saves
//!   work, and safety does not rest on it.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

/// How many events are remembered.
const MOST: usize = 4_096;

type Print = [u8; 16];

/// The events that were done last.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Events>);

#[derive(Default)]
struct Events {
    known: HashSet<Print>,
    /// Oldest first.
    order: VecDeque<Print>,
}

impl Recent {
    pub(crate) fn knows(&self, id: &str) -> bool {
        print(id).is_some_and(|print| self.lock().known.contains(&print))
    }

    pub(crate) fn remember(&self, id: &str) {
        let Some(print) = print(id) else { return };
        let mut events = self.lock();
        if !events.known.insert(print) {
            return;
        }
        events.order.push_back(print);
        if events.order.len() > MOST
            && let Some(oldest) = events.order.pop_front()
        {
            events.known.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent")
            .field("len", &self.lock().order.len())
            .finish()
    }
}

fn print(id: &str) -> Option<Print> {
    Sha256::digest(id).first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_known_and_older_ones_forgotten() {
        let recent = Recent::default();
        let ids: Vec<_> = (0..MOST + 10).map(|n| format!("event_{n}")).collect();
        for id in &ids {
            assert!(!recent.knows(id), "{id}");
            recent.remember(id);
            recent.remember(id);
        }
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(recent.knows(id), n >= 10, "{id}");
        }
        let events = recent.lock();
        assert_eq!((events.known.len(), events.order.len()), (MOST, MOST));
    }
}
