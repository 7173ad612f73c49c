//! Identity headers tell an inner service that is not in Rust about the session.
//!
//! - Only the layer writes `X-Auth-Subject`, `X-Auth-Email`, `X-Auth-Organization` and
//!   `X-Auth-Session`. It removes every copy that a client sends from every request that it hands
//!   on, signed in or not.
//! - Only a WebSocket upgrade is handed on. Inside any other tunnel, requests could carry these
//!   names unseen.
//! - A value is visible ASCII. Characters that could end or split it, everything outside ASCII, and
//!   `%` are percent-encoded.
//! - The inner service neither sees nor sets the layer's cookies. Other cookies stay byte for byte.
//! - It sees no token of the layer's in `Authorization`, if the layer accepts bearer tokens.

use std::{borrow::Cow, cell::Cell, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use self::{
    fields::rewrite_fields,
    names::{
        EMAIL_TEXT, HTTP2_SETTINGS, NAMING, ORGANIZATION_TEXT, SESSION_TEXT, SUBJECT_TEXT, UPGRADE,
        is_ours, is_spelling_of, tokens,
    },
    present::Present,
};
use crate::{
    ascii,
    event::Event,
    gate::Gate,
    request::{
        head::{RequestHead, pairs},
        upgrade::Upgrade,
    },
    session::{
        Session,
        cookie::{CookieName, Cookies},
        token::Tokens,
    },
    shared::Shared,
};

const SUBJECT: HeaderName = HeaderName::from_static(SUBJECT_TEXT);
const EMAIL: HeaderName = HeaderName::from_static(EMAIL_TEXT);
const ORGANIZATION: HeaderName = HeaderName::from_static(ORGANIZATION_TEXT);
const SESSION: HeaderName = HeaderName::from_static(SESSION_TEXT);

/// The characters of a value that are percent-encoded.
///
/// Letters, digits and the colon stay, and so do the other characters of an address that needs no
/// quotes (RFC 5322, `dot-atom` and `@`), except `%`. A comma would split a value in two; `;` and
/// `"` would begin a parameter.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'/')
    .remove(b':')
    .remove(b'=')
    .remove(b'?')
    .remove(b'@')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'{')
    .remove(b'|')
    .remove(b'}')
    .remove(b'~');

