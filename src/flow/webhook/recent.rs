//! `Recent`: the events that this process has handled last.
//!
//! - It holds the last 4,096 events, each as 16 bytes of a hash, however long their ids are.
//! - Each replica has its own. On another one, a duplicate repeats the same revocations, which
//!   changes nothing, because a revocation names the event's time and not its delivery's. `Recent`
//!   saves work; safety does not depend on it.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

/// How many events are remembered.
const MOST: usize = 4_096;

type Print = [u8; 16];

/// The events that were handled last.
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
        // No code under this lock panics half-way, so a poisoned value is still consistent.
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
