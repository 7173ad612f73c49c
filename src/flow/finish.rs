//! The end of a sign-in: gives the browser its session, and redirects it.
//!
//! - The browser's former session ends, which prevents session fixation. An old form, link or code
//!   that comes again within its minute yields the session of then. If that has ended, it does not
//!   replace another one.
//! - A used or expired link still leads to its destination if the browser has signed in with the
//!   same address since the mail was asked for.
//! - If the browser kept a fragment, a page leads there. Otherwise a redirect does.

use bytes::Bytes;
use http::{Response, StatusCode, header, request::Parts};

use super::{
    arrival,
    attempt::{Attempt, LEEWAY},
    browser, choice,
    exchange::{Granted, Kind},
    known, refusal, sealed,
    step::Step,
};
use crate::{
    answer::redirect,
    event::EndedBy,
    page::{OnwardPage, Page},
    rejection::{Rejection, RejectionKind},
    request::head::Found,
    revocation::{Lookup, Standing},
    session::{Issued, Session, cookie::CookieName},
    shared::Extent,
    site::endpoint::Endpoint,
};

/// Answers with what an exchange has yielded: a session, or the question which organization it is.
pub(super) async fn answer(
    step: &Step,
    granted: &Granted,
    attempt: &Attempt,
) -> Result<Response<Bytes>, Rejection> {
    match granted {
        Granted::Choice(offer) => Ok(choice::ask(step, attempt, offer)),
        Granted::Session(issued, kind) => sign_in(step, (issued, *kind), attempt).await,
    }
}

/// Gives the session to the browser, and redirects it to its destination.
async fn sign_in(
    step: &Step,
    (granted, kind): (&Issued, Kind),
    attempt: &Attempt,
) -> Result<Response<Bytes>, Rejection> {
    let (shared, gate) = (&step.flow.shared, &step.flow.shared.gate);
    let previous = gate.session_in_cookie(&step.head(), step.reading()).ok();
    if let Some(previous) = previous.filter(|previous| previous.id() != granted.session().id()) {
        // Only now: without another session there is nothing to lose.
        if !shared.revocations.is_active(granted.session()).await? {
            return Err(Rejection::new(spent(step.endpoint)));
        }
        // If a session outlived a new sign-in, a stolen token of it would still work
        // (GHSA-f24x-5g9q-753f). If the store fails, an event reports it, and the sign-in
        // continues. The other half of a double click may have ended it.
        let known = shared.revocations.look_up(&previous);
        if !matches!(known, Lookup::Settled(Ok(Standing::Revoked))) {
            let by = (Extent::This, EndedBy::SignIn);
            let context = step.context_of(attempt);
            let _ = shared.revoke(&previous, by, context, step.now).await;
        }
    } else if kind == Kind::OfAttempt {
        // The attempt has no other session, so a proof whose session has ended is used. If the
        // store does not answer, the gate asks again.
        let is_active = shared.revocations.is_active(granted.session()).await;
        if matches!(is_active, Ok(false)) {
            return Err(Rejection::new(spent(step.endpoint)));
        }
    }
    let Parts {
        headers,
        extensions,
        ..
    } = &step.parts;
    let shared = &step.flow.shared;
    shared.note(granted.session(), headers, extensions, step.now);
    let mut response = on_their_way(step, attempt);
    let token = granted.token().expose();
    let cookie = gate.session_cookie(granted.session(), token, step.now);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    gate.forget_former(&step.head(), response.headers_mut());
    arrival::record(step, granted.session(), &mut response);
    browser::begin_round(step, granted.session().id(), &mut response);
    known::record(step, granted.session(), &attempt.email, &mut response);
    if step.head().cookie(gate.cookies.name(CookieName::Permit)) != Found::Nothing {
        let removal = gate.cookies.removal_of(CookieName::Permit);
        response.headers_mut().append(header::SET_COOKIE, removal);
    }
    Ok(response)
}

/// Returns what a proof is called whose session has ended.
const fn spent(endpoint: Endpoint) -> RejectionKind {
    match endpoint {
        Endpoint::Choose => RejectionKind::ChoiceExpired,
        Endpoint::Code => RejectionKind::CodeUsed,
        _ => RejectionKind::LinkUsed,
    }
}

/// Says whether the browser is signed in with the attempt's address. An outage of the store is no
/// "no": the link may have given a session that is good.
pub(super) async fn has_session_of(step: &Step, attempt: &Attempt) -> Result<bool, Rejection> {
    let session = step.live_session().await?;
    // Another person's session must not pass for this sign-in.
    Ok(session.is_some_and(|session| session.email() == attempt.email.as_str()))
}

/// Says whether the browser has signed in with the attempt's address since the attempt began. A
/// session from before is nothing that its mail gave: where a recent sign-in is wanted, it would
/// lead the person round in a circle.
pub(super) async fn has_signed_in_since(step: &Step, attempt: &Attempt) -> Result<bool, Rejection> {
    let session = step.live_session().await?;
    Ok(session.is_some_and(|session| is_since(step, attempt, &session)))
}

/// Says whether a session is of the attempt's address and began after the attempt.
pub(super) fn is_since(step: &Step, attempt: &Attempt, session: &Session) -> bool {
    let date = session.auth_time();
    let steady = date + step.reading().counted(date, session.auth_skew());
    // By the dates, too: where this replica's clock was set back, its time counts its own dates
    // otherwise than those of the others, and a good session counts for more than a circle.
    let is_since = date + LEEWAY >= attempt.dated || steady + LEEWAY >= attempt.created;
    is_since && session.email() == attempt.email.as_str()
}

/// Answers what came too late. The browser that began goes on if it has signed in with the address
/// since, as after a used link.
pub(super) async fn too_late(step: &Step, attempt: &Attempt, late: Rejection) -> Response<Bytes> {
    // The page shows the address, so only the browser that began gets the attempt.
    let ours = Some(attempt).filter(|attempt| browser::is_ours(step, attempt));
    // An outage of the store does not matter: a new mail is the way on.
    if ours.is_some() && matches!(has_signed_in_since(step, attempt).await, Ok(true)) {
        return on_their_way(step, attempt);
    }
    refusal::answer(step, late, ours)
}

pub(super) fn on_their_way(step: &Step, attempt: &Attempt) -> Response<Bytes> {
    let to = sealed::return_to_of(step, attempt).unwrap_or_default();
    if !attempt.keeps_fragment {
        return redirect(to.as_str());
    }
    let page = Page::Onward(OnwardPage::new(to.as_str())).with_words(step.words());
    step.flow.shared.page(StatusCode::OK, &page)
}
