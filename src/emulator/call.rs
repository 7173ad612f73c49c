//! `Call`: a request as the endpoints see it.
//!
//! - The `Content-Type` decides how a body is read, as in the server that WorkOS is built on: JSON
//!   under another type has no fields.

use std::{future::poll_fn, pin::pin};

use bytes::{Buf, Bytes};
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use serde_json::{Map, Value};

use super::answer::{self, Answer};

/// The longest body that is parsed.
const LONGEST_BODY: usize = 64 * 1_024;
/// How much of a longer body is read and dropped. A server that stops reading resets the
/// connection, and the client might never see the refusal.
const LONGEST_DRAIN: usize = 1_024 * 1_024;

pub(super) struct Call<'a> {
    /// The id or token from the path.
    pub(super) id: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum BadBody {
    BreaksOff,
    NotJson,
    TooLong,
}

impl<'a> Call<'a> {
    /// Returns the credentials of the `Authorization` header, if its scheme is `Bearer`.
    pub(super) fn bearer(&self) -> Option<&'a str> {
        // RFC 9110, section 11.1: the case of the scheme does not matter.
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| credentials.trim())
    }

    /// Returns the fields of the body, a form's as texts. A body that is neither a form nor a JSON
    /// object has none.
    ///
    /// # Errors
    ///
    /// When its `Content-Type` is JSON and its text is not.
    pub(super) fn fields(&self) -> Result<Map<String, Value>, BadBody> {
        let content_type = self.headers.get(header::CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let fields = form_urlencoded::parse(self.body).into_owned();
            return Ok(fields
                .map(|(name, value)| (name, Value::String(value)))
                .collect());
        }
        // An empty body of that type has no fields, and is no invalid JSON.
        if !essence.eq_ignore_ascii_case("application/json") || self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Ok(Map::new()),
            Err(_) => Err(BadBody::NotJson),
        }
    }
}

impl BadBody {
    pub(super) fn answer(self) -> Answer {
        let (status, text) = match self {
            Self::BreaksOff => (StatusCode::BAD_REQUEST, "The request body breaks off."),
            Self::NotJson => (
                StatusCode::BAD_REQUEST,
                "The request body is not valid JSON.",
            ),
            Self::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request body is too long.",
            ),
        };
        answer::message(status, text)
    }
}

/// Says whether a text is an API key. Any that begins with `sk_` is.
pub(super) fn is_api_key(key: &str) -> bool {
    key.strip_prefix("sk_").is_some_and(|rest| !rest.is_empty())
}

/// Reads a body to its end.
///
/// # Errors
///
/// When it is too long or breaks off.
pub(super) async fn read<B: Body>(body: B) -> Result<Bytes, BadBody> {
    let mut body = pin!(body);
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(mut piece) = frame.map_err(|_| BadBody::BreaksOff)?.into_data() else {
            continue;
        };
        length = length.saturating_add(piece.remaining());
        if length > LONGEST_DRAIN {
            break;
        }
        if length <= LONGEST_BODY {
            bytes.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
        }
    }
    if length > LONGEST_BODY {
        return Err(BadBody::TooLong);
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_that_begins_with_sk_is_an_api_key() {
        for (key, want) in [
            ("sk_test_a", true),
            ("sk_x", true),
            ("sk_", false),
            ("pk_a", false),
            ("", false),
        ] {
            assert_eq!(is_api_key(key), want, "{key}");
        }
    }

    #[test]
    fn credentials_are_those_of_the_bearer_scheme() {
        let cases = [
            ("Bearer sk_a", Some("sk_a")),
            ("bearer sk_a", Some("sk_a")),
            ("Basic sk_a", None),
            ("Bearersk_a", None),
            ("sk_a", None),
        ];
        for (value, want) in cases {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            let call = Call {
                id: "",
                headers: &headers,
                body: b"",
            };
            assert_eq!(call.bearer(), want, "{value}");
        }
    }

    #[test]
    fn a_body_has_the_fields_that_its_content_type_gives_it() {
        let json = r#"{"a":"1+2"}"#;
        let cases = [
            ("json", "application/json", json, Some(Some("1+2"))),
            (
                "json with a charset",
                "Application/JSON; charset=utf-8",
                json,
                Some(Some("1+2")),
            ),
            (
                "form",
                "application/x-www-form-urlencoded;charset=utf-8",
                "a=1%2B2",
                Some(Some("1+2")),
            ),
            ("json as text", "text/plain", json, Some(None)),
            ("nothing", "application/json", "", Some(None)),
            ("no object", "application/json", "[1]", Some(None)),
            ("no json", "application/json", "{", None),
        ];
        for (name, content_type, body, want) in cases {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
            let call = Call {
                id: "",
                headers: &headers,
                body: body.as_bytes(),
            };
            let fields = call.fields().ok();
            let got = fields
                .as_ref()
                .map(|fields| fields.get("a").and_then(Value::as_str));
            assert_eq!(got, want, "{name}");
        }
    }
}
