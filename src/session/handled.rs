//! The session of the request whose handler this thread polls, if its connection ends with its
//! session (`end_streams`).
//!
//! - A handler that orders an end names whom it ends, and not its own request. If that is its own
//!   person, too, it has to run on: it would be dropped within its order, and what it does behind
//!   it, such as closing an account, would never be done.
//! - Nothing is decided by it but that. A handler that orders from a task of its own is not found;
//!   that task runs on by itself.

use std::cell::RefCell;

use super::Session;

thread_local! {
    static HANDLED: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Says, while it lives, for whom this thread works.
pub(crate) struct Handling {
    /// For whom it worked before: a layer may stand inside another one.
    before: Option<Session>,
}

impl Handling {
    pub(crate) fn of(session: &Session) -> Self {
        let before = HANDLED.with(|handled| handled.replace(Some(session.clone())));
        Self { before }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        // A thread that ends may have dropped it already.
        let _ = HANDLED.try_with(|handled| handled.replace(self.before.take()));
    }
}

/// Returns the session of the request for which this thread works.
pub(crate) fn handled() -> Option<Session> {
    HANDLED.with(|handled| handled.borrow().clone())
}
