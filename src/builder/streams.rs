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
    ///   client-streaming call, becomes the refusal of its [`Audience`](crate::Audience). The layer
    ///   drops the inner service's future, as when a client disconnects. It removes no cookie,
    ///   because the browser may have a newer one by then. It does not refuse public and optional
    ///   paths, nor a handler that ends its own session with
    ///   [`SessionIssuer::sign_out`](crate::companion::SessionIssuer::sign_out) or
    ///   [`end_sessions`](crate::MagicLinkLayer::end_sessions): its answer is whole. A handler that
    ///   orders the end from a task of its own, or in the store itself, should do so last. What the
    ///   service has done by then is not known: but for GET and HEAD, the page says that it may
    ///   have been saved, and a problem has `"begun": true`.
    /// - A gRPC stream ends with `grpc-status: 16`, a gRPC-Web stream with the same trailers.
    /// - An event stream ends as if it were complete. `EventSource` then connects again and gets a
    ///   401.
    /// - Any other body ends too. With a `Content-Length` the client knows that it was cut off. A
    ///   layer that compresses removes that field.
    ///   **Without one it cannot know**, because the layer has no error of the inner body's type.
    ///   Handlers of such downloads should `select!` on the [`SessionGuard`](crate::SessionGuard)
    ///   in the request's extensions, `biased` and the guard first, and fail the body with an error
    ///   of their own.
    /// - The handler of an upgraded connection, such as a WebSocket, has to end it, with the same
    ///   guard.
    ///
    /// The session ends with the token of the request. A renewal extends only later requests. A
    /// store that implements [`Revocations::watch`](crate::revocation::Revocations::watch), as
    /// [`MemoryRevocations`](crate::revocation::MemoryRevocations) does, reports a revocation at
    /// once. With any other store the layer finds it at the next look-up
    /// ([`Builder::stream_look_up_interval`]), and so it does a key that has left the ring or has
    /// ended. While the store does not answer, no revocation is found; a token expires all the
    /// same.
    ///
    /// The layer must run on a tokio runtime with its timer enabled. A response that is ready at
    /// once, in one piece, costs a copy of the request's headers and a call of the hook of
    /// [`Builder::language`], but no timer.
    pub fn end_streams(mut self) -> Self {
        self.streams.are_ended = true;
        self
    }

    /// Sets how often the layer looks up the session of a live connection: 1 second to 1 hour.
    /// Default: 30 seconds.
    ///
    /// It has an effect only with [`Builder::end_streams`]. The layer also looks sessions up in a
    /// store that reports revocations, in case a report was lost.
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
