//! `Question`: the request that a proxy asks about, as far as the layer trusts the proxy.
//!
//! - The proxy hands on the client's target, byte for byte. So the layer decides on a target only
//!   if its parsed form has the same bytes, and no reader can understand it differently. It refuses
//!   any other target, and two targets.
//! - Nothing checks what passes through a tunnel that the proxy opens. So the layer refuses a
//!   question that shows an upgrade to anything but a WebSocket.
//! - A refusal is never 2xx, whatever the audience. A permit says in a header of its own that it is
//!   one: another server's 200 is none.

use std::{mem, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
    request::Parts, uri::PathAndQuery,
};

use crate::{
    clock::Timestamp,
    gate::{Decision, Verdict},
    layer::{Finish, identity_headers},
    rejection::{Rejection, RejectionKind},
    request::{head::RequestHead, peer::PeerAddr, upgrade::Upgrade},
    revocation::Standing,
    session::Session,
    shared::{Shared, Word},
    site::rules::Exposure,
};

/// A proxy that reaches another server with its question reads that server's 200. This header tells
/// the two apart.
const DECISION: HeaderName = HeaderName::from_static("x-auth-decision");

/// The fields of a refusal that lead a client elsewhere. The layer writes paths into them.
const LEADING: [HeaderName; 2] = [header::LOCATION, HeaderName::from_static("hx-redirect")];

/// How a proxy states the client's request, and what it does with a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `X-Forwarded-*`; a refusal goes to the client as it is.
    Forwarded,
    /// `X-Original-*`. Of a refusal nginx uses only the status, 401 or 403, and the headers that
    /// its configuration reads.
    Nginx,
}

/// What a proxy does with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It lets the request through, or refuses it.
    Decide,
    /// It has refused the request, and sends the answer to the client.
    Refuse,
}

/// What lets a request through.
struct Permit {
    session: Option<Session>,
    finish: Finish,
}

/// The request that a proxy asks about.
pub(super) struct Question {
    parts: Parts,
    said: Said,
}

/// What a proxy states about the client's request.
#[derive(Debug, PartialEq)]
enum Said {
    /// Nothing, or the peer is not trusted. Every path is then protected, because no rule applies
    /// to the question's own address.
    Nothing,
    /// The method and the target.
    Target(Method, Uri),
    /// A target that the guarded service may read differently, or several targets.
    Unclear,
}

impl Question {
    pub(super) fn of(asked: Parts, dialect: Dialect, shared: &Shared) -> Self {
        let peer = PeerAddr::of(&asked.extensions);
        let is_trusted = peer.is_some_and(|peer| shared.proxies.has(peer));
        let mut said = Said::Nothing;
        if is_trusted {
            said = dialect.said(&asked.headers);
        }
        // The extensions are left out: they describe the question, not the client's request. The
        // peer tells who the client is, behind trusted proxies.
        let mut parts = nothing();
        parts.headers = asked.headers;
        if let Some(peer) = peer {
            parts.extensions.insert(peer);
        }
        if let Said::Target(method, uri) = &said {
            (parts.method, parts.uri) = (method.clone(), uri.clone());
        }
        Self { parts, said }
    }

    /// Says what to do with the request.
    fn decide(&self, shared: &Shared, now: Timestamp) -> Decision {
        let head = RequestHead::of_parts(&self.parts);
        let now = shared.clock.at(now);
        let upgrade = Upgrade::shown(head.method(), head.headers());
        match self.said {
            _ if upgrade == Upgrade::Other => refuse_ambiguous(),
            Said::Nothing => shared.gate.protected(&head, now),
            Said::Target(..) => shared.gate.decide(&head, now),
            Said::Unclear => refuse_ambiguous(),
        }
    }

    pub(super) async fn answer(
        mut self,
        shared: &Arc<Shared>,
        dialect: Dialect,
        purpose: Purpose,
        now: Timestamp,
    ) -> Response<Bytes> {
        let rejection = match purpose {
            Purpose::Decide => match self.permit(shared, now).await {
                Ok(permit) => return permit.into_response(),
                Err(rejection) => rejection,
            },
            Purpose::Refuse => self.why_refused(shared, now).await,
        };
        let mut response = self.refuse(shared, purpose, rejection);
        if dialect == Dialect::Nginx && purpose == Purpose::Decide {
            // nginx turns anything but 401 and 403 into a 500.
            let status = match response.status() {
                status if status.is_redirection() => StatusCode::UNAUTHORIZED,
                StatusCode::BAD_REQUEST => StatusCode::FORBIDDEN,
                status => status,
            };
            *response.status_mut() = status;
        }
        response
    }

    /// Returns the session of the request and what is known of it, and what the path asks for.
    async fn find(
        &self,
        shared: &Arc<Shared>,
        now: Timestamp,
    ) -> Result<(Option<Word>, Exposure), Rejection> {
        let (admission, exposure) = match self.decide(shared, now) {
            Decision::Admit(admission) => (admission, Exposure::Protected),
            Decision::Pass(exposure, Some(admission)) => (admission, exposure),
            Decision::Pass(exposure, None) => return Ok((None, exposure)),
            Decision::Refuse(rejection) => return Err(rejection),
            // The layer's own endpoints are served by the layer, not by a permit. A proxy routes
            // them past the question.
            Decision::RefuseStep(_) | Decision::Step(_) => {
                return Err(Rejection::new(RejectionKind::Malformed));
            }
        };
        let answer = shared.revocations.standing(&admission.session).await;
        let word = match shared.reauthorize(&admission, &answer, now) {
            Some(word) => word.await,
            None => (admission, answer),
        };
        Ok((Some(word), exposure))
    }

