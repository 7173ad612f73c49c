//! The one place that settles a request, once the revocation store has answered.

use std::{sync::Arc, task::Context};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};

use super::{
    identity_headers,
    stream::{Beside, SessionGuard, Unanswered},
};
use crate::{
    clock::Timestamp,
    gate::{Admission, Caching, Credentials, Verdict},
    rejection::Rejection,
    request::head::RequestHead,
    revocation::Standing,
    session::{Session, cookie::CookieName, handled::Handling, issued::Of, passed},
    shared::Shared,
    site::rules::Exposure,
    store::StoreError,
};

/// What a response gets on its way out. It stays small, because every response moves it several
/// times.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    /// Whether the response depends on the request's session.
    pub(crate) depends_on_session: bool,
    /// What the layer says to caches.
    pub(crate) caching: Caching,
    /// Whether the layer accepts bearer tokens beside cookies.
    pub(crate) credentials: Credentials,
    /// The layer's state, if the inner service must not set the layer's cookies.
    pub(crate) forwarded: Option<Arc<Shared>>,
    /// What few responses get.
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few responses get.
#[derive(Debug)]
pub(crate) struct Rare {
    /// The renewed session, if a renewal is due.
    pub(crate) renewal: Option<Renewal>,
    /// Ends the response with the session.
    pub(crate) watched: Option<Watched>,
}

/// A response that ends with the session.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Ends its body when the session ends.
    guard: SessionGuard,
    /// Refuses the request if its session ends before the response begins.
    unanswered: Option<Unanswered>,
}

/// A renewed session on its way to its browser.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) cookie: HeaderValue,
    pub(crate) session: Session,
    pub(crate) shared: Arc<Shared>,
}

impl Renewal {
    /// Says whether a sign-out or a new sign-in has ended the session meanwhile.
    ///
    /// Only a store that can be watched knows this at once. By then the browser has no session
    /// cookie, or a newer one.
    fn is_late(&self) -> bool {
        let ended = self.shared.revocations.watch(&self.session);
        ended.and_then(FutureExt::now_or_never).is_some()
    }
}

impl Shared {
    /// Settles a request by the store's answer about its session. It goes on with its session if
    /// that is admitted, or is refused.
    pub(crate) fn settle<B>(
        self: &Arc<Self>,
        // Borrowed: moving a request costs more than what is done to it here.
        request: &mut Request<B>,
        admission: Admission,
        exposure: Exposure,
        answer: Result<Standing, StoreError>,
        now: Timestamp,
    ) -> Result<Finish, Rejection> {
        // Judged once, here: both the direct and the awaited look-up come through, so an outage is
        // reported alike.
        let standing = self.revocations.judge(answer);
        if standing.is_err() {
            passed::mark_unsettled(request.extensions_mut());
        }
        match exposure.settle(standing) {
            Verdict::Admit => Ok(self.admit(request, admission, exposure, now)),
            Verdict::Pass => Ok(self.pass(request, exposure)),
            Verdict::Refuse(rejection) => Err(rejection),
        }
    }

    /// Puts the session into a request, and prepares the renewed cookie for its response.
    fn admit<B>(
        self: &Arc<Self>,
        request: &mut Request<B>,
        admission: Admission,
        exposure: Exposure,
        now: Timestamp,
    ) -> Finish {
        self.meters.count_admitted();
        let Admission { session, renewed } = admission;
        let renewed = renewed.and_then(|renewed| {
            // A renewal that fails costs nothing: the token that was sent is still good.
            let (cookie, renewed) = self.session_cookie(renewed, &session, now)?;
            self.meters.count_renewed();
            self.note(&renewed, request.headers(), request.extensions(), now);
            Some((renewed, cookie))
        });
        let watch = |watched: &Session, beside| {
            SessionGuard::new(self.clone(), watched.clone(), now, beside)
        };
        let watched = self.streams.are_ended.then(|| {
            let renewed = renewed.as_ref();
            let renewed =
                renewed.map(|(renewed, _)| watch(renewed, Beside::Renews(session.clone())));
            let guard = watch(
                &session,
                renewed.clone().map_or(Beside::None, Beside::Renewed),
            );
            // The renewed end counts: otherwise an active person would be refused while the
            // response still holds the new cookie.
            let unanswered = (exposure == Exposure::Protected)
                .then(|| Unanswered::new(self, renewed, &RequestHead::of(request)));
            // For the handler of a tunnel, whose bytes the layer does not see.
            request.extensions_mut().insert(guard.clone());
            Watched { guard, unanswered }
        });
        let renewal = renewed.map(|(_, cookie)| Renewal {
            cookie,
            session: session.clone(),
            shared: self.clone(),
        });
        let is_rare = renewal.is_some() || watched.is_some();
        let finish = Finish {
            depends_on_session: true,
            caching: self.gate.caching.on(exposure),
            credentials: self.gate.credentials,
            forwarded: self.forwarded(),
            rare: is_rare.then(|| Box::new(Rare { renewal, watched })),
        };
        self.introduce(request, Some(&session));
        // Last, and typed: no header that a client sends can stand for it.
        if passed::admit(request.extensions_mut(), session).is_some() {
            self.warn_of_nesting();
        }
        finish
    }

