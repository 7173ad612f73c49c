//! The redirect URI, to which the provider's link leads back with a code.
//!
//! 1. The layer calls the provider only if the state opens, is not over, and belongs to this
//!    browser, or if this browser has given the answer of [`elsewhere`]. Otherwise it ignores the
//!    code.
//! 2. Repeated callbacks of one browser within a minute, or parallel ones, share one exchange and
//!    one session.
//! 3. A new exchange is counted, and over the limit it does not begin. Otherwise an attacker with
//!    one state could call the provider without end.
//! 4. A used or expired link still leads to its destination if the browser has signed in with the
//!    same address since the mail was asked for. So does a used one if this browser itself used it
//!    within the last minute (a double click).
//! 5. After a double click or a reload, the refused request may come back first. Before the layer
//!    reports a used link, it waits one second and redirects once, without the code: a parallel
//!    click may have succeeded at any replica, and the browser then has that session.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Response};
use tokio::time::sleep;

use super::{
    attempt::Attempt,
    browser, elsewhere, finish,
    redeem::{self, Proof},
    refusal, sealed,
    step::Step,
};
use crate::{
    answer::redirect,
    provider::AuthorizationCode,
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
    site::endpoint::Endpoint,
};

/// The longest code that is accepted. WorkOS's examples have 26 characters.
const LONGEST_CODE: usize = 512;

/// The provider's error for a link that was used, has expired, or was replaced by a newer one.
const ACCESS_DENIED: &str = "access_denied";

/// How much longer the other of two clicks may take.
const LATER_CLICK: Duration = Duration::from_secs(1);

/// What arrived.
enum Arrival<'q> {
    /// A code, and the state that it belongs to.
    Code { code: &'q str, state: &'q str },
    /// The provider reports an error.
    Error {
        error: &'q str,
        state: Option<&'q str>,
        other_click: OtherClick,
    },
    /// No state: the sign-in began at the provider (an invitation, an impersonation), not here.
    Stray,
}

/// The other of two clicks on one link, which may have signed in already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OtherClick {
    /// The layer has waited for it.
    Awaited,
    /// It may still be under way.
    Possible,
}

/// Finishes a sign-in, on GET or by the POST of another browser's answer.
pub(super) async fn callback(step: &Step) -> Response<Bytes> {
    let query = match step.query() {
        Ok(query) => query,
        Err(kind) => return refusal::refuse(step, kind),
    };
    let arrival = match arrival(&query) {
        Ok(arrival) => arrival,
        Err(kind) => return refusal::refuse(step, kind),
    };
    match arrival {
        Arrival::Stray => redirect(step.flow.shared.gate.login_path(None)),
        Arrival::Error {
            error,
            state,
            other_click,
        } => declined(step, error, state, other_click).await,
        Arrival::Code { code, state } => match arrive(step, code, state).await {
            Ok(response) => response,
            Err(response) => *response,
        },
    }
}

/// Opens the state, and refuses one that is forged or over.
async fn attempt(step: &Step, state: &str) -> Result<Attempt, Box<Response<Bytes>>> {
    let keys = step.flow.shared.gate.tokens.keys();
    let Some(attempt) = Attempt::open(keys, Purpose::State, state, step.reading()) else {
        return Err(Box::new(refusal::refuse(step, RejectionKind::Malformed)));
    };
    let Some(rejection) = sealed::over(step, &attempt) else {
        return Ok(attempt);
    };
    Err(Box::new(finish::too_late(step, &attempt, rejection).await))
}

/// Finishes a sign-in in the browser that began it, or in one that has given the right answer.
async fn arrive(
    step: &Step,
    code: &str,
    state: &str,
) -> Result<Response<Bytes>, Box<Response<Bytes>>> {
    let attempt = Arc::new(attempt(step, state).await?);
    if !browser::may_finish(step, &attempt) {
        // Mail scanners open links by GET and HEAD, so neither goes further in another browser.
        if step.parts.method != Method::POST {
            return Ok(elsewhere::show_elsewhere(step, &attempt, None, None));
        }
        // This request finishes the sign-in itself, so the browser needs no permit for a later one.
        elsewhere::answer_elsewhere(step, &attempt, None).await?;
    }
    let proof = Proof::Link(AuthorizationCode::new(code));
    let visited = redeem::visited(step, &attempt);
    let answered = match redeem::granted(step, proof, visited, &attempt).await {
        Ok(granted) => finish::answer(step, &granted, &attempt).await,
        Err(rejection) => Err(rejection),
    };
    Ok(match answered {
        Ok(response) => response,
        Err(rejection) if rejection.kind() == RejectionKind::LinkUsed => {
            used(step, state, &attempt, OtherClick::Possible).await
        }
        // A person who opens the used link often is signed in all the same.
        Err(rejection)
            if rejection.kind() == RejectionKind::RateLimited
                && matches!(finish::has_signed_in_since(step, &attempt).await, Ok(true)) =>
        {
            finish::on_their_way(step, &attempt)
        }
        Err(rejection) => refusal::answer(step, rejection, Some(&attempt)),
    })
}

