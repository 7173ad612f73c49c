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
        Self(form_urlencoded::parse(form).collect())
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

    use super::*;

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
