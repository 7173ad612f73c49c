//! Takes the choice of an organization, between the proof and the session.
//!
//! - A choice is made once. A double click shares one exchange.
//! - Cancelling ends the choice, and what was proven for it is forgotten. A choice that has signed
//!   the browser in can no longer be cancelled.
//! - What passes by itself, or is true of one organization alone, costs nothing: the same page asks
//!   again.
//! - A session begins when the proof was given, so that a revocation since then ends it.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Response;

use super::{
    attempt::Attempt,
    browser,
    choice::Choice,
    exchange::{Granted, State},
    fields::Fields,
    finish,
    limits::{Try, within},
    redeem::{self, Offered, Proof},
    refusal, sealed,
    step::Step,
};
use crate::{
    answer::redirect,
    event::EndedBy,
    provider::PendingToken,
    rejection::{Left, Rejection, RejectionKind},
    session::seal::Purpose,
    shared::Extent,
    site::endpoint::Endpoint,
};

/// How long an exchange takes from the end of a choice to its session.
const LAST_STEP: Duration = Duration::from_secs(2);

/// Takes the choice, on POST.
pub(super) async fn choose(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_query(step, Purpose::Check) {
        Ok(Some(attempt)) => Arc::new(attempt),
        Ok(None) => return redirect(step.flow.shared.gate.login_path(None)),
        Err(kind) => return refusal::refuse(step, kind),
    };
    let form = Fields::of_form(&step.form);
    let one = |name| form.one(name).map(Option::unwrap_or_default);
    let (sealed, chosen, answer) = match (one("choice"), one("organization"), one("answer")) {
        (Ok(sealed), Ok(chosen), Ok(answer)) => (sealed, chosen, answer),
        (Err(kind), ..) | (_, Err(kind), _) | (.., Err(kind)) => {
            return refusal::refuse(step, kind);
        }
    };
    let choice = match Choice::open(step, sealed) {
        Some(choice) if choice.attempt == attempt.name() => choice,
        // Without the attempt, whose address another browser must not see.
        _ => return refusal::refuse(step, RejectionKind::Malformed),
    };
    if !browser::is_of(step, choice.browser) {
        return refusal::refuse(step, RejectionKind::AnotherBrowser);
    }
    let answered = match answer {
        "" => redeem(&choice, step, &attempt, chosen).await,
        _ => cancel(&choice, step, &attempt).await,
    };
    match answered {
        Ok(response) => response,
        Err(rejection) => ask_again(choice, step, &attempt, (sealed, chosen), rejection),
    }
}

/// Asks again, if what was refused passes by itself or leaves other organizations to choose.
fn ask_again(
    mut choice: Choice,
    step: &Step,
    attempt: &Attempt,
    (sealed, chosen): (&str, &str),
    rejection: Rejection,
) -> Response<Bytes> {
    let mut sealed = Some(sealed.to_owned());
    let rejection = match rejection.kind() {
        RejectionKind::OrganizationNotAllowed => {
            let state = State::of([&attempt.name()]);
            let key = state.key(&proof(&choice, step, chosen).expose());
            let is_spent = step.flow.exchanges.proven(&key, step.now).is_some();
            let name = choice.leave_out(chosen).unwrap_or_default();
            sealed = choice.seal(step).filter(|_| !is_spent && choice.has_any());
            let left = match (&sealed, is_spent) {
                (Some(_), _) => Left::Others,
                (None, true) => Left::Spent,
                (None, false) => Left::Nothing,
            };
            rejection.with_organization(name, left)
        }
        RejectionKind::StepUpRequired => rejection,
        kind if kind.is_temporary() => rejection,
        _ => return refusal::answer(step, rejection, Some(attempt)),
    };
    let query = step.query();
    let opened = query.as_ref().ok().and_then(|query| query.one("t").ok()?);
    match (sealed, opened) {
        (Some(sealed), Some(opened)) if step.head().wants_page() => {
            let action = format!("{}?t={opened}", step.path(Endpoint::Choose));
            choice.page(step, attempt, (&action, &sealed), Some(rejection))
        }
        _ => refusal::answer(step, rejection, Some(attempt)),
    }
}

