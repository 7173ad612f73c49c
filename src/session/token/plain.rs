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

use super::stated::{BY_CODE, Stated, always};

/// What is known of claims before they are read.
#[derive(Clone, Copy)]
pub(super) enum Known<'k> {
    /// Nothing: they are whole, and have to name this issuer.
    Nothing(&'k str),
    /// They name the issuer. What is to be read begins with this end of the name `sub`.
    To(&'k str),
}

/// The bit that a byte of ASCII lacks.
const BEYOND_ASCII: u8 = 0x80;

/// Returns what claims state, and where the session's texts stand in them.
pub(super) fn read(payload: &[u8], known: Known<'_>) -> Option<(Stated, [Place; Field::COUNT])> {
    // Looked at once for the whole payload: after this, a text ends at the next quote.
    let mark = |byte: &u8| byte & BEYOND_ASCII | u8::from(*byte < b' ') | u8::from(*byte == b'\\');
    let marks = payload.iter().fold(0, |marks, byte| marks | mark(byte));
    if marks & !BEYOND_ASCII != 0 {
        return None;
    }
    // Most payloads are ASCII. In the others every text has to be UTF-8, and it is if all is:
    // quotes are no part of another character.
    if marks != 0 && std::str::from_utf8(payload).is_err() {
        return None;
    }
    let mut rest = Rest::of(payload);
    let text = |place: Place| payload.get(place.start..place.end);
    let (is_ours, sub) = match known {
        Known::To(rest_of_name) => {
            rest.known(rest_of_name.as_bytes())?;
            (true, rest.text(b"")?)
        }
        Known::Nothing(issuer) => {
            let iss = rest.text(b"{\"iss\":\"")?;
            let aud = rest.text(b",\"aud\":\"")?;
            let is_ours = text(iss)? == issuer.as_bytes() && text(aud)? == issuer.as_bytes();
            (is_ours, rest.text(b",\"sub\":\"")?)
        }
    };
    let sid = rest.text(b",\"sid\":\"")?;
    let iat = rest.number(b",\"iat\":")?;
    let exp = rest.number(b",\"exp\":")?;
    let auth_time = rest.number(b",\"auth_time\":")?;
    let email = rest.text(b",\"email\":\"")?;
    let org = rest.optional(b",\"org\":\"")?;
    let conn = rest.optional(b",\"conn\":\"")?;
    let given_name = rest.optional(b",\"given_name\":\"")?;
    let family_name = rest.optional(b",\"family_name\":\"")?;
    let psid = rest.optional(b",\"psid\":\"")?;
    let psub = rest.optional(b",\"psub\":\"")?;
    let porg = rest.optional(b",\"porg\":\"")?;
    let via = rest.optional(b",\"via\":\"")?;
    let is_remembered = rest.is_there(b",\"rem\":true") && rest.literal(b",\"rem\":true");
    let skew = rest.skew(b",\"skew\":", b",\"by\":")?;
    let auth_skew = rest.skew(b",\"askew\":", b",\"aby\":")?;
    let after = Timestamp::from_secs(rest.count(b",\"after\":")?);
    let app = rest.last_object(b",\"app\":")?;
    let stated = Stated {
        is_ours,
        has_person: !text(sub)?.is_empty() && !text(email)?.is_empty(),
        sid: SessionId::parse_bytes(text(sid)?)?,
        iat,
        nbf: always(),
        exp,
        auth_time,
        method: match text(via)? == BY_CODE.as_bytes() {
            true => SignInMethod::MagicAuth,
            false => SignInMethod::MagicLink,
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
///
/// The bytes were decoded a moment ago, and a processor loads them at once only if it loads no more
/// of them than were stored together. So names are arrays, whose comparison is one or two loads:
/// with a comparison of slices by the C library, reading took a third longer.
struct Rest<'p> {
    payload: &'p [u8],
    at: usize,
    /// The next bytes, by which most claims that may be missing are known to be: `,"` and two
    /// letters. Zeros at the end.
    next: [u8; 4],
}

impl<'p> Rest<'p> {
    fn of(payload: &'p [u8]) -> Self {
        let mut rest = Self {
            payload,
            at: 0,
            next: [0; 4],
        };
        rest.go_to(0);
        rest
    }

    fn go_to(&mut self, at: usize) {
        self.at = at;
        self.next = self.left().first_chunk().copied().unwrap_or_default();
    }

    fn left(&self) -> &'p [u8] {
        self.payload.get(self.at..).unwrap_or_default()
    }

    /// Says whether these bytes are next.
    fn begins<const N: usize>(&self, expected: &[u8; N]) -> bool {
        self.left().first_chunk() == Some(expected)
    }

    /// Says whether these bytes are next, and goes past them if they are.
    fn literal<const N: usize>(&mut self, expected: &[u8; N]) -> bool {
        let is_next = self.begins(expected);
        if is_next {
            self.go_to(self.at + N);
        }
        is_next
    }

    /// Says whether a claim that may be missing is next.
    #[inline]
    fn is_there<const N: usize>(&self, name: &[u8; N]) -> bool {
        name.first_chunk() == Some(&self.next) && self.begins(name)
    }

    /// Goes past the end of a name, of which there are at most two bytes.
    fn known(&mut self, end_of_name: &[u8]) -> Option<()> {
        for expected in end_of_name {
            self.literal(&[*expected]).then_some(())?;
        }
        Some(())
    }

    /// Reads a claim that is a text. `name` ends with the quote before it.
    fn text<const N: usize>(&mut self, name: &[u8; N]) -> Option<Place> {
        self.literal(name).then_some(())?;
        let length = memchr::memchr(b'"', self.left())?;
        let start = self.at;
        let end = start + length;
        self.go_to(end + 1);
        Some(Place { start, end })
    }

    /// Reads a claim that may be missing. Where it is, the place is empty.
    fn optional<const N: usize>(&mut self, name: &[u8; N]) -> Option<Place> {
        if self.is_there(name) {
            return self.text(name);
        }
        Some(Place::default())
    }

    fn number<const N: usize>(&mut self, name: &[u8; N]) -> Option<Timestamp> {
        self.literal(name).then_some(())?;
        let (number, length) = match moment(self.left()) {
            Some(number) => (number, MOMENT),
            None => number(self.left())?,
        };
        self.go_to(self.at + length);
        // Nothing else may stand behind the digits.
        matches!(self.left(), [b',' | b'}', ..]).then_some(Timestamp::from_secs(number))
    }

    /// Reads a number of seconds, and the mark of the layer that wrote it.
    fn skew<const N: usize, const M: usize>(
        &mut self,
        ahead: &[u8; N],
        by: &[u8; M],
    ) -> Option<Skew> {
        let ahead = Duration::from_secs(self.count(ahead)?);
        Some(Skew::new(ahead, u32::try_from(self.count(by)?).ok()?))
    }

    /// Reads the last claim, an object that may be missing, and the end of the claims.
    fn last_object(&mut self, name: &[u8]) -> Option<Place> {
        let left = self.left();
        if left == b"}" {
            return Some(Place::default());
        }
        let object = left.strip_prefix(name)?.strip_suffix(b"}")?;
        let raw: &RawValue = serde_json::from_slice(object).ok()?;
        // A blank behind it would be no part of the value.
        (object.starts_with(b"{") && raw.get().len() == object.len()).then_some(())?;
        let start = self.at + name.len();
        let end = start + object.len();
        Some(Place { start, end })
    }

    /// Reads a number of seconds that may be missing, and then is zero.
    fn count<const N: usize>(&mut self, name: &[u8; N]) -> Option<u64> {
        if self.is_there(name) {
            return self.number(name).map(Timestamp::as_secs);
        }
        Some(0)
    }
}

/// How many digits a moment from 2001 to 2286 has.
const MOMENT: usize = 10;
/// The highest bit of each byte.
const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);

/// Reads that many digits, the last eight of them at once.
fn moment(left: &[u8]) -> Option<u64> {
    let [first, second, eight @ ..] = left.first_chunk::<MOMENT>()?;
    let (first, second) = (first.wrapping_sub(b'0'), second.wrapping_sub(b'0'));
    let eight = u64::from_le_bytes(*eight) ^ u64::from_le_bytes([b'0'; 8]);
    // A byte over nine has its highest bit, or gets it.
    let over = (eight.wrapping_add(u64::from_le_bytes([0x80 - 10; 8])) | eight) & HIGHEST;
    let is_odd = first == 0 || first > 9 || second > 9 || over != 0;
    // Neighbours are joined: eight digits, four numbers below a hundred, two below ten thousand.
    let pairs = eight.wrapping_mul(10).wrapping_add(eight >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    let number = u64::from(first) * 1_000_000_000 + u64::from(second) * 100_000_000 + eight;
    (!is_odd).then_some(number)
}

/// Reads any number, and returns how long it is, too.
fn number(left: &[u8]) -> Option<(u64, usize)> {
    let digits = left.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.clone().count();
    // JSON has no zeros in front. Nineteen digits never overflow; with twenty, serde reads it.
    let is_whole = length == 1 || (length > 1 && left.first() != Some(&b'0'));
    (is_whole && length < 20).then_some(())?;
    let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_are_read_at_once_as_one_by_one_and_no_other_byte_is_a_digit() {
        let moments = ["1767225600", "1000000000", "9999999999", "2109876543"];
        for moment_of in moments {
            assert_eq!(moment(moment_of.as_bytes()), moment_of.parse().ok());
            for at in 0..MOMENT {
                for byte in 0..=u8::MAX {
                    let mut odd = moment_of.as_bytes().to_vec();
                    odd[at] = byte;
                    let by_one = number(&odd).filter(|(_, length)| *length == MOMENT);
                    let by_one = by_one.map(|(number, _)| number);
                    assert_eq!(moment(&odd), by_one, "{byte} at {at} of {moment_of}");
                }
            }
        }
        assert_eq!(moment(b"176722560"), None);
    }
}
