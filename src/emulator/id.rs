//! Ids, tokens and times in WorkOS's shapes.
//!
//! - A suffix is 26 characters of Crockford's base 32, as in a ULID, and begins with `01`.
//! - Unguessable ids are 120 bits of the system's randomness. Stable ids are the SHA-256 of a name.

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Three times five bytes: 24 characters after the `01`.
const SUFFIX: usize = 15;

/// Draws an unguessable id.
///
/// # Errors
///
/// When the system has no randomness.
pub(super) fn draw(prefix: &str) -> Result<String, getrandom::Error> {
    let mut random = [0; SUFFIX];
    getrandom::fill(&mut random)?;
    Ok(with_suffix(prefix, &random))
}

/// Returns the id that always belongs to a name.
pub(super) fn stable(prefix: &str, name: &str) -> String {
    with_suffix(prefix, &Sha256::digest(name))
}

/// Formats a moment as WorkOS does: ISO 8601 in UTC with milliseconds.
pub(super) fn iso8601(moment: Timestamp) -> String {
    let ([year, month, day], time) = (date(moment), time(moment));
    format!("{year:04}-{month:02}-{day:02}T{time}.000Z")
}

/// Formats a moment for the field `Date` (RFC 9110, section 5.6.7).
pub(super) fn http_date(moment: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let ([year, month, day], time) = (date(moment), time(moment));
    let mut days = DAYS.into_iter().cycle();
    let at = usize::try_from(moment.as_secs() / 86_400 % 7).unwrap_or_default();
    let weekday = days.nth(at).unwrap_or_default();
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|at| MONTHS.get(at));
    let month = month.copied().unwrap_or_default();
    format!("{weekday}, {day:02} {month} {year:04} {time} GMT")
}

/// Returns the time of day.
fn time(moment: Timestamp) -> String {
    let second = moment.as_secs() % 86_400;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// Returns the year, the month and the day.
fn date(moment: Timestamp) -> [u64; 3] {
    let days = moment.as_secs() / 86_400;
    // Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is a year's
    // last.
    // Days from 1 March of the year 0 to 1 January 1970.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    if month < 10 {
        [era * 400 + year, month + 3, day]
    } else {
        [era * 400 + year + 1, month - 9, day]
    }
}

fn with_suffix(prefix: &str, bytes: &[u8]) -> String {
    let mut id = format!("{prefix}01");
    for five in bytes.chunks_exact(5).take(SUFFIX / 5) {
        let bits = five
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for shift in (0..8).rev() {
            let digit = usize::try_from(bits >> (shift * 5) & 31).unwrap_or_default();
            id.extend(CROCKFORD.get(digit).map(|byte| char::from(*byte)));
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_has_a_suffix_of_26_crockford_characters() {
        for id in [draw("code_").unwrap(), stable("code_", "ada@example.com")] {
            let suffix = id.strip_prefix("code_01").unwrap();
            assert_eq!(suffix.len(), 24, "{id}");
            assert!(suffix.bytes().all(|b| CROCKFORD.contains(&b)), "{id}");
        }
    }

    #[test]
    fn bits_are_written_from_the_highest_down() {
        let bytes = [
            0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x08, 0, 0, 0, 0,
        ];
        assert_eq!(with_suffix("", &bytes), "0100000001ZZZZZZZZ10000000");
    }

    #[test]
    fn drawn_ids_differ_and_stable_ones_belong_to_their_name() {
        let drawn: HashSet<_> = (0..1_000).map(|_| draw("").unwrap()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert_eq!(stable("prof_", "ada"), stable("prof_", "ada"));
        assert_ne!(stable("prof_", "ada"), stable("prof_", "eve"));
    }

    #[test]
    fn every_bit_of_the_input_reaches_the_id() {
        let mut ids = HashSet::from([with_suffix("", &[0; SUFFIX])]);
        for bit in 0..SUFFIX * 8 {
            let mut bytes = [0; SUFFIX];
            bytes[bit / 8] = 1 << (bit % 8);
            assert!(ids.insert(with_suffix("", &bytes)), "bit {bit}");
        }
    }

    #[test]
    fn moments_are_written_as_http_has_dates() {
        let cases = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ];
        for (secs, want) in cases {
            assert_eq!(http_date(Timestamp::from_secs(secs)), want, "{secs}");
        }
    }

    #[test]
    fn moments_are_written_in_iso_8601() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_600_271_048, "2020-09-16T15:44:08.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (1_735_689_600, "2025-01-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ];
        for (secs, want) in cases {
            assert_eq!(iso8601(Timestamp::from_secs(secs)), want, "{secs}");
        }
    }
}
