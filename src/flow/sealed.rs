//! Attempts on their way: sealed into a link, a `state` or a page's address, and opened again.

use super::{
    attempt::{Attempt, LONGEST},
    browser,
    step::Step,
};
use crate::{
    rejection::RejectionKind,
    session::{cookie::Jar, seal::Purpose},
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

/// The longest provider's link that the way back has room beside, if at all. WorkOS's have 71
/// characters.
const LONGEST_LINK: usize = 200;

/// The attempt that goes on, where another mail was asked for.
pub(super) struct Before {
    pub(super) attempt: Attempt,
    pub(super) sealed: String,
}

/// Opens the attempt in the query's `t`. `None` when there is none, or it was not sealed for this.
pub(super) fn attempt_in_query(
    step: &Step,
    purpose: Purpose,
) -> Result<Option<Attempt>, RejectionKind> {
    let query = step.query()?;
    let sealed = query.one("t")?.unwrap_or_default();
    let keys = step.flow.shared.gate.tokens.keys();
    Ok(Attempt::open(keys, purpose, sealed, step.now))
}

/// Returns where an attempt wanted to go: in its tail, or in a cookie where it was too long for
/// that.
pub(super) fn return_to_of(step: &Step, attempt: &Attempt) -> Option<ReturnTo> {
    let gate = &step.flow.shared.gate;
    if !attempt.tail.is_empty() {
        return ReturnTo::parse(&attempt.tail, &gate.mount);
    }
    let sealed = step.head().cookie(gate.cookies.name(Jar::ReturnTo)).one()?;
    let plain = gate
        .tokens
        .keys()
        .open(Purpose::ReturnTo, sealed, step.now)?;
    let (id, wanted) = plain.split_first_chunk::<16>()?;
    // The cookie is one for all tabs: another attempt's way is not this one's.
    let wanted = std::str::from_utf8(wanted)
        .ok()
        .filter(|_| *id == attempt.id)?;
    ReturnTo::parse(wanted, &gate.mount)
}

/// Says whether our own mailed link may have no room for the way back. The link that was made is
/// not asked: for some addresses none is, and the answer must be the same for all.
pub(super) fn may_be_short(step: &Step, attempt: &Attempt) -> bool {
    step.flow.mailer.is_some() && {
        let longest = attempt.with_link(&"x".repeat(LONGEST_LINK));
        seal_or_shorten(step, &longest, Purpose::Open).1
    }
}

/// Seals an attempt with its way back, or without where that is too long; says which. A link may
/// make it too long even so: then it is empty.
pub(super) fn seal_or_shorten(step: &Step, attempt: &Attempt, purpose: Purpose) -> (String, bool) {
    let keys = step.flow.shared.gate.tokens.keys();
    let room = match purpose {
        Purpose::Open => LONGEST.saturating_sub(open_url(step, "").len()),
        _ => LONGEST,
    };
    let seal = |attempt: &Attempt| {
        let sealed = attempt.seal(keys, purpose, crate::random::bytes());
        sealed.filter(|sealed| sealed.len() <= room)
    };
    if let Some(sealed) = seal(attempt) {
        return (sealed, false);
    }
    // The longest address fits: 254 bytes and 91 around them are 460 characters. So it does with
    // WorkOS's link, 555, behind the longest origin and mount, 403.
    (seal(&attempt.with_tail("")).unwrap_or_default(), true)
}

/// Opens the attempt that goes on with another mail, if it is one of this browser.
pub(super) fn before(step: &Step, sealed: &str) -> Option<Before> {
    let keys = step.flow.shared.gate.tokens.keys();
    let attempt = Attempt::open(keys, Purpose::Check, sealed, step.now)?;
    let sealed = sealed.to_owned();
    browser::is_ours(step, &attempt).then_some(Before { attempt, sealed })
}

/// Returns our own mailed link of a sealed attempt.
pub(super) fn open_url(step: &Step, sealed: &str) -> String {
    let path = format!("{}?t={sealed}", step.path(Endpoint::Open));
    step.flow.shared.gate.absolute(&path)
}
