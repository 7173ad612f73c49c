//! `Step`: one request to an endpoint, with readers for its parts.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Uri, header, request::Parts};
use tracing::{Span, field::Empty};

use super::{attempt::Attempt, fields::Fields, settings::Flow};
use crate::{
    clock::{Reading, Timestamp},
    event::{Context, Event},
    language::{Chosen, Words},
    rejection::{Rejection, RejectionKind},
    request::{client::client_of, head::RequestHead, peer::PeerAddr, unnamed},
    session::Session,
    site::endpoint::Endpoint,
};

/// One request to an endpoint.
pub(crate) struct Step {
    pub(crate) flow: Arc<Flow>,
    pub(crate) endpoint: Endpoint,
    pub(crate) parts: Parts,
    /// Empty, unless the method is POST.
    pub(crate) form: Bytes,
    pub(crate) now: Timestamp,
    /// The language of what is done when the request is gone, with what it was chosen by.
    pub(crate) language: Option<Chosen>,
}

impl Step {
    /// Returns a step that outlives the request: what work in the background reads of it. What the
    /// host keeps with the connection is not held on to.
    pub(super) fn detached(&self) -> Self {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.parts.method.clone();
        parts.headers = self.parts.headers.clone();
        // Without the query, which may hold a link's code.
        if let Ok(path) = Uri::try_from(self.head().original_uri().path()) {
            parts.uri = path;
        }
        if let Some(peer) = PeerAddr::of(&self.parts.extensions) {
            parts.extensions.insert(peer);
        }
        Self {
            flow: self.flow.clone(),
            endpoint: self.endpoint,
            parts,
            form: Bytes::new(),
            now: self.now,
            language: Some(self.language()),
        }
    }

    /// Returns a span for this request. Its fields are those of the [`Context`] that say nothing of
    /// a person. What they hold is read only if somebody listens.
    pub(super) fn span(&self) -> Span {
        let context = self.context();
        tracing::info_span!(
            target: "tower_magic_link",
            "step",
            "otel.name" = self.endpoint.name(),
            "http.request.method" = context.method(),
            "url.path" = context.path(),
            "client.address" = context.client().map(tracing::field::display),
            "http.request.header.x-request-id" = context.request_id(),
            "trace_id" = context.trace_id(),
            "user_agent.original" = context.user_agent(),
            "http.response.status_code" = Empty,
            "error.type" = Empty,
        )
    }

    /// Returns the context of an event of this request.
    pub(super) fn context(&self) -> Context<'_> {
        self.flow.shared.context(self.head())
    }

    /// Returns the context of an event of this request and a sign-in.
    pub(super) fn context_of<'a>(&'a self, attempt: &'a Attempt) -> Context<'a> {
        self.context()
            .in_attempt(attempt.public_id(), &attempt.email)
    }

    /// Reports an event of this request.
    pub(super) fn tell(&self, event: &Event<'_>) {
        self.flow.shared.listener.tell_in(self.context(), event);
    }

    /// Reports an event of this request and a sign-in.
    pub(super) fn tell_of(&self, attempt: &Attempt, event: &Event<'_>) {
        let context = self.context_of(attempt);
        self.flow.shared.listener.tell_in(context, event);
    }

    pub(super) fn head(&self) -> RequestHead<'_> {
        RequestHead::of_parts(&self.parts)
    }

    /// Returns the time of the request, for what judges or dates a session.
    pub(super) fn reading(&self) -> Reading {
        self.flow.shared.clock.at(self.now)
    }

    pub(super) fn query(&self) -> Result<Fields<'_>, RejectionKind> {
        Fields::of_query(self.parts.uri.query())
    }

    /// Returns the address of the client, if it is known.
    pub(super) fn client(&self) -> Option<IpAddr> {
        let forwarded = self.flow.throttling.forwarded;
        client_of(&self.parts, &self.flow.shared.proxies, forwarded)
    }

    /// Logs, once, that the client is a proxy that the application has not named.
    pub(super) fn warn_of_unnamed_proxy(&self) {
        let (shared, throttling) = (&self.flow.shared, &self.flow.throttling);
        if throttling.hint.get().is_some() {
            return;
        }
        let hint = unnamed::hint(&self.parts, &shared.proxies, throttling.forwarded);
        if let Some(hint) = hint {
            throttling.warn_of_unnamed_proxy(shared.gate.public_url.origin(), hint);
        }
    }

    /// Returns the language of the pages.
    pub(super) fn words(&self) -> &Words {
        match &self.language {
            Some(chosen) => &chosen.words,
            None => self.flow.shared.languages.words(&self.head()),
        }
    }

    /// Returns the language of the mail.
    pub(super) fn language(&self) -> Chosen {
        match &self.language {
            Some(chosen) => chosen.clone(),
            None => self.flow.shared.languages.choose(&self.head()),
        }
    }

    pub(super) fn user_agent(&self) -> Option<String> {
        let agent = self.parts.headers.get(header::USER_AGENT)?;
        agent.to_str().ok().map(str::to_owned)
    }

    pub(super) fn path(&self, endpoint: Endpoint) -> String {
        self.flow.shared.gate.path(endpoint)
    }

    /// Returns the session of the request, if its token is valid and it was not revoked.
    pub(super) async fn live_session(&self) -> Result<Option<Session>, Rejection> {
        let Ok(session) = self.flow.shared.gate.session(&self.head(), self.reading()) else {
            return Ok(None);
        };
        let is_active = self.flow.shared.revocations.is_active(&session).await?;
        Ok(is_active.then_some(session))
    }
}
