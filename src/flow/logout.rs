//! Signing out: here, or everywhere.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Step, fields::Fields};
use crate::{
    clock::Timestamp,
    endpoint::Endpoint,
    event::Event,
    layer::Shared,
    page::{ConfirmPage, Confirmation, Page, SignedOutPage},
    rejection::{Rejection, RejectionKind, redirect},
    revocation::{Revocation, StoreError, Target},
    session::Session,
};

impl Step {
    /// GET: asks whoever is signed in, and tells whoever is not that they are signed out. It ends nothing.
    pub(super) fn ask(&self) -> Response<Bytes> {
        let gate = &self.shared.gate;
        let (logout, login) = (self.path(Endpoint::Logout), gate.login_path(None));
        // Whether the session was ended elsewhere does not matter here: the button works either way.
        match gate.session(&self.head(), self.now) {
            Ok(session) => {
                let email = session.email();
                let page = ConfirmPage::new(&logout, Confirmation::SignOut { email });
                self.shared.page(StatusCode::OK, &Page::Confirm(page))
            }
            Err(_) => {
                let page = SignedOutPage::new(&login);
                self.shared.page(StatusCode::OK, &Page::SignedOut(page))
            }
        }
    }

    /// POST: ends the session, or with `everywhere` all of its person's, and removes the cookie.
    pub(super) async fn end(&self) -> Response<Bytes> {
        let gate = &self.shared.gate;
        let form = Fields::of_form(&self.form);
        let is_everywhere = match form.one("everywhere") {
            Ok(everywhere) => everywhere.is_some(),
            Err(kind) => return self.refuse(kind),
        };
        let is_recorded = match gate.session(&self.head(), self.now) {
            Ok(session) => {
                let ended = self.shared.end(&session, is_everywhere, self.now);
                ended.await.is_ok()
            }
            // Which of the two was meant to end?
            Err(kind @ RejectionKind::ConflictingCredentials) => return self.refuse(kind),
            Err(_) => true,
        };
        let mut response = if is_recorded {
            redirect(&self.path(Endpoint::Logout))
        } else {
            self.answer(Rejection::new(RejectionKind::SignOutNotRecorded), None)
        };
        if !gate.is_bearer(&self.head()) {
            gate.forget(&self.head(), response.headers_mut());
        }
        response
    }
}

impl Shared {
    /// Ends a session, or all of its person's - of its subject and of its address - and tells of it. The error says that the store did not take all of it.
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
            // A link and a code yield two subjects of one person, and one address: the one that was proven.
            let orders = [
                Target::Subject(session.subject().to_owned()),
                Target::Address(session.email().to_owned()),
            ]
            .map(|target| Revocation::new(target, at, until));
            self.revoke_all(&orders).await
        } else {
            let until = self.gate.end_of_last_token(session);
            let order = Revocation::new(Target::Session(session.id()), at, until);
            self.revoke(&order).await
        };
        self.listener.tell(&Event::SignedOut {
            session,
            is_everywhere,
            is_recorded: taken.is_ok(),
        });
        taken
    }
}
