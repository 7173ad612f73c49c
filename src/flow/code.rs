//! A six-digit code from the mail, typed in the browser where the sign-in began.
//!
//! - Only the browser that began can use it: the layer needs that browser's cookie and the sealed
//!   attempt of its check page.
//! - Each mail allows five tries, counted by its attempt's random id, and the provider counts its
//!   own. A text that cannot be a code costs no try.
//! - All networks together have few guesses at one address, as [`guesses`] says.
//! - A double click redeems the code only once, and a request that is called off before its code
//!   is compared costs no try.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::{
    CODE_LIFETIME,
    attempt::Attempt,
    browser, check,
    exchange::State,
    finish, guesses,
    limits::{self, Early},
    redeem::{self, Proof},
    refusal, sealed,
    step::Step,
    typed::{in_ascii, letters_and_digits},
};
use crate::{
    answer::redirect,
    page::{CodeProblem, Sent},
    provider::{OneTimeCode, attempt::Newest},
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
    site::endpoint::Endpoint,
};

/// How many wrong codes a mail allows. Five tries succeed once in 200,000 mails.
const MOST_TRIES: u32 = 5;
/// WorkOS's codes have six digits (Magic Auth reference).
const DIGITS: usize = 6;

/// Signs in by a code, on POST.
pub(super) async fn code(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_query(step, Purpose::Check) {
        Ok(Some(attempt)) => Arc::new(attempt),
        Ok(None) => return redirect(step.flow.shared.gate.login_path(None)),
        Err(kind) => return refusal::refuse(step, kind),
    };
    match take_code(step, &attempt).await {
        Ok(response) | Err(Wrong::Answer(response)) => response,
        Err(Wrong::Code(problem)) => check::check_page(step, &attempt, Some(problem)),
        Err(Wrong::Refused(rejection)) => {
            let is_ours = browser::is_ours(step, &attempt);
            refusal::answer(step, rejection, Some(&*attempt).filter(|_| is_ours))
        }
    }
}

/// Redirects a GET, such as a reopened tab, to the check page, which has the field. It tries
/// nothing, and chooses nothing.
pub(super) fn back_to_check(step: &Step) -> Response<Bytes> {
    let opened = sealed::attempt_in_query(step, Purpose::Check);
    match opened.and_then(|opened| Ok(opened.and(step.query()?.one("t")?.map(str::to_owned)))) {
        // Only the field that was opened goes into the redirect, nothing else of the query.
        Ok(Some(sealed)) => redirect(format!("{}?t={sealed}", step.path(Endpoint::Check))),
        Ok(None) => redirect(step.flow.shared.gate.login_path(None)),
        Err(kind) => refusal::refuse(step, kind),
    }
}

