//! Settings of the host: the listener for events, and the clock.

use super::Builder;
use crate::{
    clock::Clock,
    event::{Context, Event, Listener},
};

impl Builder {
    /// Sets a listener that the layer calls with each [`Event`] and its [`Context`], for an audit
    /// log. It is called in the middle of requests and should be quick. Work that goes on without
    /// its request, such as mail or a sign-out, calls it on a task of its own: a task-local of the
    /// application's is not set there. If it panics, the log says so and the request goes on.
    pub fn on_event(
        mut self,
        listen: impl Fn(&Event<'_>, &Context<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Listener::new(listen);
        self
    }

    /// Sets the clock. Default: [`SystemClock`](crate::clock::SystemClock). If the clock goes back,
    /// the layer's time goes on by [`Clock::running`]. With a clock that has none it stays where it
    /// was until the clock has caught up.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }
}
