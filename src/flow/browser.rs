//! The browser of a step: whether it began an attempt or may finish it, and its cookies.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};

use super::{
    SignIn,
    attempt::{Attempt, LEEWAY},
    brought::{NEWEST, ROUND},
    match_code::MatchCode,
    step::Step,
};
use crate::{
    clock::Timestamp,
    email::Email,
    event::Event,
    gate::lost_cookie,
    provider::attempt::Newest,
    rejection::Rejection,
    session::{
        SessionId,
        browser_cookie::BrowserCookie,
        cookie::CookieName,
        seal::{self, Purpose},
    },
};

/// What the address of a browser's newest attempt is a pseudonym for.
const NEWEST_OF: &str = "newest: address";

/// The permission of a browser to finish one sign-in, as a `Set-Cookie` value.
pub(super) struct Permit(HeaderValue);

/// Says whether this browser began an attempt.
pub(super) fn is_ours(step: &Step, attempt: &Attempt) -> bool {
    is_of(step, attempt.browser)
}

/// Says whether a fingerprint is of this browser's cookie, whichever key has made its tag.
pub(super) fn is_of(step: &Step, fingerprint: [u8; 16]) -> bool {
    let keys = step.flow.shared.gate.tokens.keys();
    let browser = step.browser_cookie();
    browser.is_some_and(|browser| keys.has_fingerprint(browser, fingerprint, step.reading()))
}

/// Says whether this browser may finish an attempt: it began it, or gave the right answer.
pub(super) fn may_finish(step: &Step, attempt: &Attempt) -> bool {
    is_ours(step, attempt) || has_permit(step, attempt)
}

/// Reports that a cookie of ours did not come back, and returns the rejection for it.
pub(super) fn cookie_lost(step: &Step, cookie: CookieName) -> Rejection {
    let gate = &step.flow.shared.gate;
    let name = gate.cookies.name(cookie);
    let rejection = lost_cookie::rejection(&step.head(), &gate.public_url, name);
    let likely = rejection.kind();
    step.tell(&Event::CookieLost { name, likely });
    rejection
}

fn has_permit(step: &Step, attempt: &Attempt) -> bool {
    let gate = &step.flow.shared.gate;
    let head = step.head();
    let permit = head.cookie(gate.cookies.name(CookieName::Permit)).one();
    let keys = gate.tokens.keys();
    let plain = permit.and_then(|permit| keys.open(Purpose::Permit, permit, step.reading()));
    let of_browser = plain.as_deref().and_then(|plain| {
        let of_browser = plain.strip_prefix(&attempt.name())?;
        <[u8; 16]>::try_from(of_browser).ok()
    });
    // Bound to this browser's cookie too, so that a stolen permit is useless elsewhere.
    of_browser.is_some_and(|fingerprint| is_of(step, fingerprint))
}

pub(super) fn permit(step: &Step, attempt: &Attempt, browser: BrowserCookie) -> Permit {
    let gate = &step.flow.shared.gate;
    let plain = [attempt.name().as_slice(), &browser.fingerprint()].concat();
    let keys = gate.tokens.keys();
    let sealed = keys.seal(Purpose::Permit, &plain, crate::random::bytes());
    let lifetime = step.flow.attempt_lifetime();
    Permit(gate.cookies.set(CookieName::Permit, &sealed, lifetime))
}

/// Sets the browser cookie, unless the browser has one of the current key. What stands behind it
/// stays: a round begins with its first mail.
pub(super) fn greet(step: &Step, response: &mut Response<Bytes>) {
    let known = step.browser_cookie();
    let cookie = cookie_to_keep(step, crate::random::bytes);
    let parts = match known {
        Some(known) if known.is(&cookie) => return,
        Some(_) => (step.brought().round, step.brought().newest),
        None => (None, None),
    };
    keep_with(step, response, cookie, parts);
}

/// Returns the cookie that this browser is to keep: its own, with the tag of the current key, or
/// one of random bytes.
pub(super) fn cookie_to_keep(step: &Step, random: impl FnOnce() -> [u8; 16]) -> BrowserCookie {
    cookie_to_name(step).unwrap_or_else(|| {
        let keys = step.flow.shared.gate.tokens.keys();
        keys.browser_cookie(random())
    })
}

/// Returns the cookie of this browser, with the tag of the current key, whose fingerprint names it
/// in what is sealed now.
pub(super) fn cookie_to_name(step: &Step) -> Option<BrowserCookie> {
    let keys = step.flow.shared.gate.tokens.keys();
    let cookie = step.browser_cookie()?;
    Some(keys.browser_cookie_anew(cookie))
}

/// Sets the browser cookie for a mail that may have been sent.
pub(super) fn keep_browser_cookie(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: BrowserCookie,
) {
    let round = Round::of(step, cookie);
    let parts = (Some(round.begun(step)), step.brought().newest);
    keep_with(step, response, cookie, parts);
}

/// Does the same for a mail that was asked for, and records its attempt as the browser's newest.
pub(super) fn keep_newest(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: BrowserCookie,
    attempt: &Attempt,
) {
    // Without codes nothing asks for it, and the cookie stays as it is.
    let newest = match step.flow.sign_in {
        SignIn::Link => step.brought().newest,
        SignIn::Code | SignIn::LinkAndCode => Some(name_of(step, cookie, attempt)),
    };
    let round = Round::of(step, cookie);
    keep_with(step, response, cookie, (Some(round.begun(step)), newest));
}

