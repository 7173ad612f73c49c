//! Loading: reads every revocation of a data set into the copy, page by page.
//!
//! - Nothing is kept but the copy itself and two pages. The next page is asked for before the last
//!   one is applied, so that Redis and the way to it work meanwhile.
//! - A cursor is one of a single walk: `ZSCAN` finds what is there from the walk's begin to its
//!   end, and the stream brings what comes meanwhile. So several pages cannot be asked for at once,
//!   and a long way is made up for by larger pages.
//! - A walk that breaks off goes on over the next connection: `loading` keeps its place.

use std::time::Duration;

use futures_util::future;
use tokio::{task::yield_now, time::Instant};

use super::{
    loading::START,
    place::{Place, Read, read},
    replica::Replica,
    server::Server,
};
use crate::{revocation::Revocation, store::StoreError};

/// How many revocations the first page of a walk has, about.
const FIRST_PAGE: u32 = 1_000;
/// How many the largest page has: it keeps Redis from other work for some five milliseconds.
const LARGEST_PAGE: u32 = 10_000;
/// How many the smallest page has, on a way that carries little.
const SMALLEST_PAGE: u32 = 250;
/// After a page that took no longer than this, a page has twice as many. An answer may take a
/// second.
const QUICK: Duration = Duration::from_millis(400);
/// After a page that took longer than this, a page has half as many.
const SLOW: Duration = Duration::from_millis(700);
/// How many revocations are applied before other tasks of the runtime have a turn.
const TURN: usize = 1_000;

/// A load.
pub(super) struct Load<'a, S> {
    pub(super) server: &'a S,
    pub(super) replica: &'a Replica,
}

impl<S: Server> Load<'_, S> {
    /// Reads every revocation into the copy, and the stream from the place on. Calls `note` with
    /// each page.
    pub(super) async fn load(
        &self,
        here: &mut Place,
        mut note: impl FnMut(&[Revocation]),
    ) -> Result<Read, StoreError> {
        let loading = &self.replica.loading;
        let (mut cursor, seq) = loading.begin(here.mark(), self.replica.notes.entries());
        here.seq = seq;
        let mut count = FIRST_PAGE;
        let mut page = Vec::new();
        loop {
            let asked = Instant::now();
            let many = page.len();
            // The next page is on its way while this one is applied.
            let next = self.server.scan(cursor.clone(), count);
            let streamed = read(self.server, self.replica, here, None);
            let all = future::join3(next, streamed, self.apply(page));
            let (next, streamed, ()) = all.await;
            if let Ok(Read::Gap) = streamed {
                loading.begin_again();
                return Ok(Read::Gap);
            }
            loading.keep(here.seq, &cursor, many);
            streamed?;
            loading.goes_on();
            (cursor, page) = next?;
            note(&page);
            if cursor == START {
                break;
            }
            count = fitting(count, asked.elapsed());
        }
        let many = page.len();
        self.apply(page).await;
        loading.keep(here.seq, START, many);
        Ok(Read::All)
    }

    /// Applies a page, with turns for the runtime's other tasks. The first one sends what was
    /// asked.
    async fn apply(&self, mut revocations: Vec<Revocation>) {
        while !revocations.is_empty() {
            yield_now().await;
            let rest = revocations.split_off(revocations.len().min(TURN));
            self.replica.hear_of(revocations);
            self.replica.notice_silence();
            revocations = rest;
        }
    }
}

/// Returns how many revocations the next page has, after one of `count` that took so long.
fn fitting(count: u32, took: Duration) -> u32 {
    if took <= QUICK {
        (count * 2).min(LARGEST_PAGE)
    } else if took > SLOW {
        (count / 2).max(SMALLEST_PAGE)
    } else {
        count
    }
}