    /// Returns why the proxy has refused the request. Its first question has reported and counted
    /// that, so this one does neither, and renews nothing.
    async fn why_refused(&self, shared: &Arc<Shared>, now: Timestamp) -> Rejection {
        let verdict = match self.find(shared, now).await {
            Ok((Some((_, answer)), exposure)) => exposure.settle(match answer {
                answer if shared.revocations.admits(&answer) => Ok(Standing::Active),
                Ok(standing) => Ok(standing),
                Err(_) => Err(Rejection::new(RejectionKind::StoreUnavailable)),
            }),
            Ok((None, _)) => Verdict::Pass,
            Err(rejection) => Verdict::Refuse(rejection),
        };
        match verdict {
            // The store has come back since the proxy asked, or the session has begun.
            Verdict::Admit | Verdict::Pass => Rejection::new(RejectionKind::StoreUnavailable),
            Verdict::Refuse(rejection) => rejection,
        }
    }

    async fn permit(&mut self, shared: &Arc<Shared>, now: Timestamp) -> Result<Permit, Rejection> {
        let (admission, answer, exposure) = match self.find(shared, now).await? {
            (Some((admission, answer)), exposure) => (admission, answer, exposure),
            (None, exposure) => {
                return Ok(Permit {
                    session: None,
                    finish: shared.pass(&mut Request::new(()), exposure),
                });
            }
        };
        // The proxy hands on the real request. This one says who asked for it.
        let asked = mem::replace(&mut self.parts, nothing());
        let mut request = Request::from_parts(asked, ());
        let settled = shared.settle(&mut request, admission, exposure, answer, now);
        let session = request.extensions_mut().remove();
        (self.parts, ()) = request.into_parts();
        Ok(Permit {
            session,
            finish: settled?,
        })
    }

    fn refuse(
        &mut self,
        shared: &Shared,
        purpose: Purpose,
        rejection: Rejection,
    ) -> Response<Bytes> {
        // The proxy gets a whole body, even if the client sent a HEAD.
        if self.parts.method == Method::HEAD {
            self.parts.method = Method::GET;
        }
        let status = rejection.kind().status();
        let head = RequestHead::of_parts(&self.parts);
        let mut response = match purpose {
            Purpose::Decide => shared.refuse(rejection, &head),
            Purpose::Refuse => shared.refuse_again(rejection, &head),
        };
        // The client may be at another host than the form, and Traefik resolves a relative
        // `Location` against the address of its question.
        for name in LEADING {
            let path = response.headers().get(&name);
            let path = path.and_then(|value| value.to_str().ok());
            let url = path.map(|path| shared.gate.absolute(path));
            if let Some(url) = url.and_then(|url| HeaderValue::try_from(url).ok()) {
                response.headers_mut().insert(name, url);
            }
        }
        // A gRPC refusal has status 200, which a proxy takes for a permit.
        if response.status().is_success() {
            *response.status_mut() = status;
        }
        response
    }
}

/// Returns the head of a request that says nothing.
fn nothing() -> Parts {
    Request::new(()).into_parts().0
}

impl Permit {
    fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        self.finish.write_to(&mut response);
        let headers = response.headers_mut();
        headers.insert(DECISION, HeaderValue::from_static("permit"));
        // A cached permit would let the next client in under this session's identity.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(session) = &self.session {
            identity_headers::introduce(headers, session);
        }
        response
    }
}

impl Dialect {
    /// Reads the client's method and target.
    fn said(self, headers: &HeaderMap) -> Said {
        let [method, uri] = match self {
            Self::Forwarded => ["x-forwarded-method", "x-forwarded-uri"],
            Self::Nginx => ["x-original-method", "x-original-uri"],
        };
        let fields = |name| headers.get_all(name).iter();
        let (mut methods, mut targets) = (fields(method), fields(uri));
        match (methods.next(), targets.next()) {
            (Some(method), Some(target)) => {
                // Of two, the proxy may have written one and the client the other.
                let is_one = methods.next().is_none() && targets.next().is_none();
                let method = Method::from_bytes(method.as_bytes()).ok();
                let uri = origin_form(target.as_bytes()).filter(|_| is_one);
                method
                    .zip(uri)
                    .map_or(Said::Unclear, |(method, uri)| Said::Target(method, uri))
            }
            _ => Said::Nothing,
        }
    }
}

fn refuse_ambiguous() -> Decision {
    Decision::Refuse(Rejection::new(RejectionKind::AmbiguousRequest))
}

/// Parses a target in origin-form (RFC 9112, section 3.2.1). `None` if readers may differ on it.
///
/// Some parsers cut a target at `#`, and some turn a backslash in the path into a slash. Each
/// drops, trims or decodes spaces, control characters and bytes beyond ASCII in its own way. All of
/// them begin the query at the first `?`.
fn origin_form(target: &[u8]) -> Option<Uri> {
    let is_visible = target.iter().all(u8::is_ascii_graphic);
    let path = target.split(|b| *b == b'?').next().unwrap_or_default();
    if !path.starts_with(b"/") || !is_visible || target.contains(&b'#') || path.contains(&b'\\') {
        return None;
    }
    let parsed = PathAndQuery::try_from(target).ok()?;
    (parsed.as_str().as_bytes() == target).then(|| Uri::from(parsed))
}

#[cfg(test)]
mod tests;
