//! Signing out: here, or everywhere.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Response, StatusCode};

use super::{fields::Fields, refusal, step::Step};
use crate::{
    answer::redirect,
    clock::Timestamp,
    event::Event,
    page::{ConfirmPage, Confirmation, Page, SignedOutPage},
    rejection::RejectionKind,
    revocation::{Revocation, Target},
    session::Session,
    shared::Shared,
    site::endpoint::Endpoint,
    store::StoreError,
};

/// GET: asks whoever is signed in, and tells whoever is not that they are signed out. It ends
/// nothing.
pub(super) fn ask(step: &Step) -> Response<Bytes> {
    let gate = &step.flow.shared.gate;
    let (logout, login) = (step.path(Endpoint::Logout), gate.login_path(None));
    // Whether the session was ended elsewhere does not matter here: the button works either way.
    let sessions = gate.sessions_to_end(&step.head(), step.now);
    let page = match sessions.as_ref().map(|sessions| sessions.first()) {
        Ok(Some(session)) => {
            let email = session.email();
            Page::Confirm(ConfirmPage::new(&logout, Confirmation::SignOut { email }))
        }
        Ok(None) | Err(_) => Page::SignedOut(SignedOutPage::new(&login)),
    };
    step.flow.shared.page(StatusCode::OK, &page)
}

/// POST: ends the session - each that is good, where two cookies of its name came - or with
/// `everywhere` all of its person's, and removes the cookie.
pub(super) async fn end(step: &Step) -> Response<Bytes> {
    let gate = &step.flow.shared.gate;
    let form = Fields::of_form(&step.form);
    let is_everywhere = match form.one("everywhere") {
        Ok(everywhere) => everywhere.is_some(),
        Err(kind) => return refusal::refuse(step, kind),
    };
    let trouble = match gate.sessions_to_end(&step.head(), step.now) {
        Ok(sessions) => {
            let ends = sessions
                .iter()
                .map(|session| step.flow.shared.end(session, is_everywhere, step.now));
            let is_lost = join_all(ends).await.iter().any(Result::is_err);
            is_lost.then_some(RejectionKind::SignOutNotRecorded)
        }
        // Which of the two was meant to end?
        Err(kind @ RejectionKind::ConflictingCredentials) => return refusal::refuse(step, kind),
        // More than are looked at, or a bearer token beside them: nothing has ended.
        Err(kind @ RejectionKind::ConflictingCookies) => Some(kind),
        Err(_) => None,
    };
    let mut response = match trouble {
        Some(kind) => refusal::refuse(step, kind),
        None => redirect(&step.path(Endpoint::Logout)),
    };
    if !gate.is_bearer(&step.head()) {
        gate.forget(&step.head(), response.headers_mut());
    }
    response
}

impl Shared {
    /// Ends a session, or all of its person's - of its subject and of its address - and tells of
    /// it. The error says that the store did not take all of it.
    pub(crate) async fn end(
        &self,
        session: &Session,
        is_everywhere: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Another replica's clock, which began the session, may be ahead of ours.
        let at = now.max(session.auth_time());
        let taken = if is_everywhere {
            // Another of the person's sessions may have begun just now.
            let until = at + self.gate.lifetimes.longest();
            // A link and a code yield two subjects of one person, and one address: the one that was
            // proven.
            let orders = [
                Target::Subject(session.subject().to_owned()),
                Target::Address(session.email().to_owned()),
            ]
            .map(|target| Revocation::new(target, at, until));
            self.revocations.revoke_all(&orders).await
        } else {
            let until = self.gate.end_of_last_token(session);
            let order = Revocation::new(Target::Session(session.id()), at, until);
            self.revocations.revoke(&order).await
        };
        self.listener.tell(&Event::SignedOut {
            session,
            is_everywhere,
            is_recorded: taken.is_ok(),
        });
        taken
    }
}
