//! `Listener`: where a layer's events go, beside the log.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::Event;

type Listen = dyn Fn(&Event<'_>) + Send + Sync;

/// Receives a layer's events, beside `tracing`. The layer hands one to the application's own store,
/// which reports to it what happens between requests. Clones are the same listener.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Listen>>);

impl Listener {
    pub(crate) fn new(listen: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    /// Reports an event. A panic in the listener is logged; the request and the store continue.
    pub fn tell(&self, event: &Event<'_>) {
        // First, so that a listener that panics costs no line in the log.
        event.log();
        self.tell_unlogged(event);
    }

    /// Reports an event of which the log has a line already, with the cause.
    pub(crate) fn tell_unlogged(&self, event: &Event<'_>) {
        let Some(listen) = &self.0 else { return };
        // A panic can leave only the listener's own state half done: it borrows nothing of ours but
        // the event.
        if catch_unwind(AssertUnwindSafe(|| listen(event))).is_err() {
            tracing::error!(target: "tower_magic_link", "the event listener panicked");
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "set" } else { "none" })
    }
}
