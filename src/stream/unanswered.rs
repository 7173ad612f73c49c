//! `Unanswered`: a request whose response has not begun, such as a long poll, an upload or a client-streaming call.
//!
//! - When its session ends, the layer drops the inner service's future, as if the client had hung up, and refuses the request in the language of
//!   its audience.
//! - No cookie is removed then. The browser may hold a newer one by now: a renewed session's, or that of a person who has signed in since.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header, request::Parts};

use super::SessionGuard;
use crate::{
    clock::Timestamp,
    head::RequestHead,
    layer::Shared,
    rejection::{Rejection, RejectionKind},
    session::Session,
};

/// A request whose response has not begun.
pub(crate) struct Unanswered {
    shared: Arc<Shared>,
    session: Session,
    guard: SessionGuard,
    /// What a refusal depends on. The request itself is with the inner service.
    head: Parts,
    /// The inner service has been asked before.
    was_asked: bool,
}

impl Unanswered {
    /// Keeps what a refusal of a request needs, whose session was asked about at `now`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        session: Session,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Self {
        let (mut kept, ()) = Request::new(()).into_parts();
        kept.method = head.method().clone();
        kept.uri = head.original_uri().clone();
        kept.headers = head.headers().clone();
        Self {
            guard: SessionGuard::new(shared.clone(), session.clone(), now),
            shared,
            session,
            head: kept,
            was_asked: false,
        }
    }

    pub(crate) fn guard(&self) -> SessionGuard {
        self.guard.clone()
    }

    /// Returns the refusal if the session has ended since the inner service was asked last. The first time it was
    /// asked about just now, and a response that is there at once costs no watch.
    pub(crate) fn poll_again(&mut self, cx: &mut Context<'_>) -> Option<Response<Bytes>> {
        if self.was_asked { self.poll(cx) } else { None }
    }

    /// Returns the refusal if the session has ended; else has the task woken when it does.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Response<Bytes>> {
        self.was_asked = true;
        match Pin::new(&mut self.guard).poll(cx) {
            Poll::Ready(()) => Some(self.refusal()),
            Poll::Pending => None,
        }
    }

    fn refusal(&self) -> Response<Bytes> {
        let end = self.shared.gate.lifetimes.end_of(&self.session);
        let kind = if self.shared.clock.now() >= end {
            RejectionKind::ExpiredSession
        } else {
            RejectionKind::RevokedSession
        };
        let head = RequestHead::of_parts(&self.head);
        let mut response = self.shared.refuse(Rejection::new(kind), &head);
        response.headers_mut().remove(header::SET_COOKIE);
        response
    }
}

impl fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unanswered").finish_non_exhaustive()
    }
}
