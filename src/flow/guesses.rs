//! Limits the guesses at the mailed codes of one address, from all networks together.
//!
//! - NIST SP 800-63B allows at most 100 failures in a row before a verifier stops comparing. The
//!   layer counts what it hands to the provider, right or wrong, over a day: a count that ended
//!   only with a success would let strangers close an address's codes for good.
//! - Only a guess that is about to be compared counts. What is no code, or comes after the five
//!   tries of its mail, uses up nothing of the address.
//! - Strangers can use the guesses up. The link of the same mail still works then, and so does a
//!   code in a browser that has a session of this address.
//! - Match letters are not counted here: they are asked for only by a link, which no stranger has.

use super::{
    attempt::Attempt,
    finish,
    limits::{self, Spent},
    step::Step,
};
use crate::rejection::Rejection;

/// Charges a guess that is about to be compared to its address.
pub(super) async fn limit(step: &Step, attempt: &Attempt) -> Result<Spent, Rejection> {
    let Some(limits) = &step.flow.throttling.limits else {
        return Ok(Spent::default());
    };
    // An outage of the store is no proof of a session.
    if finish::has_session_of(step, attempt).await.unwrap_or(false) {
        return Ok(Spent::default());
    }
    limits::limit_guess(step, &attempt.email, limits.codes_per_address).await
}