/// Most ids and addresses are of these characters, which stay.
static PLAIN: ascii::Set =
    ascii::Set::of(b"-.0123456789@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

/// The most parts of a request's `Authorization` fields that are verified. Each one costs a
/// signature check, and a request has room for thousands.
const MOST_TOKENS: usize = 16;

/// Replaces what a client claims by the identity headers of the session, if there is one.
pub(crate) fn rewrite<B>(request: &mut Request<B>, session: Option<&Session>, gate: &Gate) {
    let present = Present::among(request.headers());
    if present.has_stripped {
        let upgrade = Upgrade::of(&RequestHead::of(request));
        strip(request.headers_mut(), upgrade);
    }
    let headers = request.headers_mut();
    if present.has_cookie {
        hide_cookies(headers, &gate.cookies);
    }
    if present.has_authorization && gate.credentials.has_bearer() {
        hide_tokens(headers, &gate.tokens);
    }
    if let Some(session) = session {
        introduce(headers, session);
    }
}

/// Writes the identity headers of a session.
pub(crate) fn introduce(headers: &mut HeaderMap, session: &Session) {
    let [subject, email, organization] = session.introduction();
    headers.insert(SUBJECT, value(subject));
    headers.insert(EMAIL, value(email));
    let id = ascii::header_value(session.id().text(&mut [0; 22]));
    headers.insert(SESSION, hidden(id));
    if !organization.is_empty() {
        headers.insert(ORGANIZATION, value(organization));
    }
}

/// Removes the cookies of a response that would overwrite ours, and reports each as an event.
pub(crate) fn keep_own_cookies(headers: &mut HeaderMap, shared: &Arc<Shared>) {
    let is_own = |value: &HeaderValue| own_name(&shared.gate.cookies, value.as_bytes()).is_some();
    if !headers.get_all(header::SET_COOKIE).iter().any(is_own) {
        return;
    }
    let header::Entry::Occupied(entry) = headers.entry(header::SET_COOKIE) else {
        return;
    };
    // All are taken out and the others put back, because a `HeaderMap` cannot remove one value of
    // several.
    let (_, values) = entry.remove_entry_mult();
    let values: Vec<_> = values.collect();
    for value in values {
        match own_name(&shared.gate.cookies, value.as_bytes()) {
            Some(name) => shared.listener.tell(&Event::CookieDropped { name }),
            None => {
                headers.append(header::SET_COOKIE, value);
            }
        }
    }
}

/// Removes our header names, and any upgrade but a WebSocket's, from what a client sends.
fn strip(headers: &mut HeaderMap, upgrade: Upgrade) {
    let keeps_upgrade = upgrade == Upgrade::WebSocket;
    let is_stripped = |name: &[u8]| {
        is_ours(name)
            || is_spelling_of(HTTP2_SETTINGS, name)
            || (!keeps_upgrade && is_spelling_of(UPGRADE, name))
    };
    let stripped: Vec<_> = headers
        .keys()
        .filter(|name| is_stripped(name.as_str().as_bytes()))
        .cloned()
        .collect();
    for name in stripped {
        headers.remove(name);
    }
    // A proxy drops the fields that `Connection` names (RFC 9110, section 7.6.1). A client must not
    // have ours dropped that way.
    for name in &NAMING {
        rewrite_fields(headers, name, |list| without_members(list, is_stripped));
    }
}

fn hide_cookies(headers: &mut HeaderMap, cookies: &Cookies) {
    rewrite_fields(headers, &header::COOKIE, |field| {
        without_own(field, cookies)
    });
}

/// Removes each `Authorization` field that holds a token of ours, of whatever scheme and however
/// the token stands in it.
///
/// A field of a request without a session may hold one too: two fields are refused, and a token may
/// be revoked at one replica and not yet at another. The application's own fields stay. Beyond
/// [`MOST_TOKENS`] parts that look like ours, each field with one more of them goes unverified.
fn hide_tokens(headers: &mut HeaderMap, tokens: &Tokens) {
    let may_be_own = |part: &[u8]| tokens.may_have_signed(part);
    let is_own = |part: &[u8]| tokens.has_signed(part);
    hide_parts(headers, may_be_own, is_own);
}

fn hide_parts(
    headers: &mut HeaderMap,
    may_be_own: impl Fn(&[u8]) -> bool,
    is_own: impl Fn(&[u8]) -> bool,
) {
    // The characters of our tokens: base64url and dots.
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    // One count for all fields, because a client may spread its tokens over them.
    let left = Cell::new(MOST_TOKENS);
    let counted_as_own = |part: &[u8]| match left.get().checked_sub(1) {
        Some(less) => {
            left.set(less);
            is_own(part)
        }
        // Unverified. No honest client sends so many, and one of ours must not slip through.
        None => true,
    };
    rewrite_fields(headers, &header::AUTHORIZATION, |field| {
        let mut parts = field.split(|b| !is_token(b));
        let holds_own = parts.any(|part| may_be_own(part) && counted_as_own(part));
        holds_own.then(Vec::new)
    });
}

/// Returns a list without the members that name certain fields, or `None` if it has no such member.
fn without_members(list: &[u8], is_stripped: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let names_one = |member: &&[u8]| tokens(member).any(&is_stripped);
    let members = || list.split(|b| *b == b',');
    if !members().any(|member| names_one(&member)) {
        return None;
    }
    // Whole members go, and the others stay byte for byte: a proxy may read them by rules of its
    // own.
    let kept: Vec<_> = members().filter(|member| !names_one(member)).collect();
    Some(kept.join(&b','))
}

/// Returns a `Cookie` field without our cookies, or `None` if it holds none of them.
///
/// The next reader trims a field, so what stands first in it is one of ours behind any number of
/// blanks and tabs. In the middle it is another name.
fn without_own(field: &[u8], cookies: &Cookies) -> Option<Vec<u8>> {
    let is_own = |pair: &[u8], is_first: bool| {
        let pair = match is_first {
            true => pair.trim_ascii_start(),
            false => pair.strip_prefix(b" ").unwrap_or(pair),
        };
        CookieName::ALL.iter().any(|cookie| {
            let name = cookies.name(*cookie).as_bytes();
            // Looked at first: few other cookies have it there.
            pair.get(name.len()) == Some(&b'=') && pair.starts_with(name)
        })
    };
    let (mut start, mut own, mut count) = (0, 0..0, 0_usize);
    // Whether all pairs so far are ours: once they are gone, the next one is the first.
    let mut is_first = true;
    for pair in pairs(field) {
        let end = start + pair.len();
        if is_own(pair, is_first) {
            (own, count) = (start..end, count + 1);
        } else {
            is_first = false;
        }
        start = end + 1;
    }
    match count {
        0 => None,
        // Most browsers send one. What stands before and behind it stays in two pieces.
        1 => {
            let before = field.get(..own.start.saturating_sub(1));
            let behind = match own.start {
                0 => field.get(own.end + 1..),
                _ => field.get(own.end..),
            };
            Some([before.unwrap_or_default(), behind.unwrap_or_default()].concat())
        }
        _ => {
            let mut kept = Vec::new();
            for pair in pairs(field) {
                if !is_own(pair, kept.is_empty()) {
                    kept.push(pair);
                }
            }
            Some(kept.join(&b';'))
        }
    }
}

/// Returns which of our cookies a `Set-Cookie` sets.
///
/// A browser trims the name, and sends a nameless cookie as its bare value: `=name=x` comes back as
/// `name=x` (draft-ietf-httpbis-rfc6265bis, sections 5.6 and 5.8.3).
fn own_name<'c>(cookies: &'c Cookies, set: &[u8]) -> Option<&'c str> {
    let pair = pairs(set).next().unwrap_or_default();
    let start = pair.iter().position(|b| !b" \t=".contains(b))?;
    let pair = pair.get(start..).unwrap_or_default();
    let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
    let mut names = CookieName::ALL.iter().map(|cookie| cookies.name(*cookie));
    names.find(|own| own.as_bytes() == name.trim_ascii())
}

fn value(text: &[u8]) -> HeaderValue {
    // To the end of it: that takes fewer steps than to stop at the first other character.
    let is_plain = text.iter().fold(true, |all, byte| all & PLAIN.has(*byte));
    if is_plain {
        return hidden(ascii::header_value(text));
    }
    let encoded: Cow<'_, str> = percent_encode(text, VALUE).into();
    hidden(ascii::header_value(&*encoded))
}

fn hidden(mut value: HeaderValue) -> HeaderValue {
    // Sensitive values stay out of Debug output: a log of headers must hold no email address.
    value.set_sensitive(true);
    value
}

mod fields;
mod names;
mod present;

#[cfg(test)]
mod tests;
