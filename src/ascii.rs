//! Visible ASCII as the value of a header field.

use std::fmt;

use http::HeaderValue;

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
