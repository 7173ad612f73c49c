//! Seals attempts into a link, a `state` or a page's address, and opens them again.

use super::{
    attempt::{Attempt, LONGEST, LONGEST_MAILED},
    browser, copied,
    settings::Flow,
    step::Step,
};
use crate::{
    page::Sent,
    rejection::{Rejection, RejectionKind},
    session::{
        cookie::CookieName,
        seal::{NONCE, Purpose},
    },
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

/// The longest provider's link for which the layer reserves room. WorkOS's links have 71
/// characters.
const LONGEST_LINK: usize = 200;

/// The earlier attempt, if another mail was asked for.
pub(super) struct Before {
    pub(super) attempt: Attempt,
    pub(super) sealed: String,
}

/// Opens the attempt in the query's `t`, or returns `None` if none was sealed for this purpose.
pub(super) fn attempt_in_query(
    step: &Step,
    purpose: Purpose,
) -> Result<Option<Attempt>, RejectionKind> {
    let query = step.query()?;
    let sealed = query.one("t")?.unwrap_or_default();
    let keys = step.flow.shared.gate.tokens.keys();
    Ok(Attempt::open(keys, purpose, sealed, step.reading()))
}

/// Opens the attempt in the link that we mailed, even if mail or copying has changed what is around
/// the sealed text.
pub(super) fn attempt_in_link(step: &Step) -> Result<Option<Attempt>, RejectionKind> {
    let query = step.query()?;
    let text = query.one("t")?.unwrap_or_default();
    let keys = step.flow.shared.gate.tokens.keys();
    let open = |sealed: &str| Attempt::open(keys, Purpose::Open, sealed, step.reading());
    Ok(copied::readings(text).find_map(|sealed| open(&sealed)))
}

/// Returns the destination of an attempt: its tail, or that of a cookie if it was too long.
pub(super) fn return_to_of(step: &Step, attempt: &Attempt) -> Option<ReturnTo> {
    let gate = &step.flow.shared.gate;
    if !attempt.tail.is_empty() {
        // Parsed again: the mount, or the rule of what may be returned to, may have changed since
        // it was sealed.
        return ReturnTo::parse(&attempt.tail, &gate.mount);
    }
    let sealed = step
        .head()
        .cookie(gate.cookies.name(CookieName::ReturnTo))
        .one()?;
    let plain = gate
        .tokens
        .keys()
        .open(Purpose::ReturnTo, sealed, step.reading())?;
    let (id, wanted) = plain.split_first_chunk::<16>()?;
    // All tabs share this cookie, so it may hold another attempt's destination.
    let wanted = std::str::from_utf8(wanted)
        .ok()
        .filter(|_| *id == attempt.id)?;
    ReturnTo::parse(wanted, &gate.mount)
}

/// Says whether our own mailed link may have no room for the destination.
///
/// This must not depend on the link itself: for some addresses none is made, and the response must
/// be the same for all addresses.
pub(super) fn may_be_short(flow: &Flow, attempt: &Attempt) -> bool {
    flow.mailer.is_some() && attempt.sealed_len_with(LONGEST_LINK) > room(flow, Purpose::Open)
}

/// Seals an attempt, and says whether its destination was left out because it was too long.
///
/// If the link makes it too long even so, or the key that had sealed it has left the ring, the text
/// is empty. The nonce must be random.
pub(super) fn seal_or_shorten(
    flow: &Flow,
    attempt: &Attempt,
    purpose: Purpose,
    nonce: [u8; NONCE],
) -> (String, bool) {
    seal_as_or_shorten(flow, attempt, attempt.sent, purpose, nonce)
}

/// Does the same for the check page, which says what was mailed.
pub(super) fn seal_for_check(
    flow: &Flow,
    attempt: &Attempt,
    sent: Sent,
    nonce: [u8; NONCE],
) -> (String, bool) {
    seal_as_or_shorten(flow, attempt, sent, Purpose::Check, nonce)
}

fn seal_as_or_shorten(
    flow: &Flow,
    attempt: &Attempt,
    sent: Sent,
    purpose: Purpose,
    nonce: [u8; NONCE],
) -> (String, bool) {
    let keys = flow.shared.gate.tokens.keys();
    let room = room(flow, purpose);
    if attempt.sealed_len_with(attempt.link.len()) <= room
        && let Some(sealed) = attempt.seal_as(sent, keys, purpose, nonce)
    {
        return (sealed, false);
    }
    // The longest address fits: 254 bytes and 79 around them are 444 characters. With WorkOS's link
    // it has 539, and still fits behind the longest origin and mount, which have 403.
    let short = attempt.with_tail("").seal_as(sent, keys, purpose, nonce);
    let short = short.filter(|sealed| sealed.len() <= room);
    (short.unwrap_or_default(), true)
}

/// Returns the most characters of an attempt that is sealed for a purpose.
fn room(flow: &Flow, purpose: Purpose) -> usize {
    match purpose {
        Purpose::Open => {
            let gate = &flow.shared.gate;
            let around = gate.public_url.origin().len() + gate.path_to(Endpoint::Open, "").len();
            LONGEST_MAILED.saturating_sub(around)
        }
        _ => LONGEST,
    }
}

/// Opens the earlier attempt of a request for another mail, if this browser began it.
pub(super) fn before(step: &Step, sealed: &str) -> Option<Before> {
    let keys = step.flow.shared.gate.tokens.keys();
    let attempt = Attempt::open(keys, Purpose::Check, sealed, step.reading())?;
    let sealed = sealed.to_owned();
    // Another browser that brings the attempt of a resend would continue a sign-in that it did not
    // begin.
    browser::is_ours(step, &attempt).then_some(Before { attempt, sealed })
}

/// Returns our own mailed link for a sealed attempt.
pub(super) fn open_url(flow: &Flow, sealed: &str) -> String {
    let gate = &flow.shared.gate;
    gate.absolute(&gate.path_to(Endpoint::Open, sealed))
}

/// Returns the rejection of an attempt that is over.
pub(super) fn over(step: &Step, attempt: &Attempt) -> Option<Rejection> {
    let (lifetime, late) = (step.flow.attempt_lifetime(), RejectionKind::AttemptExpired);
    attempt.over(lifetime, late, step.now).map(Rejection::new)
}
