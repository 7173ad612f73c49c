//! `Unanswered`: a request for a protected path whose response has not begun, such as a long poll,
//! an upload or a client-streaming call.
//!
//! - When its session ends, the layer drops the inner service's future, as if the client had hung
//!   up, and refuses the request in the language of its audience. A public path would be open
//!   without the session, so nothing is refused there.
//! - If the response will renew the session, the renewed session's end counts. Otherwise an active
//!   person would be refused while the new cookie is still in the response's head.
//! - A handler that ends its own request's session, with the
//!   [`SessionIssuer`](crate::companion::SessionIssuer) or by `end_sessions`, runs on. Its
//!   remaining work, and the cookies that it removes, are part of signing out.
//! - What such a request has done is not known, and the refusal of an unsafe method says so.
//! - No cookie is removed. The browser may hold a newer one by now: a renewed session's, or that of
//!   a person who has signed in since.

use std::{
    fmt,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, header};

use super::{End, SessionGuard};
use crate::{
    answer::Asked,
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    shared::Shared,
};

/// A request whose response has not begun.
pub(crate) struct Unanswered {
    /// The guard of the session that the response renews.
    renewed: Option<SessionGuard>,
    /// What a refusal depends on. The request itself is with the inner service.
    asked: Asked,
    /// The inner service has been polled before.
    was_asked: bool,
}

impl Unanswered {
    /// Keeps what a refusal of a request needs.
    pub(crate) fn new(
        shared: &Shared,
        renewed: Option<SessionGuard>,
        head: &RequestHead<'_>,
    ) -> Self {
        Self {
            renewed,
            asked: Asked::of(shared, head),
            was_asked: false,
        }
    }

    /// Returns the refusal if the session has ended since the inner service was last polled.
    /// `guard` is that of the session that the inner service was given.
    ///
    /// The first poll checks nothing: the store has just answered, and a response that is ready at
    /// once costs no watch.
    pub(crate) fn poll_again(
        &mut self,
        guard: &mut SessionGuard,
        cx: &mut Context<'_>,
    ) -> Option<Response<Bytes>> {
        if self.was_asked {
            self.poll(guard, cx)
        } else {
            None
        }
    }

    /// Returns the refusal if the session has ended, and otherwise registers the task to be woken.
    pub(crate) fn poll(
        &mut self,
        guard: &mut SessionGuard,
        cx: &mut Context<'_>,
    ) -> Option<Response<Bytes>> {
        self.was_asked = true;
        if guard.runs_on() {
            return None;
        }
        let polled = match &mut self.renewed {
            Some(renewed) => renewed.poll_end(cx),
            None => guard.poll_end(cx),
        };
        match polled {
            Poll::Ready(end) => Some(self.refusal(guard, end)),
            Poll::Pending => None,
        }
    }

    fn refusal(&self, guard: &SessionGuard, end: End) -> Response<Bytes> {
        let kind = match end {
            End::Expired => RejectionKind::ExpiredSession,
            End::Revoked => RejectionKind::RevokedSession,
            End::Unknown => RejectionKind::StoreUnavailable,
        };
        let head = self.asked.parts();
        let head = RequestHead::of_parts(&head);
        let (shared, session) = (&guard.watch.shared, Some(&guard.watch.session));
        let rejection = match head.is_safe() {
            true => Rejection::new(kind),
            // What was sent may have been saved. Sending it again might do it twice.
            false => Rejection::new(kind).begun(),
        };
        let mut response = shared.refuse_of(session, rejection, &head);
        response.headers_mut().remove(header::SET_COOKIE);
        response
    }
}

impl fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unanswered").finish_non_exhaustive()
    }
}
