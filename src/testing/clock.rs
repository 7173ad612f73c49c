//! `ManualClock`: time that a test sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::clock::{Clock, Signal, Timestamp};

/// A clock that stands still until it is moved. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, MagicLinkLayer, RejectionKind, SigningKey};
/// use tower_magic_link::{companion::Outcome, testing::{ManualClock, StubProvider}};
///
/// let clock = ManualClock::new();
/// let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .session_lifetime(Duration::from_secs(60 * 60))
///     .clock(clock.clone())
///     .build()?;
///
/// let mut request = http::Request::new(());
/// layer.sign_in(&mut request, "ada@example.com");
/// let (request, ()) = request.into_parts();
/// assert_eq!(layer.explain(&request).outcome(), Outcome::Admit);
///
/// clock.advance(Duration::from_secs(60 * 60));
/// let expired = Outcome::Refuse(RejectionKind::ExpiredSession);
/// assert_eq!(layer.explain(&request).outcome(), expired);
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    now: AtomicU64,
    moved: Notify,
}

impl ManualClock {
    /// Makes a clock that shows 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::from_secs(1_767_225_600))
    }

    /// Makes a clock that shows a moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Hands {
            now: AtomicU64::new(now.as_secs()),
            moved: Notify::new(),
        }))
    }

    /// Moves the clock forward, by whole seconds. It wakes every task that waits for a moment that
    /// has passed.
    pub fn advance(&self, by: Duration) {
        self.0.now.fetch_add(by.as_secs(), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.now.store(now.as_secs(), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.now.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> Signal {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                // Registered before the clock is read, so that no move in between is missed.
                let moved = clock.0.moved.notified();
                if clock.now() >= at {
                    return;
                }
                moved.await;
            }
        })
    }
}
