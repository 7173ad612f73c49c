//! `Asked`: what events say of a request, for work that may outlive it.

use http::{Request, Uri, request::Parts};

use super::{attempt::Attempt, settings::Flow, step::Step};
use crate::{
    event::{Context, Event},
    request::{head::RequestHead, peer::PeerAddr},
};

/// A request as events know it. What the host keeps with the connection is not held on to, and
/// without a listener nothing is: the log does not state it.
pub(super) struct Asked {
    parts: Option<Parts>,
}

impl Asked {
    /// Keeps what events say of a request.
    pub(super) fn of(step: &Step) -> Self {
        if !step.flow.shared.listener.is_set() {
            return Self { parts: None };
        }
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = step.parts.method.clone();
        parts.headers = step.parts.headers.clone();
        // Without the query, which may hold a link's code.
        if let Ok(path) = Uri::try_from(step.head().original_uri().path()) {
            parts.uri = path;
        }
        if let Some(peer) = PeerAddr::of(&step.parts.extensions) {
            parts.extensions.insert(peer);
        }
        Self { parts: Some(parts) }
    }

    /// Returns the context of an event of this request and a sign-in.
    pub(super) fn context_of<'a>(&'a self, flow: &'a Flow, attempt: &'a Attempt) -> Context<'a> {
        let head = self.parts.as_ref().map(RequestHead::of_parts);
        let context = head.map_or_else(Context::default, |head| flow.shared.context(head));
        context.in_attempt(attempt.public_id(), &attempt.email)
    }

    /// Reports an event of this request and a sign-in.
    pub(super) fn tell_of(&self, flow: &Flow, attempt: &Attempt, event: &Event<'_>) {
        let listener = &flow.shared.listener;
        listener.tell_in(self.context_of(flow, attempt), event);
    }
}
