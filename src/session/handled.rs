//! The sessions of the requests whose handlers and bodies this thread polls, if their connections
//! end with their sessions (`end_streams`).
//!
//! - A handler that orders an end names whom it ends, and not its own request. If that is its own
//!   person, too, it has to run on: it would be dropped within its order, and what it does behind
//!   it, such as closing an account, would never be done.
//! - There are several where a layer stands inside another one: each has read the session itself.
//! - A handler that orders the end from a task of its own is not found here, so it is dropped like
//!   any other. The task itself runs on.

use std::cell::RefCell;

use super::Session;

thread_local! {
    static HANDLED: RefCell<Vec<Session>> = const { RefCell::new(Vec::new()) };
}

/// Says, while it lives, that this thread works for a request with this session.
pub(crate) struct Handling(());

impl Handling {
    pub(crate) fn of(session: &Session) -> Self {
        HANDLED.with(|handled| handled.borrow_mut().push(session.clone()));
        Self(())
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        // A thread that ends may have dropped them already.
        let _ = HANDLED.try_with(|handled| handled.borrow_mut().pop());
    }
}

/// Returns those of the sessions for which this thread works that match.
pub(crate) fn handled(matches: impl Fn(&Session) -> bool) -> Vec<Session> {
    let all = HANDLED.with(|handled| handled.borrow().clone());
    all.into_iter().filter(matches).collect()
}
