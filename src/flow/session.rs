//! The current session as JSON, for the application's own scripts.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::step::Step;
use crate::{
    answer::json,
    clock::Timestamp,
    event::Event,
    rejection::{Rejection, RejectionKind},
};

#[derive(Serialize)]
struct Who<'a> {
    subject: &'a str,
    email: &'a str,
    organization: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    auth_time: Timestamp,
    expires_at: Timestamp,
    /// The application's own claims, as it wrote them.
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
}

/// Returns the session as JSON, 401 without one, or 403 if its person may not pass. Times are
/// seconds since 1970, and `expires_at` is the end by today's lifetimes.
pub(crate) async fn who(step: &Step) -> Response<Bytes> {
    let session = match step.live_session().await {
        Ok(Some(session)) => session,
        Ok(None) => {
            let kind = match step.flow.shared.gate.session(&step.head(), step.reading()) {
                Err(RejectionKind::NotAllowed) => RejectionKind::NotAllowed,
                Ok(_) | Err(_) => RejectionKind::NoSession,
            };
            return program(step, Rejection::new(kind));
        }
        Err(rejection) => return program(step, rejection),
    };
    let who = Who {
        subject: session.subject(),
        email: session.email(),
        organization: session.organization(),
        first_name: session.first_name(),
        last_name: session.last_name(),
        auth_time: session.auth_time(),
        // By today's settings, which may end it before its token does.
        expires_at: step.flow.shared.gate.lifetimes.end_of(&session),
        claims: session
            .claims_json()
            .and_then(|claims| serde_json::from_str(claims).ok()),
    };
    json(StatusCode::OK, serde_json::to_vec(&who).unwrap_or_default())
}

fn program(step: &Step, rejection: Rejection) -> Response<Bytes> {
    step.flow.shared.listener.tell(&Event::Refused {
        kind: rejection.kind(),
    });
    let head = step.head();
    let mut response = rejection.to_program(&step.flow.shared, &head, &head.said());
    response.extensions_mut().insert(rejection);
    response
}
