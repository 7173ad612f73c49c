//! A link that was opened in another browser than the one that began.
//!
//! - A visit does nothing: GET shows a page, which asks for the match code, or for a click, or says
//!   to go back.
//! - The answer is a POST from that page. An empty one is no try; five wrong codes, or one "that
//!   wasn't me", end this way for this link, and never the way of the browser that began.
//! - A right answer gives this browser leave to finish this one sign-in: a sealed cookie, bound to
//!   its own.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{attempt::Attempt, browser, fields::Fields, limits, match_code, refusal, step::Step};
use crate::{
    event::Event,
    page::{CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice, MatchPage, Page},
    rejection::{Rejection, RejectionKind},
    session::cookie::Jar,
};

/// How many wrong match codes end the other-browser way of a link: one in 12 million guesses is
/// right.
const MOST_TRIES: u32 = 5;
/// How many clicks may be under way at once, before one says no.
const MOST_CLICKS: u32 = 3;

/// Shows what another browser is shown. Its form's answer may redirect to `leads_to` beside our own
/// origin.
pub(super) fn show_elsewhere(
    step: &Step,
    attempt: &Attempt,
    leads_to: Option<&str>,
    problem: Option<CodeProblem>,
) -> Response<Bytes> {
    let masked = attempt.email.masked();
    let action = here(step);
    let login = step.flow.shared.gate.login_path(None);
    let page = match step.flow.cross_device {
        CrossDevice::Confirm => {
            let masked = &masked;
            Page::Confirm(ConfirmPage::new(&action, Confirmation::SignIn { masked }))
        }
        CrossDevice::MatchCode => {
            let entry = CodeEntry::new(&action).with_problem(problem);
            Page::Match(MatchPage::new(entry, &masked, &login))
        }
        CrossDevice::Refuse => return refusal::refuse(step, RejectionKind::AnotherBrowser),
    };
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut response = step.flow.shared.page_leading_to(status, &page, leads_to);
    // The answer comes with it: a browser that keeps no cookies is told so before anything is used
    // up.
    browser::greet(step, &mut response);
    response
}

/// Takes the answer of another browser, which gives it leave to finish, or is answered itself.
pub(super) async fn answer_elsewhere(
    step: &Step,
    attempt: &Attempt,
    leads_to: Option<&str>,
) -> Result<browser::Leave, Box<Response<Bytes>>> {
    let refuse = |rejection: Rejection| Box::new(refusal::answer(step, rejection, None));
    let Some(browser) = step.flow.shared.gate.browser_cookie(&step.head(), step.now) else {
        return Err(refuse(browser::cookie_lost(step, Jar::Browser)));
    };
    let form = Fields::of_form(&step.form);
    let field = |name| form.one(name).map_err(|kind| refuse(Rejection::new(kind)));
    let cross_device = step.flow.cross_device;
    let is_guess = cross_device == CrossDevice::MatchCode
        && matches!(form.one("code"), Ok(Some(typed)) if !match_code::is_blank(typed));
    let guessed = is_guess.then_some(&attempt.email);
    limits::limit_code_entry(step, guessed)
        .await
        .map_err(refuse)?;
    match cross_device {
        CrossDevice::Confirm => take_click(step, attempt, field("answer")?).await,
        CrossDevice::MatchCode => {
            let typed = field("code")?.unwrap_or_default();
            take_match_code(step, attempt, typed, leads_to).await
        }
        CrossDevice::Refuse => Err(refuse(Rejection::new(RejectionKind::AnotherBrowser))),
    }?;
    Ok(browser::leave(step, attempt, browser))
}

async fn take_match_code(
    step: &Step,
    attempt: &Attempt,
    typed: &str,
    leads_to: Option<&str>,
) -> Result<(), Box<Response<Bytes>>> {
    let ask_again = |problem| Box::new(show_elsewhere(step, attempt, leads_to, Some(problem)));
    if match_code::is_blank(typed) {
        return Err(ask_again(CodeProblem::Missing));
    }
    let of = [b"match code".as_slice(), &attempt.name()].concat();
    let until = attempt.created + step.flow.attempt_lifetime();
    // Taken before the comparison: of a thousand guesses at once, five are compared.
    let taken = limits::take_try(step, &of, MOST_TRIES, until).await;
    let taken = taken.map_err(|rejection| Box::new(refusal::answer(step, rejection, None)))?;
    if !attempt.match_code.is(typed) {
        return Err(ask_again(CodeProblem::Wrong));
    }
    taken.give_back().await;
    Ok(())
}

async fn take_click(
    step: &Step,
    attempt: &Attempt,
    answer: Option<&str>,
) -> Result<(), Box<Response<Bytes>>> {
    let declined = || {
        let rejection = Rejection::new(RejectionKind::LinkDeclined);
        Box::new(refusal::answer(step, rejection, None))
    };
    let of = [b"declined".as_slice(), &attempt.name()].concat();
    let until = attempt.created + step.flow.attempt_lifetime();
    // "No" takes all for good; "yes" one, which it gives back. A "yes" that could not give it back
    // turns nothing down.
    let taken = match limits::take_try(step, &of, MOST_CLICKS, until).await {
        Ok(taken) => taken,
        Err(rejection) if rejection.kind() == RejectionKind::TooManyTries => {
            return Err(declined());
        }
        Err(rejection) => return Err(Box::new(refusal::answer(step, rejection, None))),
    };
    match answer {
        None => {
            taken.give_back().await;
            Ok(())
        }
        Some(_) => {
            for _ in 1..MOST_CLICKS {
                // Another "no" may have been faster.
                let _ = limits::take_try(step, &of, MOST_CLICKS, until).await;
            }
            let email = &attempt.email;
            step.flow
                .shared
                .listener
                .tell(&Event::LinkDeclined { email });
            Err(declined())
        }
    }
}

/// Returns the path and query of this request, as the browser sees them: where the page's form
/// posts to.
fn here(step: &Step) -> String {
    let path = step.path(step.endpoint);
    match step.parts.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}
