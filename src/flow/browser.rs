//! The browser of a step: whether it began an attempt or may finish it, and its cookies.

use std::{borrow::Cow, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};

use super::{SignIn, attempt::Attempt, match_code::MatchCode, step::Step};
use crate::{
    clock::Timestamp,
    email::Email,
    event::Event,
    gate::lost_cookie,
    provider::attempt::Newest,
    rejection::Rejection,
    session::{
        SessionId,
        cookie::CookieName,
        seal::{self, Purpose},
    },
};

/// The bytes of what names the newest attempt of a browser.
const NEWEST: usize = 16;

/// The permission of a browser to finish one sign-in, as a `Set-Cookie` value.
pub(super) struct Permit(HeaderValue);

/// Says whether this browser began an attempt.
pub(super) fn is_ours(step: &Step, attempt: &Attempt) -> bool {
    attempt.is_of(step.browser())
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
    let (Some(permit), Some(browser)) = (
        head.cookie(gate.cookies.name(CookieName::Permit)).one(),
        gate.browser_cookie(&head, step.now),
    ) else {
        return false;
    };
    let plain = gate.tokens.keys().open(Purpose::Permit, permit, step.now);
    // Bound to this browser's cookie too, so that a stolen permit is useless elsewhere.
    plain.is_some_and(|plain| plain == permit_of(attempt, browser))
}

pub(super) fn permit(step: &Step, attempt: &Attempt, browser: &str) -> Permit {
    let gate = &step.flow.shared.gate;
    let plain = permit_of(attempt, browser);
    let keys = gate.tokens.keys();
    let sealed = keys.seal(Purpose::Permit, &plain, crate::random::bytes());
    let lifetime = step.flow.attempt_lifetime();
    Permit(gate.cookies.set(CookieName::Permit, &sealed, lifetime))
}

/// Sets the browser cookie, unless the browser has one.
pub(super) fn greet(step: &Step, response: &mut Response<Bytes>) {
    if step
        .flow
        .shared
        .gate
        .browser_cookie(&step.head(), step.now)
        .is_none()
    {
        let cookie = fresh_browser_cookie(step, crate::random::bytes());
        keep_browser_cookie(step, response, &cookie);
    }
}

pub(super) fn fresh_browser_cookie(step: &Step, random: [u8; 16]) -> String {
    let keys = step.flow.shared.gate.tokens.keys();
    keys.browser_cookie(random)
}

/// Sets the browser cookie for a day longer than an attempt that begins now. Without it, a late
/// link would be reported as opened in another browser, not as expired.
pub(super) fn keep_browser_cookie(step: &Step, response: &mut Response<Bytes>, cookie: &str) {
    let round = Round::of(step).map(|round| round.text(step));
    let newest = newest_text(step);
    keep_in_round(step, response, cookie, (round, newest));
}

/// Does the same for a mail that was asked for, and records its attempt as the browser's newest.
pub(super) fn keep_newest(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: &str,
    attempt: &Attempt,
) {
    // Without codes nothing asks for it, and the cookie stays as it is.
    let newest = match step.flow.sign_in {
        SignIn::Link => newest_text(step),
        SignIn::Code | SignIn::LinkAndCode => Some(encode(&name_of(step, attempt))),
    };
    let round = Round::of(step).map(|round| round.text(step));
    keep_in_round(step, response, cookie, (round, newest));
}

/// Says whether this browser has asked for another mail to the address of an attempt since, as far
/// as its cookie says.
///
/// A browser that brings an older cookie harms nobody: it began the attempt, and its tries are
/// counted.
pub(super) fn newest(step: &Step, attempt: &Attempt) -> Newest {
    let Some(known) = newest_text(step).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()) else {
        return Newest::Newest;
    };
    let own = name_of(step, attempt);
    let (Some((id, address)), Some((own_id, own_address))) =
        (known.split_first_chunk::<8>(), own.split_first_chunk::<8>())
    else {
        return Newest::Newest;
    };
    match address == own_address && id != own_id {
        true => Newest::Replaced,
        false => Newest::Newest,
    }
}

fn newest_text(step: &Step) -> Option<String> {
    let text = step.flow.shared.gate.browser_newest(&step.head())?;
    // Anybody may have planted it, and it goes into a cookie again.
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == NEWEST).then(|| encode(&bytes))
}

/// Returns what names an attempt and its address: half of the attempt's id, which is no secret, and
/// half of a pseudonym.
fn name_of(step: &Step, attempt: &Attempt) -> [u8; NEWEST] {
    let keys = step.flow.shared.gate.tokens.keys();
    let address = keys.pseudonym("newest: address", attempt.email.as_str().as_bytes());
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
    let head = step.head();
    // Verified already, and read again without that.
    let cookie = step.flow.shared.gate.browser_cookie_text(&head);
    if let Some(browser) = cookie.filter(|_| step.browser().is_some()) {
        let round = Round(seal::fingerprint(&session.to_string()));
        let parts = (Some(round.text(step)), newest_text(step));
        keep_in_round(step, response, browser, parts);
    }
}

fn keep_in_round(
    step: &Step,
    response: &mut Response<Bytes>,
    cookie: &str,
    parts: (Option<String>, Option<String>),
) {
    let lifetime = step.flow.attempt_lifetime() + Duration::from_secs(24 * 60 * 60);
    let cookie = match parts {
        (None, None) => Cow::Borrowed(cookie),
        (Some(round), None) => Cow::Owned([cookie, ".", &round].concat()),
        (round, Some(newest)) => {
            let round = round.unwrap_or_default();
            Cow::Owned([cookie, ".", &round, ".", &newest].concat())
        }
    };
    keep(step, response, CookieName::Browser, &cookie, lifetime);
}

/// Returns the match code of this browser's sign-ins to an address.
///
/// It is the same for all of one round, so that it fits whichever mail the person opens.
pub(super) fn match_code(step: &Step, browser: &str, email: &Email) -> MatchCode {
    let browser = match Round::of(step) {
        Some(Round(round)) => seal::fingerprint(&format!("{browser}.{}", encode(&round))),
        None => seal::fingerprint(browser),
    };
    MatchCode::of(step.flow.shared.gate.tokens.keys(), browser, email)
}

/// The sign-ins of a browser from one that was finished to the next. It stands behind the browser
/// cookie and a dot, with the time of its last mail.
///
/// It ends sooner if no link of it can be alive. Otherwise a person who once saw
/// the letters, in a sign-in that another browser finished, would know them for ever.
struct Round([u8; 16]);

impl Round {
    /// Returns the round of this browser, which is none before its first sign-in.
    fn of(step: &Step) -> Option<Self> {
        let text = step.flow.shared.gate.browser_round(&step.head())?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (round, last) = bytes.split_first_chunk::<16>()?;
        let last = Timestamp::from_secs(u64::from_be_bytes(last.try_into().ok()?));
        if step.now < last + step.flow.attempt_lifetime() {
            return Some(Self(*round));
        }
        // The next round follows from this one, so that two tabs begin the same.
        Some(Self(seal::fingerprint(text)))
    }

    fn text(&self, step: &Step) -> String {
        let last = step.now.as_secs().to_be_bytes();
        encode(&[self.0.as_slice(), &last].concat())
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
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

fn permit_of(attempt: &Attempt, browser: &str) -> Vec<u8> {
    [attempt.name().as_slice(), &seal::fingerprint(browser)].concat()
}