/// Says whether this browser has asked for another mail to the address of an attempt since, as far
/// as its cookie says.
///
/// A browser that brings an older cookie harms nobody: it began the attempt, and its tries are
/// counted.
pub(super) fn newest(step: &Step, attempt: &Attempt) -> Newest {
    let (Some(known), Some(cookie)) = (step.brought().newest, step.browser_cookie()) else {
        return Newest::Newest;
    };
    let Some((id, address)) = known.split_first_chunk::<8>() else {
        return Newest::Newest;
    };
    let is_own = attempt.public_id().to_bytes().starts_with(id);
    let keys = step.flow.shared.gate.tokens.keys();
    let (random, email) = (cookie.random(), attempt.email.as_str().as_bytes());
    // By each key of the ring: the mail that was newer may have been asked for under another one.
    let is_of_address = || keys.names(NEWEST_OF, &[&random, email], address, step.reading());
    match !is_own && is_of_address() {
        true => Newest::Replaced,
        false => Newest::Newest,
    }
}

/// Returns what names an attempt and its address: half of the attempt's id, which is no secret, and
/// half of a pseudonym, so that a reader of the cookie cannot find the address by guessing.
fn name_of(step: &Step, cookie: BrowserCookie, attempt: &Attempt) -> [u8; NEWEST] {
    let keys = step.flow.shared.gate.tokens.keys();
    let email = attempt.email.as_str().as_bytes();
    let address = keys.pseudonym_of(NEWEST_OF, &[&cookie.random(), email]);
    let id = attempt.public_id().to_bytes();
    let halves = id.into_iter().take(8).chain(address.into_iter().take(8));
    let mut name = [0; NEWEST];
    name.iter_mut()
        .zip(halves)
        .for_each(|(to, from)| *to = from);
    name
}

/// Begins a new round of this browser, which has finished a sign-in: its next one shows another
/// match code. The other cookie of a callback that came twice is the same.
pub(super) fn begin_round(step: &Step, session: SessionId, response: &mut Response<Bytes>) {
    if let Some(browser) = cookie_to_name(step) {
        let round = Round(seal::fingerprint(session.text(&mut [0; 22])));
        let parts = (Some(round.begun(step)), step.brought().newest);
        keep_with(step, response, browser, parts);
    }
}

/// Returns how long a browser keeps what belongs to an attempt that begins now: for a day longer
/// than the attempt. Otherwise a late link would be reported as opened in another browser, not as
/// expired, and the new mail would lead to the front page.
pub(super) fn lifetime(step: &Step) -> Duration {
    step.flow.attempt_lifetime() + Duration::from_secs(24 * 60 * 60)
}

/// Sets the browser cookie.
fn keep_with(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: BrowserCookie,
    parts: (Option<[u8; ROUND]>, Option<[u8; NEWEST]>),
) {
    let value = match parts {
        (None, None) => cookie.value(&[]),
        (Some(round), None) => cookie.value(&[&round]),
        (None, Some(newest)) => cookie.value(&[&[], &newest]),
        (Some(round), Some(newest)) => cookie.value(&[&round, &newest]),
    };
    keep(step, response, CookieName::Browser, &value, lifetime(step));
}

/// Returns the match code of this browser's sign-ins to an address.
///
/// It is the same for all of one round, so that it fits whichever mail the person opens.
pub(super) fn match_code(step: &Step, browser: BrowserCookie, email: &Email) -> MatchCode {
    let Round(round) = Round::of(step, browser);
    let keys = step.flow.shared.gate.tokens.keys();
    MatchCode::of(keys, browser.fingerprint_with(round), email)
}

/// The sign-ins of a browser from one that was finished to the next. It stands behind the browser
/// cookie and a dot, with the time of its last mail.
///
/// It ends sooner if no link of it can be alive. Otherwise a person who once saw
/// the letters, in a sign-in that another browser finished, would know them for ever. So the first
/// one, which no finished sign-in has begun, is written with its first mail, too.
struct Round([u8; 16]);

impl Round {
    /// Returns the round of a mail that this browser asks for now.
    fn of(step: &Step, cookie: BrowserCookie) -> Self {
        let Some(bytes) = step.brought().round else {
            // The first one follows from the cookie, so that two tabs begin the same.
            return Self(cookie.fingerprint());
        };
        let (round, last) = (bytes.first_chunk(), bytes.last_chunk());
        let last = Timestamp::from_secs(u64::from_be_bytes(last.copied().unwrap_or_default()));
        // By the date, as it was written: the steady time of another replica may be far from ours.
        // A mail that is dated ahead was asked for before a clock was set right.
        let date = step.reading().date();
        if last <= date + LEEWAY && date < last + step.flow.attempt_lifetime() {
            return Self(round.copied().unwrap_or_default());
        }
        // The next round follows from this one, for the same reason.
        Self(seal::fingerprint(&URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the round as the cookie holds it, with a mail of now.
    fn begun(&self, step: &Step) -> [u8; ROUND] {
        let mut bytes = [0; ROUND];
        let (round, last) = bytes.split_at_mut(16);
        round.copy_from_slice(&self.0);
        let date = step.reading().date();
        last.copy_from_slice(&date.as_secs().to_be_bytes());
        bytes
    }
}

pub(super) fn keep(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: CookieName,
    value: &str,
    lifetime: Duration,
) {
    let cookie = step.flow.shared.gate.cookies.set(cookie, value, lifetime);
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

impl Permit {
    /// Sets the cookie, for the later request that finishes the sign-in.
    pub(super) fn keep(self, response: &mut Response<Bytes>) {
        response.headers_mut().append(header::SET_COOKIE, self.0);
    }
}
