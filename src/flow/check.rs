//! The "check your mail" page, which a person sees while the mail is on its way.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{attempt::Attempt, browser, finish, refusal, sealed, step::Step};
use crate::{
    answer::redirect,
    page::{CheckPage, CodeEntry, CodeProblem, CrossDevice, Page, Resend, Sent},
    session::{cookie::CookieName, seal::Purpose},
    site::endpoint::Endpoint,
};

/// A redirected browser arrives here within this time. If it comes without our cookie so soon, it
/// has dropped it.
const HOP: Duration = Duration::from_secs(10);

/// Shows the address that was mailed to, but only in the browser that asked for the mail.
pub(super) async fn check(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_query(step, Purpose::Check) {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return redirect(step.flow.shared.gate.login_path(None)),
        Err(kind) => return refusal::refuse(step, kind),
    };
    if let Some(rejection) = sealed::over(step, &attempt) {
        return finish::too_late(step, &attempt, rejection).await;
    }
    if browser::is_ours(step, &attempt) {
        return check_page(step, &attempt, None);
    }
    if step.now < attempt.created + HOP && was_sent_here(step) {
        return refusal::answer(step, browser::cookie_lost(step, CookieName::Browser), None);
    }
    let login = step.flow.shared.gate.login_path(None);
    let page = CheckPage::new(&login, step.flow.mail_lifetime()).with_sent(attempt.sent);
    let page = Page::Check(page).with_words(step.words());
    step.flow.shared.page(StatusCode::OK, &page)
}

/// Shows the page in the browser that began, with the problem of a code that was typed there.
pub(super) fn check_page(
    step: &Step,
    attempt: &Attempt,
    problem: Option<CodeProblem>,
) -> Response<Bytes> {
    let flow = &step.flow;
    let return_to = sealed::return_to_of(step, attempt);
    let login = step.flow.shared.gate.login_path(return_to.as_ref());
    let sealed = step.query().ok();
    let sealed = sealed.as_ref().and_then(|query| query.one("t").ok()?);
    let resend = Resend::new(&login, attempt.email.as_str())
        .with_attempt(sealed)
        .with_wait(attempt.resend_wait(step.now));
    let match_code = attempt.match_code.to_string();
    // The form posts to its own endpoint, with the attempt of this page.
    let code_action = sealed
        .filter(|_| attempt.sent != Sent::Link)
        .map(|sealed| format!("{}?t={sealed}", step.path(Endpoint::Code)));
    let entry = code_action
        .as_deref()
        .map(|action| CodeEntry::new(action).with_lifetime(flow.code_lifetime))
        .map(|entry| entry.with_problem(problem));
    let asks_match_code = attempt.sent != Sent::Code && flow.cross_device == CrossDevice::MatchCode;
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
    let page = Page::Check(page).with_words(step.words());
    step.flow.shared.page(status, &page)
}

/// Says whether the browser may have been redirected here. For a typed or pasted address,
/// `Sec-Fetch-Site` is `none`.
fn was_sent_here(step: &Step) -> bool {
    let site = step.parts.headers.get("sec-fetch-site");
    site.is_none_or(|site| site != "none")
}
