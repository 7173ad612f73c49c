//! `Answer`: WorkOS's answer, and what a refusal means.
//!
//! - 429 is a rate limit, 408 and 5xx are an outage, and any other status outside 2xx and 4xx is an
//!   invalid answer.
//! - A 4xx is the person's only if the person can fix it: a code, link or token that is no longer
//!   valid, or an address that is not accepted. Every other 4xx is our configuration.
//! - Error bodies have five JSON shapes, or are not JSON at all. `code`, `error` and `errors` are
//!   read if they are there. Messages are never read: they repeat the code, the session's id or the
//!   address.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::{
    complaint::{Complaint, is_machine_word, is_word},
    operation::Operation,
    refusal,
};
use crate::provider::{ProviderError, ProviderErrorKind};

/// A longer `Retry-After`, in seconds, is reported as this.
const LONGEST_RETRY_AFTER: u64 = 3_600;

/// An answer of WorkOS, with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// Why an answer was not accepted. The texts hold no personal data and no secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("connection type {0}")]
    ConnectionType(String),
    #[error("answer lacks {0}, or its value is invalid")]
    Lacks(&'static str),
    #[error("answer is a redirect, which is not followed")]
    Redirect,
    #[error("workos says {0}")]
    Said(String),
    #[error("answer is not the expected JSON, at line {line}, column {column}")]
    Shape { line: usize, column: usize },
    #[error("answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the user's address is not verified")]
    Unverified,
    #[error("{0} is invalid and was not sent")]
    Unsendable(&'static str),
}

impl Answer {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            status,
            request_id: text("x-request-id")
                .filter(|id| is_word(id, |b| b.is_ascii_graphic()))
                .map(str::to_owned),
            // The date form is ignored: it needs the wall clock, and both clocks to agree.
            retry_after: text(RETRY_AFTER.as_str())
                .and_then(|secs| secs.trim().parse::<u64>().ok())
                .map(|secs| Duration::from_secs(secs.min(LONGEST_RETRY_AFTER))),
            body: Vec::new(),
        }
    }

    pub(super) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Says whether the status alone explains the failure, so that an unreadable body does not
    /// matter.
    pub(super) fn is_told_by_status(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }

    /// Reads the body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // serde_json's own text quotes the input, which may be a code or an address.
            self.error(ProviderErrorKind::InvalidAnswer)
                .with_source(Cause::Shape {
                    line: error.line(),
                    column: error.column(),
                })
        })
    }

    pub(super) const fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// Creates an error with this answer's status, request id and `Retry-After`.
    pub(super) fn error(&self, kind: ProviderErrorKind) -> ProviderError {
        ProviderError::new(kind)
            .with_status(self.status.as_u16())
            .with_request_id(self.request_id.clone())
            .with_retry_after(self.retry_after)
    }

    /// Creates the error for an answer outside 2xx.
    pub(super) fn refusal(&self, operation: Operation) -> ProviderError {
        if self.status.is_redirection() {
            return self
                .error(ProviderErrorKind::InvalidAnswer)
                .with_source(Cause::Redirect);
        }
        let complaint = Complaint::read(&self.body);
        let error = self
            .error(kind_of(self.status.as_u16(), operation, &complaint))
            .with_code(complaint.code().filter(|code| is_machine_word(code)));
        match complaint.words() {
            Some(words) => error.with_source(Cause::Said(words)),
            None => error,
        }
    }
}

