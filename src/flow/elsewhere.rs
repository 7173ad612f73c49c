//! Handles a link that was opened in another browser than the one that began the sign-in.
//!
//! - A visit changes nothing. GET shows a page that asks for the match code or a click, or that
//!   sends the person back to the first browser.
//! - The answer is a POST from that page. An empty answer, or one that cannot be a
//!   code, costs no try. Five wrong codes, or one "that wasn't me", close the link to other
//!   browsers, but never to the browser that began.
//! - A right answer permits this browser to finish this one sign-in: a sealed cookie that is
//!   bound to its browser cookie.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::time::sleep;
use tracing::Instrument;

use super::{
    apart::apart,
    asked::Asked,
    attempt::Attempt,
    browser,
    fields::Fields,
    limits::{self, Early},
    match_code::{MatchCode, is_blank},
    refusal,
    settings::Flow,
    step::Step,
};
use crate::{
    clock::Timestamp,
    event::Event,
    page::{CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice, MatchPage, Page},
    rejection::{Rejection, RejectionKind},
    session::cookie::CookieName,
};

/// How many wrong match codes close a link to other browsers. Five tries succeed once in 12 million
/// links.
const MOST_TRIES: u32 = 5;
/// How many clicks may be in flight at once, unless one declines.
const MOST_CLICKS: u32 = 3;
/// A click that is in flight has given its try back by then: the throttle has two seconds.
const GIVEN_BACK: Duration = Duration::from_secs(5);

/// Shows the page for another browser. The form's answer may redirect to `leads_to`, beside our own
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
    let page = page.with_words(step.words());
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut response = step.flow.shared.page_leading_to(status, &page, leads_to);
    // The answer must bring this cookie, so a browser that drops cookies gets an error before
    // anything is used up.
    browser::greet(step, &mut response);
    response
}

/// Judges the answer of another browser, and returns its permit to finish or a page.
pub(super) async fn answer_elsewhere(
    step: &Step,
    attempt: &Attempt,
    leads_to: Option<&str>,
) -> Result<browser::Permit, Box<Response<Bytes>>> {
    // Without the attempt, whose address this browser must not see.
    let refuse = |rejection: Rejection| Box::new(refusal::answer(step, rejection, None));
    let Some(browser) = browser::cookie_to_name(step) else {
        return Err(refuse(browser::cookie_lost(step, CookieName::Browser)));
    };
    let form = Fields::of_form(&step.form);
    let field = |name| form.one(name).map_err(|kind| refuse(Rejection::new(kind)));
    let cross_device = step.flow.cross_device;
    let is_guess = cross_device == CrossDevice::MatchCode
        && matches!(form.one("code"), Ok(Some(typed)) if MatchCode::parse(typed).is_some());
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
        // No page offers this form, but anybody can post one.
        CrossDevice::Refuse => Err(refuse(Rejection::new(RejectionKind::AnotherBrowser))),
    }?;
    Ok(browser::permit(step, attempt, browser))
}

async fn take_match_code(
    step: &Step,
    attempt: &Attempt,
    typed: &str,
    leads_to: Option<&str>,
) -> Result<(), Box<Response<Bytes>>> {
    let ask_again = |problem| Box::new(show_elsewhere(step, attempt, leads_to, Some(problem)));
    if is_blank(typed) {
        return Err(ask_again(CodeProblem::Missing));
    }
    let Some(typed) = MatchCode::parse(typed) else {
        return Err(ask_again(CodeProblem::Wrong));
    };
    let of = [b"match code".as_slice(), &attempt.id].concat();
    let until = attempt.created + step.flow.attempt_lifetime();
    // Taken before the comparison, so that of a thousand parallel guesses only five are compared.
    let taken = Early::take(step, of, MOST_TRIES, until).await;
    let taken = taken.map_err(|rejection| Box::new(refusal::answer(step, rejection, None)))?;
    let taken = taken.count();
    if !attempt.match_code.is(typed) {
        return Err(ask_again(CodeProblem::Wrong));
    }
    if let Some(taken) = taken {
        taken.give_back().await;
    }
    Ok(())
}

async fn take_click(
    step: &Step,
    attempt: &Attempt,
    answer: Option<&str>,
) -> Result<(), Box<Response<Bytes>>> {
    let of = [b"declined".as_slice(), &attempt.id].concat();
    let until = attempt.created + step.flow.attempt_lifetime();
    // "No" takes all tries for good. "Yes" takes one and gives it back; if that fails, other tries
    // remain, so the link is not declined.
    let taken = match answer {
        // It is dropped at once, which gives it back, also if the browser has left.
        None => Early::take(step, of, MOST_CLICKS, until).await.map(drop),
        Some(_) => Err(decline(step, attempt, of, until).await),
    };
    match taken {
        Ok(()) => Ok(()),
        Err(rejection) => {
            let rejection = match rejection.kind() {
                RejectionKind::TooManyTries => Rejection::new(RejectionKind::LinkDeclined),
                _ => rejection,
            };
            Err(Box::new(refusal::answer(step, rejection, None)))
        }
    }
}

/// Takes all tries for good, and returns the answer. A request that ends meanwhile does not end
/// that: who closes the tab behind a "no" has said it. What a "yes" that is in flight gives back
/// later is taken then.
async fn decline(step: &Step, attempt: &Attempt, of: Vec<u8>, until: Timestamp) -> Rejection {
    let tries = Tries {
        flow: step.flow.clone(),
        of,
        until,
        now: step.now,
    };
    let (asked, attempt) = (Asked::of(step, attempt), attempt.clone());
    let work = async move {
        let (taken, over) = tries.take_all().await;
        // An earlier "no" that has taken all has been reported.
        if taken > 0 {
            let email = &attempt.email;
            asked.tell_of(&tries.flow, &attempt, &Event::LinkDeclined { email });
        }
        if taken < MOST_CLICKS {
            let again = async move {
                sleep(GIVEN_BACK).await;
                tries.take_all().await;
            };
            tokio::spawn(again.in_current_span());
        }
        over.unwrap_or_else(|| Rejection::new(RejectionKind::LinkDeclined))
    };
    let shut_down = || Rejection::new(RejectionKind::StoreUnavailable);
    apart(work).await.unwrap_or_else(shut_down)
}

/// The tries of a link in other browsers.
struct Tries {
    flow: Arc<Flow>,
    of: Vec<u8>,
    until: Timestamp,
    now: Timestamp,
}

impl Tries {
    /// Takes those that are left. Returns how many that were, and what has ended it before the
    /// last: no more, or an outage.
    async fn take_all(&self) -> (u32, Option<Rejection>) {
        for taken in 0..MOST_CLICKS {
            let Self {
                flow,
                of,
                until,
                now,
            } = self;
            let tried = limits::take_try(flow, of, MOST_CLICKS, *until, *now).await;
            if let Err(over) = tried {
                return (taken, Some(over));
            }
        }
        (MOST_CLICKS, None)
    }
}

/// Returns the path and query of this request as the browser sees them, for the page's form.
fn here(step: &Step) -> String {
    let path = step.path(step.endpoint);
    match step.parts.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}
