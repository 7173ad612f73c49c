//! Visible ASCII as the value of a header field, sets of its characters, and numbers in it.

use std::fmt;

use http::HeaderValue;

/// A set of ASCII characters: a table, which takes less time than to compare a byte with each.
pub(crate) struct Set([bool; 256]);

impl Set {
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "a byte is below 256, and usize::from is no const function"
    )]
    pub(crate) const fn of(mut characters: &[u8]) -> Self {
        let mut table = [false; 256];
        while let [byte, others @ ..] = characters {
            table[*byte as usize] = true;
            characters = others;
        }
        Self(table)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or_default()
    }
}

/// Makes a field's value of a text whose parts are parsed or encoded to visible ASCII.
///
/// # Panics
///
/// If the text holds a control character. To leave the field out would be worse: without its
/// `Location` a redirect leads nowhere, and without its `Set-Cookie` a person is not signed out.
#[track_caller]
#[expect(
    clippy::expect_used,
    reason = "every caller's text is of parsed or encoded parts"
)]
pub(crate) fn header_value<T>(text: T) -> HeaderValue
where
    HeaderValue: TryFrom<T, Error: fmt::Debug>,
{
    HeaderValue::try_from(text).expect("visible ASCII")
}

/// Writes a number into a room, in decimal digits. To format it would take room of its own.
pub(crate) fn decimal(mut number: u64, room: &mut [u8; 20]) -> &str {
    let mut start = room.len();
    for digit in room.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        (number, start) = (number / 10, start - 1);
        if number == 0 {
            break;
        }
    }
    let digits = room.get(start..).unwrap_or_default();
    str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_it_is_formatted() {
        for number in [0, 9, 10, 3_600, 15_552_000, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string());
        }
    }
}
