//! Mistakes in how an application has built the layer in. They are safe, and nothing else shows
//! them: the log says each once, with the line to change.
//!
//! - Requests to the layer's own endpoints and refused requests are looked at. For a request that
//!   the layer hands on, only what stood in the place of its session or mark is, which costs
//!   nothing.
//! - What a request says is cut and cleaned before it is logged: a stranger may have written it.

mod host;
mod nested;
mod said;
mod unreached;

use http::StatusCode;

use self::{nested::Nested, said::Once, unreached::Unreached};
use super::Shared;
use crate::{clock::Timestamp, request::head::RequestHead};

/// What has been said of the wiring.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    nested: Nested,
    other_host: Once,
    unreached: Unreached,
}

impl Shared {
    /// Looks at a request to one of the layer's endpoints.
    pub(crate) fn look_at_step(&self, head: &RequestHead<'_>) {
        self.wiring.unreached.settle();
        nested::look(self, head);
        host::look(self, head);
    }

    /// Looks at a request that is refused with this status.
    pub(crate) fn look_at_refusal(
        &self,
        head: &RequestHead<'_>,
        status: StatusCode,
        now: Timestamp,
    ) {
        nested::look(self, head);
        unreached::look(self, head, status, now);
    }

    /// Warns once of a layer inside another one.
    #[cold]
    pub(crate) fn warn_of_nesting(&self) {
        nested::warn(self);
    }
}
