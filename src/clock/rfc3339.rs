//! Moments as WorkOS writes them: RFC 3339, `2026-05-02T23:50:29.479Z`.

use super::Timestamp;

impl Timestamp {
    /// Parses a moment since 1970, dropping fractions of a second. An offset is converted to UTC:
    /// `01:50:29+02:00` is `23:50:29Z`.
    pub(crate) fn of_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let is_moment = matches!(
            (month, hour, minute, second),
            // A leap second is written as 60 (RFC 3339, section 5.6).
            (1..=12, 0..=23, 0..=59, 0..=60)
        ) && (1..=days_of(year, month)).contains(&day)
            && year >= 1970;
        if !is_moment {
            return None;
        }
        let offset = match rest.strip_prefix('.') {
            Some(fraction) => {
                let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                (offset.len() < fraction.len()).then_some(offset)?
            }
            None => rest,
        };
        let local = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        local.checked_add_signed(-seconds_east(offset)?).map(Self)
    }
}

/// Returns how many seconds an offset is ahead of UTC.
fn seconds_east(offset: &str) -> Option<i64> {
    let sign = match offset.chars().next()? {
        'Z' | 'z' if offset.len() == 1 => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(offset.get(1..)?, ':', [2, 2])?;
    let seconds = i64::try_from(hours * 3_600 + minutes * 60).ok()?;
    (hours < 24 && minutes < 60).then_some(sign * seconds)
}

/// Returns the days since 1970, by Howard Hinnant's `days_from_civil`. Its years begin in March, so
/// that the leap day is the last of a year.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days - 719_468
}

const fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn is_leap_year(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        // `parse` alone would take a sign.
        let is_number = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_to_the_second() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.999999Z", Some(0)),
            ("2000-02-28T23:59:59.000Z", Some(951_782_399)),
            ("2000-02-29T00:00:00.000Z", Some(951_782_400)),
            ("2000-03-01T00:00:00.000Z", Some(951_868_800)),
            ("2020-09-16T15:44:08.475Z", Some(1_600_271_048)),
            ("2020-09-16t15:44:08z", Some(1_600_271_048)),
            ("2020-09-16 17:44:08+02:00", Some(1_600_271_048)),
            ("2020-09-16T10:14:08.5-05:30", Some(1_600_271_048)),
            ("2024-12-31T23:59:60Z", Some(1_735_689_600)),
            ("2100-03-01T00:00:00.000Z", Some(4_107_542_400)),
            ("1970-01-01T00:59:59+01:00", None),
            ("1969-12-31T23:59:59Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2023-04-31T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-00-01T00:00:00Z", None),
            ("2023-01-00T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:60:00Z", None),
            ("2023-01-01T00:00:61Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01T00:00:00ZZ", None),
            ("2023-01-01T00:00:00+0100", None),
            ("2023-01-01T00:00:00+24:00", None),
            ("2023-1-01T00:00:000Z", None),
            ("+023-01-01T00:00:00Z", None),
            ("1700000000000", None),
            ("2023-01-0é", None),
            ("", None),
        ];
        for (text, want) in cases {
            let want = want.map(Timestamp);
            assert_eq!(Timestamp::of_rfc3339(text), want, "{text}");
        }
    }
}
