//! The redirect URI: where a followed link comes back to, with a code.
//!
//! 1. Nothing is asked of the provider before the state opened, is not over, and is of this browser: a code without them is
//!    thrown away.
//! 2. The same callback again within a minute, or many at once, share one exchange and one session.
//! 3. A used link with a live session of the same address goes where it wanted to go.

use bytes::Bytes;
use http::{Response, header};

use super::{Step, attempt::Attempt, exchange};
use crate::{
    provider::AuthorizationCode,
    rejection::{Rejection, RejectionKind, redirect},
    session::{cookie::Jar, seal::Purpose},
};

/// Longer codes are none of WorkOS's, whose examples have 26 characters.
const LONGEST_CODE: usize = 512;

/// What arrived.
enum Arrival<'q> {
    /// A code, and the state that it belongs to.
    Code { code: &'q str, state: &'q str },
    /// The provider says no.
    Error {
        error: &'q str,
        state: Option<&'q str>,
    },
    /// No state: an invitation, an impersonation, a sign-in that began at the provider. None of ours.
    Stray,
}

impl Step {
    /// GET: finishes a sign-in.
    pub(super) async fn callback(&self) -> Response<Bytes> {
        let query = match self.query() {
            Ok(query) => query,
            Err(kind) => return self.refuse(kind),
        };
        let arrival = match arrival(&query) {
            Ok(arrival) => arrival,
            Err(kind) => return self.refuse(kind),
        };
        match arrival {
            Arrival::Stray => redirect(&self.shared.gate.login_path(None)),
            Arrival::Error { error, state } => self.declined(error, state).await,
            Arrival::Code { code, state } => match self.attempt(state) {
                Ok(attempt) => self.redeem(code, state, &attempt).await,
                Err(response) => *response,
            },
        }
    }

    /// Opens the state, and refuses one that is forged, over, or of another browser.
    fn attempt(&self, state: &str) -> Result<Attempt, Box<Response<Bytes>>> {
        let keys = self.shared.gate.tokens.keys();
        let Some(attempt) = Attempt::open(keys, Purpose::State, state) else {
            return Err(Box::new(self.refuse(RejectionKind::Malformed)));
        };
        let is_ours = self.is_ours(&attempt);
        // First, since of another browser's link that is over it would be no use to say where to open it.
        if attempt.is_over(self.shared.flow.attempt_lifetime(), self.now) {
            let rejection = Rejection::new(RejectionKind::AttemptExpired);
            let response = self.answer(rejection, Some(&attempt).filter(|_| is_ours));
            return Err(Box::new(response));
        }
        if !is_ours {
            return Err(Box::new(self.refuse(RejectionKind::AnotherBrowser)));
        }
        Ok(attempt)
    }

    async fn redeem(&self, code: &str, state: &str, attempt: &Attempt) -> Response<Bytes> {
        let code = AuthorizationCode::new(code);
        // A session that was there before ends when the new one begins (fixation).
        let previous = self
            .shared
            .gate
            .session_in_cookie(&self.head(), self.now)
            .ok();
        let exchange = exchange::Exchange {
            shared: self.shared.clone(),
            code,
            email: attempt.email.clone(),
            now: self.now,
        };
        let outcome = self.shared.flow.exchanges.join(state, exchange).await;
        let granted = match outcome {
            Ok(granted) => granted,
            Err(rejection) => return self.or_live_session(rejection, attempt).await,
        };
        if let Some(previous) = previous.filter(|previous| previous.id() != granted.session().id())
        {
            // Told of in an event if the store does not take it. The person signs in all the same.
            let _ = self.shared.end(&previous, false, self.now).await;
        }
        let mut response = self.on_their_way(attempt);
        let lifetime = self.now.until(granted.session().expires_at());
        let cookie = self
            .shared
            .gate
            .cookies
            .set(Jar::Session, granted.token().expose(), lifetime);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
    }

    /// A link that was used is no trouble for whoever is signed in with its address already.
    async fn or_live_session(&self, rejection: Rejection, attempt: &Attempt) -> Response<Bytes> {
        if rejection.kind() == RejectionKind::LinkUsed && self.has_session_of(attempt).await {
            return self.on_their_way(attempt);
        }
        self.answer(rejection, Some(attempt))
    }

    async fn has_session_of(&self, attempt: &Attempt) -> bool {
        let Ok(Some(session)) = self.live_session().await else {
            return false;
        };
        session.email().eq_ignore_ascii_case(attempt.email.as_str())
    }

    fn on_their_way(&self, attempt: &Attempt) -> Response<Bytes> {
        redirect(self.return_to_of(attempt).unwrap_or_default().as_str())
    }

    async fn declined(&self, error: &str, state: Option<&str>) -> Response<Bytes> {
        let kind = match error {
            "access_denied" => RejectionKind::LinkUsed,
            "organization_invalid" | "profile_not_allowed_outside_organization" => {
                RejectionKind::NotAllowed
            }
            _ => RejectionKind::ProviderDeclined,
        };
        let keys = self.shared.gate.tokens.keys();
        let attempt = state.and_then(|state| Attempt::open(keys, Purpose::State, state));
        match attempt.filter(|attempt| self.is_ours(attempt)) {
            Some(attempt) => self.or_live_session(Rejection::new(kind), &attempt).await,
            None => self.refuse(kind),
        }
    }
}

/// Sorts what arrived. What is there twice, empty, too long, or contradicts itself is refused.
fn arrival<'q>(query: &'q super::fields::Fields<'_>) -> Result<Arrival<'q>, RejectionKind> {
    let present = |name| match query.one(name)? {
        Some("") => Err(RejectionKind::Malformed),
        value => Ok(value),
    };
    match (present("code")?, present("error")?, present("state")?) {
        (Some(_), Some(_), _) => Err(RejectionKind::Malformed),
        (Some(code), None, Some(state)) if is_code(code) => Ok(Arrival::Code { code, state }),
        (Some(_), None, Some(_)) | (None, None, Some(_)) => Err(RejectionKind::Malformed),
        (None, Some(error), state) => Ok(Arrival::Error { error, state }),
        (_, None, None) => Ok(Arrival::Stray),
    }
}

fn is_code(code: &str) -> bool {
    code.len() <= LONGEST_CODE && code.bytes().all(|b| b.is_ascii_graphic())
}
