//! The suites of the ports: what every implementation of a port must do, as a list of small cases.
//!
//! - [`revocations`], [`throttle`], [`sessions`], [`provider`] and [`mailer`] each run all cases of
//!   one port and return a [`Report`]. The page of each suite says which obligation each case
//!   holds.
//! - A case has an implementation of its own, which your factory makes for the case's [`World`]. So
//!   one case that fails hides no other. A case that panics, or that is not done within a minute,
//!   has failed.
//! - Time is data: the cases move the [`ManualClock`] of their world, and pass the same time to
//!   methods that take `now`. They wait in real time only until a revocation reaches another
//!   replica.
//! - A case that cannot be run is skipped, and the report says why.
//!
//! A suite needs a tokio runtime with its timer enabled.
//!
//! ```
//! use tower_magic_link::{revocation::MemoryRevocations, testing::suite};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let report = suite::revocations::run(async |_| MemoryRevocations::default()).await;
//! report.assert();
//! # }
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::ManualClock;
use crate::{
    clock::{Clock, Timestamp},
    email::Email,
};

mod log;
pub mod mailer;
pub mod provider;
mod report;
pub mod revocations;
pub mod sessions;
pub mod throttle;

use self::report::Outcome;
pub use self::report::Report;

/// When a case begins.
const NOON: Timestamp = Timestamp::from_secs(1_767_268_800);
/// Sixty years after noon, in seconds. This is also in the future for a store with its own clock,
/// such as a server's.
const FAR: u64 = 60 * 366 * 86_400;

/// One case of a suite, for which a factory makes an implementation. Clones are the same world.
#[derive(Clone, Debug)]
pub struct World {
    name: String,
    clock: ManualClock,
    is_clock_taken: Arc<AtomicBool>,
}

impl World {
    fn new() -> Self {
        // Random, and not counted: two runs may share one server.
        let number = u64::from_be_bytes(crate::random::bytes());
        Self {
            name: format!("case-{number:016x}"),
            clock: ManualClock::at(NOON),
            is_clock_taken: Arc::default(),
        }
    }

    /// Returns a name that no other case has: 21 lower-case letters, digits and hyphens. If the
    /// cases share one server, use it as a prefix of keys, or as the name of a table.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the clock that the case moves, for an implementation that reads one. It begins at
    /// 2026-01-01T12:00:00Z.
    ///
    /// The suite of [`provider`] runs the cases in which something expires only if the factory has
    /// taken the clock.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.is_clock_taken.store(true, Ordering::Relaxed);
        self.clock.clone()
    }

    fn is_clock_taken(&self) -> bool {
        self.is_clock_taken.load(Ordering::Relaxed)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the clock to a moment, forward or back.
    fn set(&self, now: Timestamp) {
        self.clock.set(now);
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// A suite on its way through its cases.
struct Suite<F> {
    make: F,
    report: Report,
}

impl<T, F: AsyncFn(World) -> T> Suite<F> {
    const fn of(port: &'static str, make: F) -> Self {
        Self {
            make,
            report: Report::of(port),
        }
    }

    /// Runs one case, in a world and with an implementation of its own.
    async fn case<D: From<(World, T)>>(
        &mut self,
        name: &'static str,
        check: impl AsyncFnOnce(D) -> Outcome,
    ) {
        let make = &self.make;
        let check = async {
            let world = World::new();
            let made = make(world.clone()).await;
            check(D::from((world, made))).await
        };
        self.report.case(name, check).await;
    }
}

/// Returns the moment some seconds after noon.
fn after(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

#[expect(clippy::expect_used, reason = "the suites write addresses alone")]
fn email(address: &str) -> Email {
    Email::parse(address).expect("an e-mail address")
}
