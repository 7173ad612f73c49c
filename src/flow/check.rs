//! "Check your mail": what a person sees while the mail is on its way.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Step, attempt::Attempt};
use crate::{
    answer::redirect,
    page::{CheckPage, CodeEntry, CodeProblem, CrossDevice, Page, Resend, Sent},
    rejection::{Rejection, RejectionKind},
    session::{cookie::Jar, seal::Purpose},
    site::endpoint::Endpoint,
};

/// A browser that was sent here follows within this time; one that comes without our cookie so soon has dropped it.
const HOP: Duration = Duration::from_secs(10);

impl Step {
    /// GET: shows the address that was mailed to, in the browser that asked for it alone.
    pub(super) fn check(&self) -> Response<Bytes> {
        let attempt = match self.attempt_in_query(Purpose::Check) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return redirect(&self.flow.shared.gate.login_path(None)),
            Err(kind) => return self.refuse(kind),
        };
        let is_ours = self.is_ours(&attempt);
        if let Some(rejection) = self.is_over(&attempt) {
            return self.answer(rejection, Some(&attempt).filter(|_| is_ours));
        }
        if is_ours {
            return self.check_page(&attempt, None);
        }
        if self.now < attempt.created + HOP && self.was_sent_here() {
            return self.answer(self.cookie_lost(Jar::Browser), None);
        }
        let login = self.flow.shared.gate.login_path(None);
        let page = CheckPage::new(&login, self.flow.mail_lifetime()).with_sent(attempt.sent);
        self.flow.shared.page(StatusCode::OK, &Page::Check(page))
    }

    /// Shows the page in the browser that began, with what was wrong with the code that was typed there.
    pub(super) fn check_page(
        &self,
        attempt: &Attempt,
        problem: Option<CodeProblem>,
    ) -> Response<Bytes> {
        let flow = &self.flow;
        let return_to = self.return_to_of(attempt);
        let login = self.flow.shared.gate.login_path(return_to.as_ref());
        let sealed = self.query().ok();
        let sealed = sealed.as_ref().and_then(|query| query.one("t").ok()?);
        let resend = Resend::new(&login, attempt.email.as_str())
            .with_attempt(sealed)
            .with_wait(attempt.resend_wait(self.now));
        let match_code = attempt.match_code.to_string();
        // The code is posted beside the page, with the attempt that the page is for.
        let code_action = sealed
            .filter(|_| attempt.sent != Sent::Link)
            .map(|sealed| format!("{}?t={sealed}", self.path(Endpoint::Code)));
        let entry = code_action
            .as_deref()
            .map(|action| CodeEntry::new(action).with_problem(problem));
        let asks_match_code =
            attempt.sent != Sent::Code && flow.cross_device == CrossDevice::MatchCode;
        let page = CheckPage::new(&login, flow.mail_lifetime())
            .with_code_entry(entry)
            .with_cross_device(flow.cross_device)
            .with_email(attempt.email.as_str())
            .with_match_code(asks_match_code.then_some(match_code.as_str()))
            .with_resend(resend)
            .with_sent(attempt.sent);
        let status = match problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        self.flow.shared.page(status, &Page::Check(page))
    }

    /// Says whether an attempt is over.
    pub(super) fn is_over(&self, attempt: &Attempt) -> Option<Rejection> {
        if !attempt.is_over(self.flow.attempt_lifetime(), self.now) {
            return None;
        }
        Some(Rejection::new(match attempt.is_ahead(self.now) {
            true => RejectionKind::ClockWrong,
            false => RejectionKind::AttemptExpired,
        }))
    }

    /// Says whether the browser may have been redirected here: an address that was typed or pasted says `none`.
    fn was_sent_here(&self) -> bool {
        let site = self.parts.headers.get("sec-fetch-site");
        site.is_none_or(|site| site != "none")
    }
}
