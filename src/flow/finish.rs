//! The end of a sign-in: a proof is redeemed, a session begins, the browser goes where it wanted to go.
//!
//! - The session that was there before ends (fixation).
//! - A used link with a live session of the same address goes where it wanted to go.
//! - Where the browser kept a fragment, a page leads there; else a redirect does.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode, header};

use super::{
    Step,
    attempt::Attempt,
    exchange::{Exchange, Proof},
};
use crate::{
    answer::redirect,
    page::{OnwardPage, Page},
    rejection::{Rejection, RejectionKind},
    request::head::Found,
    session::{Issued, cookie::Jar, seal},
};

/// How long after a sign-in a request without the session cookie shows that the browser dropped it.
const ARRIVAL: Duration = Duration::from_secs(60);

impl Step {
    /// Redeems a proof, once for however many requests bring it, and signs the browser in.
    pub(super) async fn redeem(
        &self,
        proof: Proof,
        state: &[u8],
        attempt: &Attempt,
    ) -> Response<Bytes> {
        match self.granted(proof, state, attempt).await {
            Ok(granted) => self.sign_in(&granted, attempt).await,
            Err(rejection) => self.or_live_session(rejection, attempt).await,
        }
    }

    pub(super) async fn granted(
        &self,
        proof: Proof,
        state: &[u8],
        attempt: &Attempt,
    ) -> Result<Arc<Issued>, Rejection> {
        let charges = match &proof {
            // Typing it was counted.
            Proof::Code { .. } => Vec::new(),
            Proof::Link(_) => self.charges_of_exchange(attempt),
        };
        let exchange = Exchange {
            flow: self.flow.clone(),
            charges,
            proof,
            email: attempt.email.clone(),
            browser: self.browser(),
            term: attempt.term,
            now: self.now,
        };
        self.flow.exchanges.join(state, exchange).await
    }

    /// Returns what this browser has redeemed a moment ago, by a request whose answer it may not have waited for.
    pub(super) async fn granted_just_now(&self, state: &[u8]) -> Option<Arc<Issued>> {
        let exchanges = &self.flow.exchanges;
        let granted = exchanges.rejoin(state, self.browser()?, self.now)?.await;
        let granted = granted.ok()?;
        // It may have been signed out since.
        let is_active = self
            .flow
            .shared
            .revocations
            .is_active(granted.session())
            .await;
        is_active.unwrap_or(false).then_some(granted)
    }

    fn browser(&self) -> Option<[u8; 16]> {
        let cookie = self.flow.shared.gate.browser_cookie(&self.head(), self.now);
        cookie.map(seal::fingerprint)
    }

    /// Hands the session to the browser, and sends it on its way.
    pub(super) async fn sign_in(&self, granted: &Issued, attempt: &Attempt) -> Response<Bytes> {
        let gate = &self.flow.shared.gate;
        let previous = gate.session_in_cookie(&self.head(), self.now).ok();
        if let Some(previous) = previous.filter(|previous| previous.id() != granted.session().id())
        {
            // Told of in an event if the store does not take it. The person signs in all the same.
            let _ = self.flow.shared.end(&previous, false, self.now).await;
        }
        let mut response = self.on_their_way(attempt);
        let token = granted.token().expose();
        let cookie = gate.session_cookie(granted.session(), token, self.now);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        gate.forget_former(&self.head(), response.headers_mut());
        self.keep(&mut response, Jar::Arrived, "1", ARRIVAL);
        if self.head().cookie(gate.cookies.name(Jar::Pass)) != Found::Nothing {
            let removal = gate.cookies.removal_of(Jar::Pass);
            response.headers_mut().append(header::SET_COOKIE, removal);
        }
        response
    }

    /// A link that was used is no trouble for whoever is signed in with its address already.
    pub(super) async fn or_live_session(
        &self,
        rejection: Rejection,
        attempt: &Attempt,
    ) -> Response<Bytes> {
        if rejection.kind() == RejectionKind::LinkUsed && self.has_session_of(attempt).await {
            return self.on_their_way(attempt);
        }
        self.answer(rejection, Some(attempt))
    }

    pub(super) async fn has_session_of(&self, attempt: &Attempt) -> bool {
        let Ok(Some(session)) = self.live_session().await else {
            return false;
        };
        session.email().eq_ignore_ascii_case(attempt.email.as_str())
    }

    pub(super) fn on_their_way(&self, attempt: &Attempt) -> Response<Bytes> {
        let to = self.return_to_of(attempt).unwrap_or_default();
        if !attempt.keeps_fragment {
            return redirect(to.as_str());
        }
        let page = Page::Onward(OnwardPage::new(to.as_str()));
        self.flow.shared.page(StatusCode::OK, &page)
    }
}