async fn take_code(step: &Step, attempt: &Arc<Attempt>) -> Result<Response<Bytes>, Wrong> {
    if let Some(rejection) = sealed::over(step, attempt) {
        return Ok(finish::too_late(step, attempt, rejection).await);
    }
    if !browser::is_ours(step, attempt) {
        return Err(Rejection::new(RejectionKind::AnotherBrowser).into());
    }
    // No code was mailed, so every code would be a guess.
    if attempt.sent == Sent::Link {
        return Err(Rejection::new(RejectionKind::Malformed).into());
    }
    let form = super::fields::Fields::of_form(&step.form);
    let typed = form.one("code").map_err(Rejection::new);
    let code = typed.map(|typed| digits(typed.unwrap_or_default()));
    let guessed = matches!(code, Ok(Ok(_))).then_some(&attempt.email);
    let spent = limits::limit_code_entry(step, guessed).await?;
    let code = code??;
    // The attempt's name, because its sealed form differs in each tab.
    let state = State::of([&attempt.name()]);
    let proof = Proof::Code(OneTimeCode::new(code));
    let exchanges = &step.flow.exchanges;
    let key = state.key(&proof.expose());
    // The same code again joins its exchange, so a double click costs no second try.
    let taken = match exchanges.knows(&key, step.now) {
        true => None,
        false => {
            let of = [b"mailed code".as_slice(), &attempt.id].concat();
            let until = attempt.created + step.flow.attempt_lifetime().max(CODE_LIFETIME);
            let taken = Early::take(step, of, MOST_TRIES, until).await?;
            match guesses::limit(step, attempt).await {
                Ok(guess) => Some((taken.count(), guess)),
                Err(rejection) => {
                    if let Some(taken) = taken.count() {
                        taken.give_back().await;
                    }
                    return Err(rejection.into());
                }
            }
        }
    };
    let answered = match redeem::granted(step, proof, state, attempt).await {
        Ok(granted) => finish::answer(step, &granted, attempt).await,
        Err(rejection) => Err(rejection),
    };
    let rejection = match answered {
        Ok(response) => {
            if let Some((Some(taken), _)) = taken {
                taken.give_back().await;
            }
            return Ok(response);
        }
        Err(rejection) => rejection,
    };
    // The way on is the page of the newer mail, whichever mail the code is of.
    let is_replaced = browser::newest(step, attempt) == Newest::Replaced;
    let unless_replaced = |problem| {
        Wrong::Code(match is_replaced {
            true => CodeProblem::Replaced,
            false => problem,
        })
    };
    Err(match rejection.kind() {
        RejectionKind::CodeExpired => unless_replaced(CodeProblem::Expired),
        RejectionKind::CodeUsed => match finish::has_signed_in_since(step, attempt).await {
            Ok(true) => Wrong::Answer(finish::on_their_way(step, attempt)),
            Ok(false) => Wrong::Code(CodeProblem::Used),
            Err(outage) => Wrong::Refused(outage),
        },
        // Only an address that was mailed a code can have spent it at the provider, and the page
        // must not reveal which addresses those are. The layer's count ends the tries.
        RejectionKind::CodeWrong | RejectionKind::TooManyTries => {
            unless_replaced(CodeProblem::Wrong)
        }
        // Of two providers one has compared the code, so that it was a guess. If the other one is
        // away, most codes are of the one that is there.
        RejectionKind::ProviderUnavailable if rejection.has_compared() => {
            unless_replaced(CodeProblem::Wrong)
        }
        _ if rejection.has_compared() => Wrong::Refused(rejection),
        // The exchange goes on. The same code joins it, and that costs no second try.
        _ if exchanges.knows(&key, step.now) => Wrong::Refused(rejection),
        // The provider has not said whether the code was right.
        _ => {
            if let Some((taken, guess)) = taken {
                if let Some(taken) = taken {
                    taken.give_back().await;
                }
                // If the answer was lost, the provider may have compared the guess.
                if rejection.kind().is_temporary() {
                    guess.give_back(&step.flow).await;
                }
            }
            if refusal::is_an_outage(&rejection) {
                spent.give_back(&step.flow).await;
            }
            Wrong::Refused(rejection)
        }
    })
}

/// The reasons why a code did not sign in.
enum Wrong {
    Answer(Response<Bytes>),
    Code(CodeProblem),
    Refused(Rejection),
}

impl From<Rejection> for Wrong {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection)
    }
}

impl From<CodeProblem> for Wrong {
    fn from(problem: CodeProblem) -> Self {
        Self::Code(problem)
    }
}

/// Reads six digits of any script, whatever stands between and around them, except letters and
/// other digits.
fn digits(typed: &str) -> Result<String, CodeProblem> {
    let code: String = letters_and_digits(typed).map(in_ascii).collect();
    if code.is_empty() {
        return Err(CodeProblem::Missing);
    }
    Some(code)
        .filter(|code| is_code(code))
        .ok_or(CodeProblem::Wrong)
}

/// Says whether a text has the form of a code.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_a_code_and_anything_else_costs_no_try() {
        let cases = [
            ("012345", Ok("012345")),
            (" 012 345 ", Ok("012345")),
            ("012-345", Ok("012345")),
            ("", Err(CodeProblem::Missing)),
            (" - ", Err(CodeProblem::Missing)),
            ("01234", Err(CodeProblem::Wrong)),
            ("0123456", Err(CodeProblem::Wrong)),
            ("01234x", Err(CodeProblem::Wrong)),
            ("BKQ-TMR", Err(CodeProblem::Wrong)),
            ("٠١٢٣٤٥", Ok("012345")),
            ("٦٧٨ ٩٠١", Ok("678901")),
            ("۰۱۲۳۴۵", Ok("012345")),
            ("۶۷۸۹۰1", Ok("678901")),
            ("०१२३४५", Ok("012345")),
            ("٠١٢٣٤", Err(CodeProblem::Wrong)),
            ("٠١٢٣٤ع", Err(CodeProblem::Wrong)),
            ("一二三四五六", Err(CodeProblem::Wrong)),
            ("０１２３４５", Ok("012345")),
            ("０１２－３４５。", Ok("012345")),
            ("012–345", Ok("012345")),
            ("012—345", Ok("012345")),
            ("012−345", Ok("012345")),
            ("\u{feff}012\u{200b}345\u{200e}", Ok("012345")),
            ("\u{202d}012345\u{202c}", Ok("012345")),
            ("“012345”.", Ok("012345")),
            ("#012345", Ok("012345")),
            ("⓪①②③④⑤", Ok("012345")),
            ("\u{200b}.", Err(CodeProblem::Missing)),
            ("012345 is", Err(CodeProblem::Wrong)),
        ];
        for (typed, want) in cases {
            assert_eq!(digits(typed), want.map(str::to_owned), "{typed:?}");
        }
    }
}
