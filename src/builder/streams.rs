//! Settings of live connections.

use std::time::Duration;

use super::{Builder, HOUR};
use crate::{error::ConfigError, shared::Streams};

const SECOND: Duration = Duration::from_secs(1);

impl Streams {
    /// Nothing is ended, and nothing is watched.
    pub(super) const fn new() -> Self {
        Self {
            are_ended: false,
            interval: Duration::from_secs(30),
        }
    }
}

impl Builder {
    /// Ends live connections with their session: when it expires, or is revoked. Default: a
    /// response runs to its end.
    ///
    /// - A response that has not begun yet, such as that of a long poll, an upload or a
    ///   client-streaming call, becomes a refusal: 401, a 303 to the form, or `grpc-status: 16`, as
    ///   its [`Audience`](crate::Audience) has it. The inner service's future is dropped, as when a
    ///   client hangs up. No cookie is removed: the browser may have a newer one by then. Public
    ///   and optional paths are not refused, nor is a handler that ends its own session by
    ///   [`SessionIssuer::sign_out`](crate::companion::SessionIssuer::sign_out); one that ends it
    ///   in the store itself should do so last.
    /// - A gRPC stream ends with `grpc-status: 16`; a gRPC-Web stream with the trailers that say
    ///   so.
    /// - An event stream ends as if it were complete: `EventSource` comes back and hears its 401.
    /// - Any other body ends too. With a `Content-Length` the client knows that it was cut off;
    ///   **without one it cannot tell**, since the layer has no error of the inner body's type.
    ///   Handlers of such downloads should `select!` on the [`SessionGuard`](crate::SessionGuard)
    ///   in the request's extensions, and give an error of their own.
    /// - Upgraded connections, WebSockets above all, are ended by their handlers, with the same
    ///   guard.
    ///
    /// The end is that of the token that the request came with; a renewal moves the end of later
    /// requests only. A revocation is heard at once from a store that tells of it
    /// ([`Revocations::watch`](crate::revocation::Revocations::watch), as
    /// [`MemoryRevocations`](crate::revocation::MemoryRevocations) does), and from any store at the
    /// next look-up ([`Builder::stream_look_up_interval`]). A store that cannot tell ends nothing.
    ///
    /// The layer must run on a tokio runtime with its timer enabled. A response that is there at
    /// once, in one piece, costs no timer, but a copy of the request's headers.
    pub fn end_streams(mut self) -> Self {
        self.streams.are_ended = true;
        self
    }

    /// Sets how often the store is asked whether a live connection's session still stands: 1 second
    /// to 1 hour. Default: 30 seconds.
    ///
    /// Only with [`Builder::end_streams`]. A store that tells of revocations is asked too, in case
    /// its word was lost.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.end_streams().stream_look_up_interval(Duration::from_secs(5))
    /// # }
    /// ```
    pub fn stream_look_up_interval(mut self, interval: Duration) -> Self {
        self.streams.interval = interval;
        self
    }

    pub(super) fn validate_streams(&self) -> Result<(), ConfigError> {
        let interval = self.streams.interval;
        if (SECOND..=HOUR).contains(&interval) {
            return Ok(());
        }
        let (value, problem) = (format!("{interval:?}"), "must be 1 second to 1 hour");
        Err(ConfigError::invalid(
            "stream_look_up_interval",
            value,
            problem,
        ))
    }
}
