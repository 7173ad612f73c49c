//! Mistakes in how an application has built the layer in. They are safe, and nothing else shows
//! them: the log says each once, with the line to change.
//!
//! - Requests to the layer's own endpoints and refused requests are looked at. A request that the
//!   layer hands on costs nothing here.
//! - What a request says is cut and cleaned before it is logged: a stranger may have written it.

mod host;
mod said;

use self::said::Once;
use super::Shared;
use crate::request::head::RequestHead;

/// What has been said of the wiring.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    other_host: Once,
}

impl Shared {
    /// Looks at a request to one of the layer's endpoints.
    pub(crate) fn look_at_step(&self, head: &RequestHead<'_>) {
        host::look(self, head);
    }
}