fn kind_of(status: u16, operation: Operation, complaint: &Complaint) -> ProviderErrorKind {
    match (status, operation) {
        (_, Operation::Authenticate | Operation::CreateCode) => {
            refusal::kind_of(status, operation, complaint)
        }
        (429, _) => ProviderErrorKind::RateLimited,
        (408 | 500..=599, _) => ProviderErrorKind::Unavailable,
        (400 | 422, Operation::Create) if complaint.is_about("email") => ProviderErrorKind::Address,
        (_, Operation::Exchange) if complaint.code() == Some("invalid_grant") => {
            ProviderErrorKind::Refused
        }
        // The code comes from a query that anybody can write: a malformed one is not our
        // configuration.
        (400 | 422, Operation::Exchange) if complaint.is_about("code") => {
            ProviderErrorKind::Refused
        }
        // This call is authenticated by the person's token, not by our key.
        (401, Operation::Profile) => ProviderErrorKind::Refused,
        // The only parameter is the session's id, so the message is "has expired or is invalid".
        (422, Operation::Send) => ProviderErrorKind::Refused,
        (404, Operation::Send) if complaint.code() == Some("entity_not_found") => {
            ProviderErrorKind::Refused
        }
        (400..=499, _) => ProviderErrorKind::Misconfigured,
        _ => ProviderErrorKind::InvalidAnswer,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(StatusCode::from_u16(status).unwrap(), &HeaderMap::new())
            .with_body(body.as_bytes().to_vec())
    }

    #[test]
    fn a_refusal_is_the_persons_only_where_the_person_can_mend_it() {
        use Operation::{Create, Exchange, Profile, Send};
        use ProviderErrorKind::{
            Address, InvalidAnswer, Misconfigured, RateLimited, Refused, Unavailable,
        };
        let grant = r#"{"error":"invalid_grant","error_description":"The code '01' has expired."}"#;
        let named = |field: &str| {
            format!(
                r#"{{"message":"Validation failed","code":"invalid_request_parameters","errors":[{{"field":"{field}","code":"missing_required_parameter"}}]}}"#
            )
        };
        let cases = [
            ("code used", 400, Exchange, grant.to_owned(), Refused),
            (
                "code used, as 422",
                422,
                Exchange,
                grant.to_owned(),
                Refused,
            ),
            ("code malformed", 422, Exchange, named("code"), Refused),
            (
                "client id missing",
                422,
                Exchange,
                named("client_id"),
                Misconfigured,
            ),
            (
                "wrong client",
                400,
                Exchange,
                r#"{"error":"invalid_client"}"#.into(),
                Misconfigured,
            ),
            (
                "wrong key",
                400,
                Exchange,
                r#"{"error":"unauthorized_client"}"#.into(),
                Misconfigured,
            ),
            (
                "grant type",
                400,
                Exchange,
                r#"{"error":"unsupported_grant_type"}"#.into(),
                Misconfigured,
            ),
            (
                "no such endpoint",
                404,
                Exchange,
                r#"{"message":"Not Found"}"#.into(),
                Misconfigured,
            ),
            (
                "email named",
                422,
                Create,
                r#"{"errors":[{"field":"email","code":"email must be a string"}]}"#.into(),
                Address,
            ),
            (
                "email in the code",
                422,
                Create,
                r#"{"errors":[{"code":"email_required"}]}"#.into(),
                Address,
            ),
            (
                "email in a text",
                400,
                Create,
                r#"{"errors":["email must be an email"]}"#.into(),
                Address,
            ),
            (
                "email and type",
                422,
                Create,
                r#"{"errors":[{"field":"type"},{"field":"email"}]}"#.into(),
                Address,
            ),
            (
                "redirect uri",
                422,
                Create,
                named("redirect_uri"),
                Misconfigured,
            ),
            (
                "another word",
                422,
                Create,
                r#"{"errors":["emails are off"]}"#.into(),
                Misconfigured,
            ),
            (
                "errors is a map",
                422,
                Create,
                r#"{"errors":{"email":["no"]}}"#.into(),
                Misconfigured,
            ),
            (
                "bad key",
                401,
                Create,
                r#"{"message":"Unauthorized"}"#.into(),
                Misconfigured,
            ),
            ("forbidden", 403, Create, "<html>".into(), Misconfigured),
            ("no body", 400, Create, String::new(), Misconfigured),
            (
                "session expired",
                422,
                Send,
                r#"{"message":"The passwordless session 'x' has expired or is invalid."}"#.into(),
                Refused,
            ),
            (
                "session unknown",
                404,
                Send,
                r#"{"message":"no","code":"entity_not_found","entity_id":"x"}"#.into(),
                Refused,
            ),
            (
                "send is unknown",
                404,
                Send,
                r#"{"message":"Not Found"}"#.into(),
                Misconfigured,
            ),
            (
                "bad key at send",
                401,
                Send,
                r#"{"message":"Unauthorized"}"#.into(),
                Misconfigured,
            ),
            (
                "token expired",
                401,
                Profile,
                r#"{"error":"Unauthorized"}"#.into(),
                Refused,
            ),
            (
                "a grant is not a session",
                400,
                Send,
                grant.to_owned(),
                Misconfigured,
            ),
            ("too many", 429, Exchange, "slow down".into(), RateLimited),
            ("timed out there", 408, Exchange, String::new(), Unavailable),
            ("outage", 503, Exchange, grant.to_owned(), Unavailable),
            ("redirect", 302, Create, String::new(), InvalidAnswer),
            ("beyond http", 600, Create, String::new(), InvalidAnswer),
        ];
        for (name, status, operation, body, want) in cases {
            let got = answer(status, &body).refusal(operation);
            assert_eq!(got.kind(), want, "{name}");
            assert_eq!(got.status(), Some(status), "{name}");
        }
    }

    #[test]
    fn only_plain_machine_words_of_an_error_body_are_kept() {
        let cases = [
            (
                "oauth",
                r#"{"error":"invalid_grant","error_description":"01CODE"}"#,
                Some("invalid_grant"),
            ),
            (
                "code first",
                r#"{"code":"entity_not_found","error":"other","entity_id":"01"}"#,
                Some("entity_not_found"),
            ),
            (
                "fields",
                r#"{"code":"invalid_request_parameters","errors":[{"field":"redirect_uri"}]}"#,
                Some("invalid_request_parameters, redirect_uri"),
            ),
            (
                "null for a code",
                r#"{"code":null,"error":"invalid_grant"}"#,
                Some("invalid_grant"),
            ),
            ("a sentence", r#"{"error":"the code 01 is bad"}"#, None),
            ("an address", r#"{"error":"ada@example.com"}"#, None),
            ("capitals", r#"{"error":"Unauthorized"}"#, None),
            ("a number", r#"{"error":7}"#, None),
            ("empty", r#"{"error":""}"#, None),
            (
                "long",
                &format!(r#"{{"error":"{}"}}"#, "a".repeat(65)),
                None,
            ),
            ("message alone", r#"{"message":"secret"}"#, None),
            ("not json", "<html>secret</html>", None),
            ("a list", r#"["secret"]"#, None),
        ];
        for (name, body, want) in cases {
            assert_eq!(
                Complaint::read(body.as_bytes()).words().as_deref(),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn headers_of_an_answer_are_kept_only_in_bounds() {
        let long = "r".repeat(65);
        let cases = [
            (
                "request id",
                "x-request-id",
                "req_01-a/b",
                Some("req_01-a/b"),
                None,
            ),
            ("with a space", "x-request-id", "a b", None, None),
            ("not ascii", "x-request-id", "caf\u{e9}", None, None),
            ("empty", "x-request-id", "", None, None),
            ("too long", "x-request-id", &long, None, None),
            ("seconds", "retry-after", " 7 ", None, Some(7)),
            ("zero", "retry-after", "0", None, Some(0)),
            ("a year", "retry-after", "31536000", None, Some(3_600)),
            (
                "a date",
                "retry-after",
                "Wed, 21 Oct 2026 07:28:00 GMT",
                None,
                None,
            ),
            ("negative", "retry-after", "-1", None, None),
        ];
        for (name, header, value, request_id, secs) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            let error = Answer::new(StatusCode::OK, &headers).error(ProviderErrorKind::RateLimited);
            assert_eq!(error.request_id(), request_id, "{name}");
            assert_eq!(error.retry_after(), secs.map(Duration::from_secs), "{name}");
        }
    }
}
