//! Waiting for what a browser does in its own time.

use std::time::Duration;

use tokio::time;

/// Far more than a loaded machine needs: it is spent by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(20);

/// Looks again and again, until there is something.
///
/// # Panics
///
/// When there is nothing for too long.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = in_time(look).await;
    found.unwrap_or_else(|| panic!("not within {PATIENCE:?}: {what}"))
}

/// Looks again and again, until there is something or it has been too long.
pub(crate) async fn in_time<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let found = time::timeout(PATIENCE, async {
        let mut ticks = time::interval(TICK);
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    });
    found.await.ok()
}