    /// Prepares a request that goes on without a session, and what its response gets.
    pub(crate) fn pass<B>(
        self: &Arc<Self>,
        request: &mut Request<B>,
        exposure: Exposure,
    ) -> Finish {
        self.introduce(request, None);
        self.meters.count_passed();
        // It tells an extractor "no session" from "no layer", which is the application's mistake.
        if passed::mark(request.extensions_mut()).is_some() {
            // It would tell a handler of a session that it does not get.
            request.extensions_mut().remove::<SessionGuard>();
            self.warn_of_nesting();
        }
        Finish {
            depends_on_session: exposure == Exposure::Optional,
            caching: Caching::Leave,
            credentials: self.gate.credentials,
            forwarded: self.forwarded(),
            rare: None,
        }
    }

    /// Writes the identity headers of a request, if they are on, and keeps its credentials from the
    /// inner service.
    fn introduce<B>(&self, request: &mut Request<B>, session: Option<&Session>) {
        if !self.gate.has_identity_headers {
            return;
        }
        // Before its field is removed: what stands behind may refuse the request.
        if self.gate.is_bearer(&RequestHead::of(request)) {
            passed::mark_bearer(request.extensions_mut(), self.gate.tokens.keys().id());
        }
        identity_headers::rewrite(request, session, &self.gate);
    }

    /// Returns the state that keeps our cookies out of a response, if identity headers are on.
    fn forwarded(self: &Arc<Self>) -> Option<Arc<Self>> {
        self.gate.has_identity_headers.then(|| self.clone())
    }

    /// Returns the cookie of a renewed session, and that session as one of its token. `None` if the
    /// token does not fit a cookie, or if the key of the session that it renews has left the ring
    /// while the store or the application was asked.
    ///
    /// Another signing key may make the token longer. The browser then keeps its old cookie.
    fn session_cookie(
        &self,
        renewed: Session,
        session: &Session,
        now: Timestamp,
    ) -> Option<(HeaderValue, Session)> {
        let gate = &self.gate;
        let (token, renewed) = gate
            .tokens
            .hand_out(renewed, Of::Session(session), self.clock.at(now))
            .ok()?;
        gate.cookies
            .fits(CookieName::Session, &token)
            .then(|| (gate.session_cookie(&renewed, &token, now), renewed))
    }
}

impl Finish {
    /// Returns the refusal if the session has ended since the inner service was last polled.
    pub(crate) fn poll_again(&mut self, cx: &mut Context<'_>) -> Option<Response<Bytes>> {
        let Watched { guard, unanswered } = self.rare.as_mut()?.watched.as_mut()?;
        unanswered.as_mut()?.poll_again(guard, cx)
    }

    /// Returns the refusal if the session has ended before the response has begun.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Response<Bytes>> {
        let Watched { guard, unanswered } = self.rare.as_mut()?.watched.as_mut()?;
        unanswered.as_mut()?.poll(guard, cx)
    }

    /// Says, while it lives, that this thread works for a request with the session.
    pub(crate) fn handling(&self) -> Option<Handling> {
        let watched = self.rare.as_ref()?.watched.as_ref()?;
        Some(watched.guard.handling())
    }

    /// Returns what ends the response's body when the session ends.
    pub(crate) fn guard(&mut self) -> Option<SessionGuard> {
        let Watched { guard, .. } = self.rare.as_mut()?.watched.take()?;
        // The answer of a handler that has ended its own session is whole, unless its order fails
        // in the end: the guard knows.
        Some(guard.into_response())
    }

    pub(crate) fn write_to<B>(self, response: &mut Response<B>) {
        let headers = response.headers_mut();
        if let Some(shared) = &self.forwarded {
            identity_headers::keep_own_cookies(headers, shared);
        }
        if self.depends_on_session {
            headers.append(header::VARY, self.credentials.vary());
        }
        match self.caching {
            Caching::Leave => {}
            Caching::NoStore => keep_from_caches(headers),
            Caching::Private => {
                let private = HeaderValue::from_static("private");
                headers.entry(header::CACHE_CONTROL).or_insert(private);
            }
        }
        if let Some(renewal) = self.rare.and_then(|rare| rare.renewal) {
            let is_theirs = sets_same(headers, &renewal.cookie);
            // A shared cache that kept it would sign others in (CVE-2025-64762).
            keep_from_caches(headers);
            // If the handler signed the visitor in or out, a renewed cookie after its own would
            // undo that. So would one that comes after a sign-out in another tab.
            if !is_theirs && !renewal.is_late() {
                headers.append(header::SET_COOKIE, renewal.cookie);
            }
        }
    }
}

/// Keeps a response out of every cache. Fields aimed at one cache overrule Cache-Control there (RFC
/// 9213).
fn keep_from_caches(headers: &mut HeaderMap) {
    let is_aimed = |name: &&HeaderName| {
        let name = name.as_str();
        let others = ["edge-control", "surrogate-control", "x-accel-expires"];
        name.ends_with("-cache-control") || others.contains(&name)
    };
    let aimed: Vec<_> = headers.keys().filter(is_aimed).cloned().collect();
    for name in aimed {
        headers.remove(name);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Says whether a response already sets or removes the cookie of this name. A browser trims blanks
/// around a name (draft-ietf-httpbis-rfc6265bis, section 5.6).
fn sets_same(headers: &HeaderMap, cookie: &HeaderValue) -> bool {
    fn name(cookie: &HeaderValue) -> Option<&[u8]> {
        // By the name alone: a handler that signs in somebody else sets another value, and means
        // it.
        let name = cookie.as_bytes().split(|b| *b == b'=').next()?;
        Some(name.trim_ascii())
    }
    let mut set = headers.get_all(header::SET_COOKIE).iter();
    set.any(|theirs| name(theirs) == name(cookie))
}
