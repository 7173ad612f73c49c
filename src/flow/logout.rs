//! Signing out: here, or everywhere.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderName, Response, StatusCode};

use super::{apart::apart, asked::Asked, fields::Fields, refusal, step::Step};
use crate::{
    answer::redirect,
    event::EndedBy,
    page::{ConfirmPage, Confirmation, Page, SignedOutPage},
    rejection::{Rejection, RejectionKind},
    revocation::Standing,
    session::Session,
    shared::Extent,
    site::endpoint::Endpoint,
};

/// How long a program waits before it signs out once more.
const AGAIN: Duration = Duration::from_secs(5);

/// W3C, Clear Site Data.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Shows a sign-out button, or a page that says that nobody is signed in. A GET ends nothing.
///
/// If too many session cookies came, or two credentials that differ, it redirects to the form.
pub(super) async fn ask(step: &Step) -> Response<Bytes> {
    let gate = &step.flow.shared.gate;
    let (logout, login) = (step.path(Endpoint::Logout), gate.login_path(None));
    let sessions = gate.own_sessions_to_end(&step.head(), step.reading());
    let is_over = has_ended(step).await;
    let page = match sessions.as_ref().map(|sessions| sessions.first()) {
        Ok(Some(session)) if !is_over => {
            let email = session.email();
            Page::Confirm(ConfirmPage::new(&logout, Confirmation::SignOut { email }))
        }
        // One of them may be good, and then "You're signed out" is untrue.
        Err(RejectionKind::ConflictingCookies | RejectionKind::ConflictingCredentials) => {
            return redirect(login);
        }
        Ok(_) | Err(_) => Page::SignedOut(SignedOutPage::new(&login)),
    };
    let page = page.with_words(step.words());
    step.flow.shared.page(StatusCode::OK, &page)
}

/// Says whether the session of the cookie was ended elsewhere. An outage is no reason to say so:
/// the button works either way.
async fn has_ended(step: &Step) -> bool {
    let gate = &step.flow.shared.gate;
    match gate.session_in_cookie(&step.head(), step.reading()) {
        Ok(session) => {
            let is_active = step.flow.shared.revocations.is_active(&session).await;
            matches!(is_active, Ok(false))
        }
        Err(_) => false,
    }
}

/// Ends the session on POST, and removes the cookie.
///
/// With `everywhere` it ends all sessions of the person. Without a session that says who that is,
/// it ends none, and says so. If several session cookies came, every valid one counts. If one that
/// is good may be left, the answer is [`RejectionKind::SignOutNotRecorded`].
pub(super) async fn end(step: &Step) -> Response<Bytes> {
    let gate = &step.flow.shared.gate;
    let form = Fields::of_form(&step.form);
    let extent = match form.one("everywhere") {
        Ok(Some(_)) => Extent::Everywhere,
        Ok(None) => Extent::This,
        Err(kind) => return refusal::refuse(step, kind),
    };
    let own = gate.own_sessions_to_end(&step.head(), step.reading());
    let came = own.as_ref().map_or(0, Vec::len);
    let sessions = match extent {
        // The order would be dated with the session, and end what begins until then.
        Extent::Everywhere => gate.sessions_to_end(&step.head(), step.reading()),
        Extent::This => own,
    };
    // By one that is dated ahead, nothing ends everywhere. It is good where the clock is right.
    let is_one_ahead = sessions.as_ref().map_or(0, Vec::len) < came;
    let trouble = match sessions {
        // Nothing says whose sessions. "You're signed out" would be true of this browser alone.
        Ok(sessions) if sessions.is_empty() && extent == Extent::Everywhere => {
            Some(RejectionKind::NoSession)
        }
        Ok(sessions) => end_sessions(step, sessions, extent).await,
        // Nothing says which of the two sessions was meant.
        Err(kind @ RejectionKind::ConflictingCredentials) => return refusal::refuse(step, kind),
        // A bearer token came with them. Nothing has ended, and nothing is removed.
        Err(kind @ RejectionKind::ConflictingCookies) if gate.is_bearer(&step.head()) => Some(kind),
        // There were too many cookies. Nothing has ended, and ours is removed.
        Err(RejectionKind::ConflictingCookies) => Some(RejectionKind::SignOutNotRecorded),
        Err(kind) if extent == Extent::Everywhere => Some(kind),
        Err(_) => None,
    };
    let trouble = match is_one_ahead {
        true => Some(RejectionKind::SignOutNotRecorded),
        false => trouble,
    };
    let mut response = match trouble {
        // A program still has its token: another try ends the session that this one did not. By
        // then the session may have ended here, and then it orders the end of no other.
        Some(kind) if gate.is_bearer(&step.head()) => {
            let is_of_use = extent == Extent::This && kind == RejectionKind::SignOutNotRecorded;
            let again = is_of_use.then_some(AGAIN);
            let rejection = Rejection::new(kind).with_retry_after(again);
            refusal::answer(step, rejection, None)
        }
        Some(kind) => refusal::refuse(step, kind),
        // By GET to the page that says so: a reload then posts nothing again.
        None => redirect(step.path(Endpoint::Logout)),
    };
    // A bearer token comes from a program, which keeps no cookies to remove.
    if !gate.is_bearer(&step.head()) {
        gate.forget(&step.head(), response.headers_mut());
        if let Some(cleared) = &step.flow.clear_site_data {
            let headers = response.headers_mut();
            headers.insert(CLEAR_SITE_DATA, cleared.clone());
        }
    }
    response
}

/// Ends sessions. Returns why the person may not be signed out.
async fn end_sessions(
    step: &Step,
    mut sessions: Vec<Session>,
    extent: Extent,
) -> Option<RejectionKind> {
    if extent == Extent::Everywhere {
        sessions = living(step, sessions).await;
        if sessions.is_empty() {
            return Some(RejectionKind::NoSession);
        }
    }
    let (flow, now, asked) = (step.flow.clone(), step.now, Asked::of_request(step));
    // A browser that leaves has pressed all the same, and what becomes of it is reported.
    let is_recorded = apart(async move {
        let ends = sessions.iter().map(|session| {
            let (by, context) = ((extent, EndedBy::Owner), asked.context(&flow));
            flow.shared.revoke(session, by, context, now)
        });
        // All of them, even if one fails: the others end all the same.
        join_all(ends).await.iter().all(Result::is_ok)
    });
    let is_recorded = is_recorded.await.unwrap_or_default();
    (!is_recorded).then_some(RejectionKind::SignOutNotRecorded)
}

/// Leaves out the sessions that have ended. They order the end of no other: by a stolen token of
/// one, its person could be signed out again and again.
///
/// If the store does not say, the order is given, and meets the same outage.
async fn living(step: &Step, sessions: Vec<Session>) -> Vec<Session> {
    let revocations = &step.flow.shared.revocations;
    let standings = sessions.iter().map(|session| revocations.standing(session));
    let standings = join_all(standings).await;
    let with_standings = sessions.into_iter().zip(standings);
    let living = with_standings.filter(|(_, standing)| !matches!(standing, Ok(Standing::Revoked)));
    living.map(|(session, _)| session).collect()
}
