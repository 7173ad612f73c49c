//! `Step`: one request to an endpoint, with readers for its parts.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{header, request::Parts};
use tracing::{Span, field::Empty};

use super::{attempt::Attempt, brought::Brought, fields::Fields, settings::Flow};
use crate::{
    clock::{Reading, Timestamp},
    event::{Context, Event},
    language::{Chosen, Words},
    rejection::{Rejection, RejectionKind},
    request::{client::client_of, head::RequestHead, unnamed},
    session::{Session, browser_cookie::BrowserCookie},
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
    /// What the browser has brought in its cookie, once it was asked for.
    brought: OnceLock<Brought>,
    /// The address of the client, once it was asked for.
    client: OnceLock<Option<IpAddr>>,
}

impl Step {
    /// Makes a step without a form.
    pub(crate) const fn new(
        flow: Arc<Flow>,
        endpoint: Endpoint,
        parts: Parts,
        now: Timestamp,
    ) -> Self {
        Self {
            flow,
            endpoint,
            parts,
            form: Bytes::new(),
            now,
            brought: OnceLock::new(),
            client: OnceLock::new(),
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

    /// Returns the context of an event of this request and a sign-in. To name the sign-in takes an
    /// HMAC, so that it is named for a listener alone: the log does not state it.
    pub(super) fn context_of<'a>(&'a self, attempt: &'a Attempt) -> Context<'a> {
        let context = self.context();
        if !self.flow.shared.listener.is_set() {
            return context;
        }
        context.in_attempt(attempt.public_id(), &attempt.email)
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

    /// Returns the random bits of the browser's cookie, if we made that. A change of keys leaves
    /// them as they are.
    pub(super) fn browser(&self) -> Option<[u8; 16]> {
        self.browser_cookie().map(|cookie| cookie.random())
    }

    /// Returns the browser's cookie, if we made that.
    pub(super) fn browser_cookie(&self) -> Option<BrowserCookie> {
        self.brought().cookie
    }

    /// Returns what the browser has brought in its cookie.
    pub(super) fn brought(&self) -> &Brought {
        let read = || Brought::of(&self.flow.shared.gate, &self.head(), self.reading());
        self.brought.get_or_init(read)
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
        let (proxies, forwarded) = (&self.flow.shared.proxies, self.flow.throttling.forwarded);
        let find = || client_of(&self.parts, proxies, forwarded);
        *self.client.get_or_init(find)
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
        self.flow.shared.languages.words(&self.head())
    }

    /// Returns the language of the mail.
    pub(super) fn language(&self) -> Chosen {
        self.flow.shared.languages.choose(&self.head())
    }

    pub(super) fn user_agent(&self) -> Option<String> {
        let agent = self.parts.headers.get(header::USER_AGENT)?;
        agent.to_str().ok().map(str::to_owned)
    }

    pub(super) fn path(&self, endpoint: Endpoint) -> String {
        self.flow.shared.gate.path(endpoint)
    }

    /// Returns an endpoint's path, with a sealed value in its query.
    pub(super) fn path_to(&self, endpoint: Endpoint, sealed: &str) -> String {
        self.flow.shared.gate.path_to(endpoint, sealed)
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
