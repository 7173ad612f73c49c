//! "Check your mail": what a person sees while the link is on its way.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Step;
use crate::{
    page::{CheckPage, Page, Resend},
    rejection::{Rejection, RejectionKind, redirect},
    session::seal::Purpose,
};

impl Step {
    /// GET: shows the address that a link went to, in the browser that asked for it alone.
    pub(super) fn check(&self) -> Response<Bytes> {
        let gate = &self.shared.gate;
        let attempt = match self.attempt_in_query(Purpose::Check) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return redirect(&gate.login_path(None)),
            Err(kind) => return self.refuse(kind),
        };
        let is_ours = self.is_ours(&attempt);
        if attempt.is_over(self.shared.flow.attempt_lifetime(), self.now) {
            let rejection = Rejection::new(RejectionKind::AttemptExpired);
            return self.answer(rejection, Some(&attempt).filter(|_| is_ours));
        }
        let return_to = self.return_to_of(&attempt).filter(|_| is_ours);
        let login = gate.login_path(return_to.as_ref());
        let email = Some(attempt.email.as_str()).filter(|_| is_ours);
        let page = CheckPage::new(&login, self.shared.flow.link_lifetime)
            .with_email(email)
            .with_resend(email.map(|email| Resend::new(&login, email)));
        self.shared.page(StatusCode::OK, &Page::Check(page))
    }
}
