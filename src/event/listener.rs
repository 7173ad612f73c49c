//! `Listener`: where a layer's events go, beside the log.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Context, Event};

type Listen = dyn Fn(&Event<'_>, &Context<'_>) + Send + Sync;

/// Receives a layer's events, beside `tracing`. The layer hands one to the application's own store,
/// which reports to it what happens between requests. Clones are the same listener.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Listen>>);

impl Listener {
    pub(crate) fn new(listen: impl Fn(&Event<'_>, &Context<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    /// Reports an event. A panic in the listener is logged; the request and the store continue.
    pub fn tell(&self, event: &Event<'_>) {
        self.tell_in(Context::default(), event);
    }

    /// Reports an event of a request, or of a sign-in.
    pub(crate) fn tell_in(&self, context: Context<'_>, event: &Event<'_>) {
        // First, so that a listener that panics costs no line in the log.
        event.log();
        self.hand_over(context, event);
    }

    /// Reports an event of which the log has a line already, with the cause.
    pub(crate) fn tell_unlogged(&self, event: &Event<'_>) {
        self.hand_over(Context::default(), event);
    }

    /// Says whether the application listens.
    pub(crate) const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    fn hand_over(&self, context: Context<'_>, event: &Event<'_>) {
        event.count();
        let Some(listen) = &self.0 else { return };
        let context = context.with_event(event);
        // A panic can leave only the listener's own state half done: it borrows nothing of ours but
        // the event.
        if catch_unwind(AssertUnwindSafe(|| listen(event, &context))).is_err() {
            tracing::error!(target: "tower_magic_link", "the event listener panicked");
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "set" } else { "none" })
    }
}
