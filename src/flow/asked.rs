//! `Asked`: what events say of a request, for work that may outlive it.

use http::{Request, Uri, request::Parts};

use super::{attempt::Attempt, settings::Flow, step::Step};
use crate::{
    email::Email,
    event::{Context, Event},
    provider::AttemptId,
    request::{head::RequestHead, peer::PeerAddr},
};

/// A request and its sign-in as events know them. What the host keeps with the connection is not
/// held on to, and without a listener nothing is: the log does not state it.
pub(super) struct Asked {
    heard: Option<Box<Heard>>,
}

/// What a listener may read.
struct Heard {
    parts: Parts,
    attempt: Option<AttemptId>,
}

impl Asked {
    /// Keeps what events say of a request and its sign-in.
    pub(super) fn of(step: &Step, attempt: &Attempt) -> Self {
        Self::keep(step, || Some(attempt.public_id()))
    }

    /// Keeps what events say of a request that belongs to no sign-in.
    pub(super) fn of_request(step: &Step) -> Self {
        Self::keep(step, || None)
    }

    fn keep(step: &Step, attempt: impl FnOnce() -> Option<AttemptId>) -> Self {
        if !step.flow.shared.listener.is_set() {
            return Self { heard: None };
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
        let attempt = attempt();
        let heard = Some(Box::new(Heard { parts, attempt }));
        Self { heard }
    }

    /// Returns the context of an event of this request and its sign-in, whose address is given.
    pub(super) fn context_of<'a>(&'a self, flow: &'a Flow, email: &'a Email) -> Context<'a> {
        let context = self.context(flow);
        match self.heard.as_ref().and_then(|heard| heard.attempt) {
            Some(attempt) => context.in_attempt(attempt, email),
            None => context,
        }
    }

    /// Returns the context of an event of this request.
    pub(super) fn context<'a>(&'a self, flow: &'a Flow) -> Context<'a> {
        match &self.heard {
            Some(heard) => flow.shared.context(RequestHead::of_parts(&heard.parts)),
            None => Context::default(),
        }
    }

    /// Reports an event of this request and its sign-in.
    pub(super) fn tell_of(&self, flow: &Flow, attempt: &Attempt, event: &Event<'_>) {
        let listener = &flow.shared.listener;
        listener.tell_in(self.context_of(flow, &attempt.email), event);
    }
}
