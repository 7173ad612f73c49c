//! Visible ASCII as the value of a header field, and sets of its characters.

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
