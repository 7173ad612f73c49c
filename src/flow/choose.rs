//! Takes the choice of an organization, between the proof and the session.
//!
//! - A choice is made once, and cancelling it makes it too. A double click shares one exchange.
//! - What passes by itself, or is true of one organization alone, costs nothing: the same page asks
//!   again.
//! - A session begins when the proof was given, so that a revocation since then ends it.

use bytes::Bytes;
use http::Response;

use super::{
    attempt::Attempt,
    browser,
    choice::Choice,
    exchange,
    fields::Fields,
    finish, limits,
    redeem::{self, Proof},
    refusal, sealed,
    step::Step,
};
use crate::{
    answer::redirect,
    provider::PendingToken,
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
    site::endpoint::Endpoint,
};

/// Takes the choice, on POST.
pub(super) async fn choose(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_query(step, Purpose::Check) {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return redirect(&step.flow.shared.gate.login_path(None)),
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
    if browser::browser(step) != Some(choice.browser) {
        return refusal::refuse(step, RejectionKind::AnotherBrowser);
    }
    let refuse = |kind| refusal::answer(step, Rejection::new(kind), Some(&attempt));
    if let Some(kind) = choice.over(step) {
        return refuse(kind);
    }
    if !answer.is_empty() {
        return match take(&choice, step).await {
            Ok(_spent) => refuse(RejectionKind::ChoiceCancelled),
            Err(rejection) => refusal::answer(step, rejection, Some(&attempt)),
        };
    }
    if !choice.organizations.iter().any(|(id, _)| id == chosen) {
        return refuse(RejectionKind::Malformed);
    }
    match redeem(&choice, step, &attempt, chosen).await {
        Ok(response) => response,
        Err(rejection) => {
            let can_choose_again = rejection.kind().is_temporary()
                || rejection.kind() == RejectionKind::StepUpRequired;
            if !can_choose_again || !step.head().wants_page() {
                return refusal::answer(step, rejection, Some(&attempt));
            }
            let query = step.query();
            let query = query.as_ref().map(|query| query.one("t"));
            let Ok(Ok(Some(opened))) = query else {
                return refusal::answer(step, rejection, Some(&attempt));
            };
            let action = format!("{}?t={opened}", step.path(Endpoint::Choose));
            choice.page(step, &attempt, (&action, sealed), Some(rejection))
        }
    }
}

/// Takes the one time that the choice can be made.
async fn take<'s>(choice: &Choice, step: &'s Step) -> Result<limits::Try<'s>, Rejection> {
    let of = [b"choice".as_slice(), choice.pending.as_bytes()].concat();
    let taken = limits::take_try(step, &of, 1, choice.ends(step)).await;
    taken.map_err(|rejection| match rejection.kind() {
        RejectionKind::TooManyTries => Rejection::new(RejectionKind::ChoiceExpired),
        _ => rejection,
    })
}

/// Finishes the sign-in in the organization, once.
async fn redeem(
    choice: &Choice,
    step: &Step,
    attempt: &Attempt,
    organization: &str,
) -> Result<Response<Bytes>, Rejection> {
    let state = attempt.name();
    let proof = Proof::Choice {
        pending: PendingToken::new(&choice.pending),
        organization: organization.to_owned(),
        at: choice.at(step),
        client: step.client(),
        user_agent: step.user_agent(),
    };
    let key = exchange::key(&state, &proof.expose());
    let exchanges = &step.flow.exchanges;
    let is_known = exchanges.knows(&key, step.now) || exchanges.proven(&key, step.now).is_some();
    // The same choice again joins its exchange, and what was chosen is kept if the application's
    // rule failed after it: a double click, or another try, is one choice.
    if is_known {
        let granted = redeem::granted(step, proof, &state, attempt).await?;
        return Ok(finish::answer(step, &granted, attempt).await);
    }
    let taken = match take(choice, step).await {
        Ok(taken) => taken,
        Err(spent) if spent.kind() == RejectionKind::ChoiceExpired => {
            // The answer to the first choice may not have reached the browser. Of another choice it
            // would be a session in an organization that nobody has chosen.
            let session = step.live_session().await?.filter(|session| {
                session.email() == attempt.email.as_str()
                    && session.organization() == Some(organization)
            });
            return match session {
                Some(_) => Ok(finish::on_their_way(step, attempt)),
                None => Err(spent),
            };
        }
        Err(rejection) => return Err(rejection),
    };
    match redeem::granted(step, proof, &state, attempt).await {
        Ok(granted) => Ok(finish::answer(step, &granted, attempt).await),
        // The exchange goes on. The same choice joins it, and no other one can be made meanwhile.
        Err(rejection) if exchanges.knows(&key, step.now) => Err(rejection),
        Err(rejection) => {
            // Only what the provider has redeemed is spent, and it knows that by itself.
            taken.give_back().await;
            Err(rejection)
        }
    }
}