/// Finishes the sign-in in the organization, once.
async fn redeem(
    choice: &Choice,
    step: &Step,
    attempt: &Arc<Attempt>,
    organization: &str,
) -> Result<Response<Bytes>, Rejection> {
    if !choice
        .organizations
        .iter()
        .any(|(id, _)| id == organization)
    {
        return Err(Rejection::new(RejectionKind::Malformed));
    }
    let proof = proof(choice, step, organization);
    let answered = match choice.over(step) {
        None => match redeem::granted(step, proof, State::of([&attempt.name()]), attempt).await {
            Ok(granted) => finish::answer(step, &granted, attempt).await,
            Err(rejection) => Err(rejection),
        },
        Some(kind) => Err(Rejection::new(kind)),
    };
    let spent = match answered {
        Ok(response) => return Ok(response),
        Err(rejection) if rejection.kind() == RejectionKind::ChoiceExpired => rejection,
        Err(rejection) => return Err(rejection),
    };
    // The answer to the first choice may not have reached the browser. Of another choice it would
    // be a session in an organization that nobody has chosen, and one from before the mail is none
    // that the choice gave.
    let session = step.live_session().await?.filter(|session| {
        finish::is_since(step, attempt, session)
            && session.provider_organization() == Some(organization)
    });
    match session {
        Some(_) => Ok(finish::on_their_way(step, attempt)),
        None => Err(spent),
    }
}

/// Ends the choice without a session. If it has ended with one, the browser that has that session
/// is led on by it, and a session that the browser never got ends.
async fn cancel(
    choice: &Choice,
    step: &Step,
    attempt: &Attempt,
) -> Result<Response<Bytes>, Rejection> {
    if choice.over(step) == Some(RejectionKind::ClockWrong) {
        return Err(Rejection::new(RejectionKind::ClockWrong));
    }
    let pending = PendingToken::new(&choice.pending);
    let offered = Offered {
        pending: &pending,
        until: choice.ends(step),
    };
    // Both stay taken: from now on no exchange makes a session of the choice, and none asks WorkOS.
    let has_ended_before = is_spent(offered.end(&step.flow, step.now).await)?;
    is_spent(offered.take_try(&step.flow, step.now).await)?;
    let live = step.live_session().await?;
    let has_chosen = live.as_ref().is_some_and(|session| {
        session.email() == attempt.email.as_str() && choice.may_have_begun(session)
    });
    if has_chosen {
        return Ok(finish::on_their_way(step, attempt));
    }
    // An exchange that has ended the choice before is about to make the session, if it has not.
    let wait = match has_ended_before {
        true => LAST_STEP,
        false => Duration::ZERO,
    };
    let (exchanges, shared) = (&step.flow.exchanges, &step.flow.shared);
    let state = State::of([&attempt.name()]);
    for (organization, _) in &choice.organizations {
        let key = state.key(&proof(choice, step, organization).expose());
        exchanges.forget_proven(key);
        let Some(exchange) = exchanges.forget(key, step.now) else {
            continue;
        };
        let granted = within(wait, pin!(exchange)).await.flatten();
        if let Some(Granted::Session(issued, _)) = granted.as_deref() {
            // If the store fails, an event reports it. The browser has no cookie of that session.
            let _ = shared
                .revoke(
                    issued.session(),
                    (Extent::This, EndedBy::Owner),
                    step.context_of(attempt),
                    step.now,
                )
                .await;
        }
    }
    Err(Rejection::new(RejectionKind::ChoiceCancelled))
}

/// Says whether what can be taken once was taken before.
fn is_spent(taken: Result<Try, Rejection>) -> Result<bool, Rejection> {
    match taken {
        Ok(_) => Ok(false),
        Err(rejection) if rejection.kind() == RejectionKind::ChoiceExpired => Ok(true),
        Err(rejection) => Err(rejection),
    }
}

fn proof(choice: &Choice, step: &Step, organization: &str) -> Proof {
    Proof::Choice {
        pending: PendingToken::new(&choice.pending),
        organization: organization.to_owned(),
        at: choice.at(step),
        until: choice.ends(step),
    }
}