/// Answers a used link by the session that it gave, if that exists or comes within a second.
async fn used(
    step: &Step,
    state: &str,
    attempt: &Attempt,
    other_click: OtherClick,
) -> Response<Bytes> {
    match finish::has_signed_in_since(step, attempt).await {
        Ok(true) => return finish::on_their_way(step, attempt),
        Ok(false) => {}
        Err(outage) => return refusal::answer(step, outage, Some(attempt)),
    }
    match redeem::granted_just_now(step, redeem::visited(step, attempt)).await {
        Ok(Some(granted)) => {
            let answered = finish::answer(step, &granted, attempt).await;
            return answered
                .unwrap_or_else(|rejection| refusal::answer(step, rejection, Some(attempt)));
        }
        Ok(None) => {}
        Err(outage) => return refusal::answer(step, outage, Some(attempt)),
    }
    if other_click == OtherClick::Possible && step.parts.method == Method::GET {
        sleep(LATER_CLICK).await;
        return ask_once_more(step, state);
    }
    refusal::answer(step, Rejection::new(RejectionKind::LinkUsed), Some(attempt))
}

async fn declined(
    step: &Step,
    error: &str,
    state: Option<&str>,
    other_click: OtherClick,
) -> Response<Bytes> {
    let kind = match error {
        ACCESS_DENIED => RejectionKind::LinkUsed,
        "organization_invalid" | "profile_not_allowed_outside_organization" => {
            RejectionKind::NotAllowed
        }
        _ => RejectionKind::ProviderDeclined,
    };
    let keys = step.flow.shared.gate.tokens.keys();
    let state = state.unwrap_or_default();
    let attempt = Attempt::open(keys, Purpose::State, state, step.reading());
    // The page for an attempt shows its address, and anybody can bring an error with a state.
    let Some(attempt) = attempt.filter(|attempt| browser::may_finish(step, attempt)) else {
        return refusal::refuse(step, kind);
    };
    if kind == RejectionKind::LinkUsed {
        return used(step, state, &attempt, other_click).await;
    }
    refusal::answer(step, Rejection::new(kind), Some(&attempt))
}

fn ask_once_more(step: &Step, state: &str) -> Response<Bytes> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("error", ACCESS_DENIED)
        .append_pair("state", state)
        .append_pair("waited", "1")
        .finish();
    redirect(format!("{}?{query}", step.path(Endpoint::Callback)))
}

/// Sorts what arrived, and refuses fields that are repeated, empty, too long or contradictory.
fn arrival<'q>(query: &'q super::fields::Fields<'_>) -> Result<Arrival<'q>, RejectionKind> {
    let present = |name| match query.one(name)? {
        Some("") => Err(RejectionKind::Malformed),
        value => Ok(value),
    };
    match (present("code")?, present("error")?, present("state")?) {
        // An answer is a code or an error, never both (RFC 6749, sections 4.1.2 and 4.1.2.1).
        (Some(_), Some(_), _) => Err(RejectionKind::Malformed),
        (Some(code), None, Some(state)) if is_code(code) => Ok(Arrival::Code { code, state }),
        (Some(_), None, Some(_)) | (None, None, Some(_)) => Err(RejectionKind::Malformed),
        (None, Some(error), state) => Ok(Arrival::Error {
            error,
            state,
            other_click: match present("waited")? {
                Some(_) => OtherClick::Awaited,
                None => OtherClick::Possible,
            },
        }),
        (_, None, None) => Ok(Arrival::Stray),
    }
}

/// Says whether a text could be a code that leads back.
pub(super) fn is_code(code: &str) -> bool {
    code.len() <= LONGEST_CODE && code.bytes().all(|b| b.is_ascii_graphic())
}
