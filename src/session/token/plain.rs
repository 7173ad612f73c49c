//! Reads claims that stand as `mint` writes them: in its order, without blanks or escapes.
//!
//! It is the fast half of reading and takes nothing that the other half refuses: whatever stands
//! otherwise is `None` here, and serde reads it (`tests/plain.rs` compares the two).

use std::time::Duration;

use serde_json::value::RawValue;

use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
    session::{
        SessionId, Term,
        record::{Field, Place},
    },
};

use super::{
    claims::always,
    stated::{BY_CODE, Stated},
};

/// What is known of claims before they are read.
#[derive(Clone, Copy)]
pub(super) enum Known<'k> {
    /// Nothing: they are whole, and have to name this issuer.
    Nothing(&'k str),
    /// They name the issuer. What is to be read begins with this end of the name `sub`.
    To(&'k str),
}

/// Returns what claims state, and where the session's texts stand in them.
pub(super) fn read(payload: &str, known: Known<'_>) -> Option<(Stated, [Place; Field::COUNT])> {
    let is_odd = |odd, byte: &u8| odd | (*byte < b' ') | (*byte == b'\\');
    // Looked at once for the whole payload: after this, a text ends at the next quote.
    if payload.as_bytes().iter().fold(false, is_odd) {
        return None;
    }
    let mut rest = Rest { payload, at: 0 };
    let text = |place: Place| payload.get(place.start..place.end);
    let (is_ours, sub) = match known {
        Known::To(rest_of_name) => (true, rest.text(rest_of_name)?),
        Known::Nothing(issuer) => {
            let iss = rest.text("{\"iss\":\"")?;
            let aud = rest.text(",\"aud\":\"")?;
            let is_ours = text(iss)? == issuer && text(aud)? == issuer;
            (is_ours, rest.text(",\"sub\":\"")?)
        }
    };
    let sid = rest.text(",\"sid\":\"")?;
    let iat = rest.number(",\"iat\":")?;
    let exp = rest.number(",\"exp\":")?;
    let auth_time = rest.number(",\"auth_time\":")?;
    let email = rest.text(",\"email\":\"")?;
    let org = rest.optional(",\"org\":\"")?;
    let conn = rest.optional(",\"conn\":\"")?;
    let given_name = rest.optional(",\"given_name\":\"")?;
    let family_name = rest.optional(",\"family_name\":\"")?;
    let psid = rest.optional(",\"psid\":\"")?;
    let psub = rest.optional(",\"psub\":\"")?;
    let porg = rest.optional(",\"porg\":\"")?;
    let via = rest.optional(",\"via\":\"")?;
    let is_remembered = rest.literal(",\"rem\":true");
    let skew = rest.skew(",\"skew\":", ",\"by\":")?;
    let auth_skew = rest.skew(",\"askew\":", ",\"aby\":")?;
    let after = Timestamp::from_secs(rest.count(",\"after\":")?);
    let app = rest.last_object(",\"app\":")?;
    let stated = Stated {
        is_ours,
        has_person: !text(sub)?.is_empty() && !text(email)?.is_empty(),
        sid: SessionId::parse(text(sid)?)?,
        iat,
        nbf: always(),
        exp,
        auth_time,
        method: match text(via)? {
            BY_CODE => SignInMethod::MagicAuth,
            _ => SignInMethod::MagicLink,
        },
        term: match is_remembered {
            true => Term::Remembered,
            false => Term::Usual,
        },
        skew,
        auth_skew,
        after,
    };
    let places = [
        sub,
        email,
        org,
        conn,
        given_name,
        family_name,
        psid,
        psub,
        porg,
        app,
    ];
    Some((stated, places))
}

/// What of a payload has not been read.
struct Rest<'p> {
    payload: &'p str,
    at: usize,
}

impl<'p> Rest<'p> {
    fn left(&self) -> &'p str {
        self.payload.get(self.at..).unwrap_or_default()
    }

    /// Says whether these bytes are next, and goes past them if they are.
    fn literal(&mut self, expected: &str) -> bool {
        let is_next = self.left().starts_with(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    /// Reads a claim that is a text. `name` ends with the quote before it.
    fn text(&mut self, name: &str) -> Option<Place> {
        self.literal(name).then_some(())?;
        let length = memchr::memchr(b'"', self.left().as_bytes())?;
        let start = self.at;
        let end = start + length;
        self.at = end + 1;
        Some(Place { start, end })
    }

    /// Reads a claim that may be missing. Where it is, the place is empty.
    fn optional(&mut self, name: &str) -> Option<Place> {
        if self.left().starts_with(name) {
            return self.text(name);
        }
        Some(Place::default())
    }

    fn number(&mut self, name: &str) -> Option<Timestamp> {
        self.literal(name).then_some(())?;
        let left = self.left();
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let length = left.bytes().take_while(is_digit).count();
        let digits = left.get(..length)?;
        // JSON has no zeros in front, and nothing else may stand behind the digits.
        let is_whole = !digits.starts_with('0') || length == 1;
        let ends = matches!(left.as_bytes().get(length), Some(b',' | b'}'));
        (is_whole && ends).then_some(())?;
        self.at += length;
        digits.parse().ok().map(Timestamp::from_secs)
    }

    /// Reads a number of seconds, and the mark of the layer that wrote it.
    fn skew(&mut self, ahead: &str, by: &str) -> Option<Skew> {
        let ahead = Duration::from_secs(self.count(ahead)?);
        Some(Skew::new(ahead, u32::try_from(self.count(by)?).ok()?))
    }

    /// Reads the last claim, an object that may be missing, and the end of the claims.
    fn last_object(&mut self, name: &str) -> Option<Place> {
        let left = self.left();
        if left == "}" {
            return Some(Place::default());
        }
        let object = left.strip_prefix(name)?.strip_suffix('}')?;
        let raw: &RawValue = serde_json::from_str(object).ok()?;
        // A blank behind it would be no part of the value.
        (object.starts_with('{') && raw.get().len() == object.len()).then_some(())?;
        let start = self.at + name.len();
        let end = start + object.len();
        Some(Place { start, end })
    }

    /// Reads a number of seconds that may be missing, and then is zero.
    fn count(&mut self, name: &str) -> Option<u64> {
        if self.left().starts_with(name) {
            return self.number(name).map(Timestamp::as_secs);
        }
        Some(0)
    }
}
