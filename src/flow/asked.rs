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
    attempt: AttemptId,
}

impl Asked {
    /// Keeps what events say of a request and its sign-in.
    pub(super) fn of(step: &Step, attempt: &Attempt) -> Self {
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
        let attempt = attempt.public_id();
        let heard = Some(Box::new(Heard { parts, attempt }));
        Self { heard }
    }

    /// Returns the context of an event of this request and its sign-in, whose address is given.
    pub(super) fn context_of<'a>(&'a self, flow: &'a Flow, email: &'a Email) -> Context<'a> {
        let Some(heard) = &self.heard else {
            return Context::default();
        };
        let context = flow.shared.context(RequestHead::of_parts(&heard.parts));
        context.in_attempt(heard.attempt, email)
    }

    /// Reports an event of this request and its sign-in.
    pub(super) fn tell_of(&self, flow: &Flow, attempt: &Attempt, event: &Event<'_>) {
        let listener = &flow.shared.listener;
        listener.tell_in(self.context_of(flow, &attempt.email), event);
    }
}
