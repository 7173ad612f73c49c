//! Signing out: here, or everywhere.

use bytes::Bytes;
use http::{Response, StatusCode, header};

use super::{Step, fields::Fields};
use crate::{
    endpoint::Endpoint,
    event::Event,
    page::{ConfirmPage, Confirmation, Page, SignedOutPage},
    rejection::{Rejection, RejectionKind, redirect},
    revocation::{Revocation, Target},
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

    /// POST: ends the session, or with `everywhere` all of its subject's, and removes the cookie.
    pub(super) async fn end(&self) -> Response<Bytes> {
        let gate = &self.shared.gate;
        let form = Fields::of_form(&self.form);
        let is_everywhere = match form.one("everywhere") {
            Ok(everywhere) => everywhere.is_some(),
            Err(kind) => return self.refuse(kind),
        };
        let is_recorded = match gate.session(&self.head(), self.now) {
            Ok(session) => self.record_end(&session, is_everywhere).await,
            Err(_) => true,
        };
        let mut response = if is_recorded {
            redirect(&self.path(Endpoint::Logout))
        } else {
            self.answer(Rejection::new(RejectionKind::SignOutNotRecorded), None)
        };
        let removal = gate.cookies.removal();
        response.headers_mut().append(header::SET_COOKIE, removal);
        response
    }

    /// Has the store remember the end. Says whether it took it.
    pub(super) async fn record_end(&self, session: &Session, is_everywhere: bool) -> bool {
        let target = if is_everywhere {
            Target::Subject(session.subject().to_owned())
        } else {
            Target::Session(session.id())
        };
        let until = if is_everywhere {
            // Another of the subject's sessions may have begun just now.
            self.now + self.shared.gate.lifetimes.absolute
        } else {
            self.shared.gate.end_of_last_token(session)
        };
        let is_recorded = self
            .shared
            .revoke(&Revocation::new(target, self.now, until))
            .await;
        self.shared.listener.tell(&Event::SignedOut {
            session,
            is_everywhere,
            is_recorded,
        });
        is_recorded
    }
}
