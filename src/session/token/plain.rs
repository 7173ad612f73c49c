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
        record::{Place, Places},
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

/// Returns what claims state, and notes where the session's texts stand in them. The places are
/// blank before, and count for nothing if it returns `None`.
pub(super) fn read(payload: &[u8], known: Known<'_>, places: &mut Places) -> Option<Stated> {
    // Written where they stay: what is stored in halves and then moved as a whole waits.
    let [
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
    ] = places;
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
    let mut rest = Rest {
        whole: payload.len(),
        left: payload,
    };
    let text = |place: Place| payload.get(place.start..place.end);
    let (mut sid, mut via) = (Place::default(), Place::default());
    let is_ours = match known {
        Known::To(rest_of_name) => {
            rest.known(rest_of_name.as_bytes())?;
            rest.text(b"", sub)?;
            true
        }
        Known::Nothing(issuer) => {
            let (mut iss, mut aud) = (Place::default(), Place::default());
            rest.text(b"{\"iss\":\"", &mut iss)?;
            rest.text(b",\"aud\":\"", &mut aud)?;
            rest.text(b",\"sub\":\"", sub)?;
            text(iss)? == issuer.as_bytes() && text(aud)? == issuer.as_bytes()
        }
    };
    rest.text(b",\"sid\":\"", &mut sid)?;
    let iat = rest.number(b",\"iat\":")?;
    let exp = rest.number(b",\"exp\":")?;
    let auth_time = rest.number(b",\"auth_time\":")?;
    rest.text(b",\"email\":\"", email)?;
    rest.optional(b",\"org\":\"", org)?;
    rest.optional(b",\"conn\":\"", conn)?;
    rest.optional(b",\"given_name\":\"", given_name)?;
    rest.optional(b",\"family_name\":\"", family_name)?;
    // Asked once: a token of a link has none of the three, unless the application granted one.
    if rest.left.starts_with(b",\"p") {
        rest.optional(b",\"psid\":\"", psid)?;
        rest.optional(b",\"psub\":\"", psub)?;
        rest.optional(b",\"porg\":\"", porg)?;
    }
    rest.optional(b",\"via\":\"", &mut via)?;
    let is_remembered = rest.literal(b",\"rem\":true");
    let (mut skew, mut auth_skew, mut after) = (Skew::default(), Skew::default(), always());
    // Asked once, because many tokens end here.
    if rest.left != b"}" {
        rest.skew(b",\"skew\":", b",\"by\":", &mut skew)?;
        rest.skew(b",\"askew\":", b",\"aby\":", &mut auth_skew)?;
        after = Timestamp::from_secs(rest.count(b",\"after\":")?);
        rest.last_object(b",\"app\":", app)?;
    }
    Some(Stated {
        is_ours,
        has_person: !sub.is_empty() && !email.is_empty(),
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
    })
}

/// What of a payload has not been read.
///
/// The bytes were decoded a moment ago, and a processor loads them at once only if it loads no more
/// of them than were stored together. So names are arrays, whose comparison is one or two loads,
/// and the end of a text is looked for eight bytes at a time.
struct Rest<'p> {
    /// How long the payload is.
    whole: usize,
    left: &'p [u8],
}

impl Rest<'_> {
    /// Says whether these bytes are next, and goes past them if they are.
    #[inline]
    fn literal<const N: usize>(&mut self, expected: &[u8; N]) -> bool {
        match self.left.split_first_chunk() {
            Some((next, left)) if next == expected => {
                self.left = left;
                true
            }
            _ => false,
        }
    }

    /// Goes past the end of a name, of which there are at most two bytes.
    fn known(&mut self, end_of_name: &[u8]) -> Option<()> {
        for expected in end_of_name {
            self.literal(&[*expected]).then_some(())?;
        }
        Some(())
    }

    /// Reads a claim that is a text, and notes where it stands. `name` ends with the quote before
    /// it.
    #[inline]
    fn text<const N: usize>(&mut self, name: &[u8; N], place: &mut Place) -> Option<()> {
        self.literal(name).then_some(())?;
        place.start = self.whole - self.left.len();
        let length = before_quote(self.left)?;
        place.end = place.start + length;
        self.left = self.left.get(length + 1..)?;
        Some(())
    }

    /// Reads a claim that may be missing. Where it is, the place stays as it is.
    #[inline]
    fn optional<const N: usize>(&mut self, name: &[u8; N], place: &mut Place) -> Option<()> {
        if self.literal(name) {
            self.text(b"", place)?;
        }
        Some(())
    }

    #[inline]
    fn number<const N: usize>(&mut self, name: &[u8; N]) -> Option<Timestamp> {
        self.literal(name).then_some(())?;
        let (number, length) = match moment(self.left) {
            Some(number) => (number, MOMENT),
            None => number(self.left)?,
        };
        self.left = self.left.get(length..)?;
        // Nothing else may stand behind the digits.
        matches!(self.left, [b',' | b'}', ..]).then_some(Timestamp::from_secs(number))
    }

    /// Reads a number of seconds that may be missing, and the mark of the layer that wrote it.
    fn skew<const N: usize, const M: usize>(
        &mut self,
        ahead: &[u8; N],
        by: &[u8; M],
        skew: &mut Skew,
    ) -> Option<()> {
        if self.literal(ahead) {
            let ahead = Duration::from_secs(self.number(b"")?.as_secs());
            *skew = Skew::new(ahead, u32::try_from(self.count(by)?).ok()?);
        }
        Some(())
    }

    /// Reads the last claim, an object that may be missing, and the end of the claims.
    fn last_object(&mut self, name: &[u8], place: &mut Place) -> Option<()> {
        let left = self.left;
        if left == b"}" {
            return Some(());
        }
        let object = left.strip_prefix(name)?.strip_suffix(b"}")?;
        let raw: &RawValue = serde_json::from_slice(object).ok()?;
        // A blank behind it would be no part of the value.
        (object.starts_with(b"{") && raw.get().len() == object.len()).then_some(())?;
        place.start = self.whole - left.len() + name.len();
        place.end = place.start + object.len();
        Some(())
    }

    /// Reads a number that may be missing, and then is zero.
    #[inline]
    fn count<const N: usize>(&mut self, name: &[u8; N]) -> Option<u64> {
        match self.literal(name) {
            true => self.number(b"").map(Timestamp::as_secs),
            false => Some(0),
        }
    }
}

/// The lowest bit of each byte.
const LOWEST: u64 = u64::from_le_bytes([1; 8]);

/// Returns how many bytes stand before the first quote.
#[inline]
fn before_quote(left: &[u8]) -> Option<usize> {
    let (eights, few) = left.as_chunks::<8>();
    let mut at = 0;
    for eight in eights {
        // Quotes become zeros, and zeros get their highest bit. A byte behind a zero may get it,
        // too, by a borrow: the first one counts.
        let zeros = u64::from_le_bytes(*eight) ^ u64::from_le_bytes([b'"'; 8]);
        let quotes = zeros.wrapping_sub(LOWEST) & !zeros & HIGHEST;
        if quotes != 0 {
            return Some(at + usize::try_from(quotes.trailing_zeros() / 8).ok()?);
        }
        at += eight.len();
    }
    let further = few.iter().position(|byte| *byte == b'"')?;
    Some(at + further)
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
