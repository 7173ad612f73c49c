//! The fields of a query or form. A repeated field is an error, because another reader might take
//! the first or the last (parameter pollution).

use std::{borrow::Cow, time::Duration};

use http::HeaderMap;

use crate::{rejection::RejectionKind, request::body::BodyHead, site::endpoint::LONGEST_FORM};

/// How long a form may take to arrive. A person's form takes one packet.
pub(crate) const FORM_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a query that an endpoint reads.
const LONGEST_QUERY: usize = 8 * 1_024;

/// The decoded fields of a query or form.
pub(crate) struct Fields<'f>(Vec<(Cow<'f, str>, Cow<'f, str>)>);

impl<'f> Fields<'f> {
    pub(crate) fn of_query(query: Option<&'f str>) -> Result<Self, RejectionKind> {
        let query = query.unwrap_or_default();
        if query.len() > LONGEST_QUERY {
            return Err(RejectionKind::Malformed);
        }
        Ok(Self::of_form(query.as_bytes()))
    }

    pub(crate) fn of_form(form: &'f [u8]) -> Self {
        let pairs = form.split(|byte| *byte == b'&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(equals).unwrap_or((pair, b""));
            (decoded(name), decoded(value.get(1..).unwrap_or_default()))
        });
        Self(pairs.collect())
    }

    /// Returns the field of a name, if there is one.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, RejectionKind> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(Some(value)),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(RejectionKind::Malformed),
        }
    }
}

/// Decodes a name or a value, as the crate `form_urlencoded` does. That one makes room for a value
/// several times over, reads a value in which nothing is encoded three times, and copies byte by
/// byte.
fn decoded(text: &[u8]) -> Cow<'_, str> {
    if memchr::memchr2(b'+', b'%', text).is_none() {
        // Asked first, since that one reads a text in pieces, to find out whether it is one.
        return str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed);
    }
    let mut bytes = Vec::with_capacity(text.len());
    for (at, piece) in text.split(|byte| *byte == b'+').enumerate() {
        if at > 0 {
            bytes.push(b' ');
        }
        extend_decoded(&mut bytes, piece);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Appends what percent signs encode. One that no two hexadecimal digits follow stands for itself.
fn extend_decoded(bytes: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = memchr::memchr(b'%', text) {
        let (plain, encoded) = text.split_at(at);
        bytes.extend_from_slice(plain);
        let digit = |at| char::from(*encoded.get(at)?).to_digit(16);
        let byte = digit(1).zip(digit(2)).map(|(high, low)| high * 16 + low);
        let byte = byte.and_then(|byte| u8::try_from(byte).ok());
        bytes.push(byte.unwrap_or(b'%'));
        let length = byte.map_or(1, |_| 3);
        text = encoded.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(text);
}

/// Checks by its head whether a form is one that the layer reads.
pub(crate) fn accept_form(headers: &HeaderMap) -> Result<(), RejectionKind> {
    let body = BodyHead::of(headers);
    if body.is_longer_than(LONGEST_FORM) {
        return Err(RejectionKind::TooLarge);
    }
    // A post with nothing in it needs no type: fetch("/auth/logout", { method: "POST" }).
    if body.is("application/x-www-form-urlencoded") || body.is_absent() {
        return Ok(());
    }
    Err(RejectionKind::UnsupportedMediaType)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_form_is_read_exactly_as_the_crate_form_urlencoded_reads_it(
            form in prop_oneof![
                "[a-c&=+%2é]{0,40}".prop_map(String::into_bytes),
                "(%[0-9A-Fa-f]{2}|[a-z&=+])*".prop_map(String::into_bytes),
                proptest::collection::vec(any::<u8>(), 0..60),
            ],
        ) {
            let want: Vec<_> = form_urlencoded::parse(&form).collect();
            prop_assert_eq!(Fields::of_form(&form).0, want);
        }
    }

    #[test]
    fn a_field_that_is_given_twice_is_an_error() {
        let fields = Fields::of_form(b"a=1&b=2&a=3&%62=4&c[]=5&d=%20+");
        assert_eq!(fields.one("a"), Err(RejectionKind::Malformed));
        assert_eq!(fields.one("b"), Err(RejectionKind::Malformed));
        assert_eq!(fields.one("c"), Ok(None));
        assert_eq!(fields.one("d"), Ok(Some("  ")));
    }

    #[test]
    fn a_form_is_known_by_its_head() {
        let form = "application/x-www-form-urlencoded";
        type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], Result<(), RejectionKind>);
        let cases: [Case<'_>; 9] = [
            (
                "form",
                &[("content-type", form), ("content-length", "20")],
                Ok(()),
            ),
            (
                "with charset",
                &[(
                    "content-type",
                    "application/X-www-form-urlencoded; charset=utf-8",
                )],
                Ok(()),
            ),
            ("nothing at all", &[], Ok(())),
            ("empty", &[("content-length", "0")], Ok(())),
            (
                "untyped",
                &[("content-length", "1")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "untyped and chunked",
                &[("transfer-encoding", "chunked")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "json",
                &[("content-type", "application/json")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "multipart",
                &[("content-type", "multipart/form-data; boundary=x")],
                Err(RejectionKind::UnsupportedMediaType),
            ),
            (
                "large",
                &[("content-type", form), ("content-length", "16385")],
                Err(RejectionKind::TooLarge),
            ),
        ];
        for (name, fields, want) in cases {
            let mut headers = HeaderMap::new();
            for (field, value) in fields {
                headers.insert(
                    HeaderName::try_from(*field).unwrap(),
                    HeaderValue::try_from(*value).unwrap(),
                );
            }
            assert_eq!(accept_form(&headers), want, "{name}");
        }
    }
}
