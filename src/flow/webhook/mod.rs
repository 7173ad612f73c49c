//! The webhook: WorkOS's signed events that end sessions.
//!
//! - The layer checks the signature over the received bytes before it parses any of them
//!   ([`signature`]). Until then it stores nothing and calls no store.
//! - [`event`] decides which sessions an event ends. Events that end none are acknowledged, so that
//!   WorkOS does not deliver them again.
//! - The answer is 200 if the store took every revocation of the event. Otherwise it is 503, and
//!   WorkOS delivers the event again. Every revocation is tried even if another fails, and they are
//!   idempotent, so a later delivery completes what an earlier one left half done.
//! - It is 400 for an event that cannot be read, and for one that lacks the id of what it ends. The
//!   layer reports the latter by its own id and name.
//! - An event that this process has handled before is acknowledged and nothing more ([`recent`]).
//! - Once an event is read, it is carried out and reported even if its sender hangs up. The caller
//!   runs [`Webhook::carry_out`] apart from the request.
//! - The answers are for a program: none of them is a page.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use crate::{
    answer::json,
    clock::Reading,
    event::{Context, Event, WebhookEffect},
    rejection::RejectionKind,
    request::body::BodyHead,
    revocation::Revocation,
    shared::Shared,
    site::endpoint::LONGEST_EVENT,
};

mod event;
mod recent;
mod signature;

pub(crate) use self::signature::{Secret, Verifier};
use self::{event::Received, recent::Recent};

/// The state behind the webhook endpoint, which exists only with a secret.
#[derive(Debug)]
pub(crate) struct Webhook {
    verifier: Verifier,
    recent: Recent,
}

impl Webhook {
    pub(crate) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            recent: Recent::default(),
        }
    }

    /// Reads an event that was received at this moment, if its signature is good.
    pub(crate) fn read(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        reading: Reading,
    ) -> Result<Received, RejectionKind> {
        // Signatures are dated by WorkOS's clock, and judged by the wall clock.
        self.verifier.verify(headers, body, reading.date())?;
        Received::parse(body).ok_or(RejectionKind::Malformed)
    }

    /// Carries out an event that was received at this moment, and reports it.
    pub(crate) async fn carry_out(
        &self,
        shared: &Shared,
        received: &Received,
        context: Context<'_>,
        reading: Reading,
    ) -> Result<Response<Bytes>, RejectionKind> {
        // Events are dated by WorkOS's clock, and sessions by the wall clock.
        let now = reading.date();
        let tell = |effect| {
            let event = Event::WebhookReceived {
                id: received.id(),
                name: received.name(),
                effect,
            };
            shared.listener.tell_in(context, &event);
        };
        if self.recent.knows(received.id()) {
            tell(WebhookEffect::Duplicate);
            return Ok(done());
        }
        let Some(targets) = received.targets() else {
            tell(WebhookEffect::NotRecorded);
            return Err(RejectionKind::Malformed);
        };
        let effect = match targets.is_empty() {
            true => WebhookEffect::Ignored,
            false => WebhookEffect::Ended,
        };
        // By `until`, every session that began before the event has expired, renewed or not.
        let longest = shared.gate.lifetimes.longest() + reading.most_ahead();
        let at = received.at(now);
        let until = at.max(now) + longest + Revocation::LEEWAY;
        let revocations: Vec<_> = targets
            .into_iter()
            .map(|target| Revocation::new(target, at, until))
            .collect();
        if shared.revocations.revoke_all(&revocations).await.is_err() {
            tell(WebhookEffect::NotRecorded);
            return Err(RejectionKind::StoreUnavailable);
        }
        // Remembered only now, so that a failed event is handled when WorkOS delivers it again.
        self.recent.remember(received.id());
        tell(effect);
        Ok(done())
    }
}

/// Checks by its head whether a request may be a signed event, before its body is read.
pub(crate) fn accept_head(headers: &HeaderMap) -> Result<(), RejectionKind> {
    let body = BodyHead::of(headers);
    if body.is_longer_than(LONGEST_EVENT) {
        return Err(RejectionKind::TooLarge);
    }
    if !body.is("application/json") {
        return Err(RejectionKind::UnsupportedMediaType);
    }
    // Before the body is read: what is not even signed need not be collected.
    signature::of_headers(headers).map(drop)
}

fn done() -> Response<Bytes> {
    json(StatusCode::OK, Bytes::from_static(b"{}"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn an_event_is_known_by_its_head() {
        let signature = format!("t=1700000000000, v1={}", "a".repeat(64));
        let (json, large) = ("application/json", "262145");
        type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], Result<(), RejectionKind>);
        let cases: [Case<'_>; 7] = [
            (
                "event",
                &[("content-type", json), ("content-length", "262144")],
                Ok(()),
            ),
            (
                "with charset",
                &[("content-type", "Application/JSON; charset=utf-8")],
                Ok(()),
            ),
            (
                "too large",
                &[("content-type", json), ("content-length", large)],
                Err(RejectionKind::TooLarge),
            ),
            ("untyped", &[], Err(RejectionKind::UnsupportedMediaType)),
            (
                "form",
                &[("content-type", "application/x-www-form-urlencoded")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "nearly JSON",
                &[("content-type", "application/jsonx")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "signed twice",
                &[("content-type", json), ("workos-signature", &signature)],
                Err(RejectionKind::WebhookSignature),
            ),
        ];
        for (name, fields, want) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("workos-signature", signature.parse().unwrap());
            for (field, value) in fields {
                let field = HeaderName::try_from(*field).unwrap();
                headers.append(field, value.parse().unwrap());
            }
            assert_eq!(accept_head(&headers), want, "{name}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(json));
        let want = Err(RejectionKind::WebhookSignature);
        assert_eq!(accept_head(&headers), want, "unsigned");
    }
}
