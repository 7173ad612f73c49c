//! `Answer`: WorkOS's answer, and what a refusal means.
//!
//! - 429 is a rate limit, 408 and 5xx are an outage, and any other status outside 2xx and 4xx is an
//!   invalid answer.
//! - A 4xx is the person's only if the person can fix it: a code, link or token that is no longer
//!   valid, or an address that is not accepted. Every other 4xx is our configuration, except that
//!   WorkOS is not available if it does not know the session that it is to mail.
//! - Error bodies have five JSON shapes, or are not JSON at all. `code`, `error` and `errors` are
//!   read if they are there. Messages are never read: they repeat the code, the session's id or the
//!   address.

use std::time::Duration;

use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use super::{
    choice,
    complaint::{Complaint, is_machine_word, is_word},
    operation::Operation,
    refusal,
};
use crate::{
    clock::Timestamp,
    provider::{ProviderError, ProviderErrorKind},
};

/// A longer `Retry-After`, in seconds, is reported as this.
const LONGEST_RETRY_AFTER: u64 = 3_600;

/// An answer of WorkOS, with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    date: Option<Timestamp>,
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
                // It goes to the log: a header may hold anything, and a line break would forge a
                // line.
                .filter(|id| is_word(id, |b| b.is_ascii_graphic()))
                .map(str::to_owned),
            // The date form is ignored: it needs the wall clock, and both clocks to agree.
            retry_after: text(RETRY_AFTER.as_str())
                .and_then(|secs| secs.trim().parse::<u64>().ok())
                .map(|secs| Duration::from_secs(secs.min(LONGEST_RETRY_AFTER))),
            date: text(DATE.as_str()).and_then(Timestamp::of_http),
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

    /// Returns when the answer was made, by the clock of its server.
    pub(super) const fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// Says whether the status alone explains the failure, so that an unreadable body does not
    /// matter.
    pub(super) fn is_told_by_status(&self) -> bool {
        // What stands in front of WorkOS answers these itself, and its bodies say nothing more.
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
        let mut kind = kind_of(self.status.as_u16(), operation, &complaint);
        let is_step = kind == ProviderErrorKind::StepUpRequired;
        let choice = is_step.then(|| choice::choice_in(&self.body)).flatten();
        if choice.is_some() {
            kind = ProviderErrorKind::OrganizationRequired;
        }
        let error = self
            .error(kind)
            .with_choice(choice)
            .with_code(complaint.code().filter(|code| is_machine_word(code)));
        // WorkOS itself says that another request was quicker, and that it did not act on this one.
        // A 408 may come from what stands in front of it.
        let is_turned_away =
            self.status.is_client_error() && self.status != StatusCode::REQUEST_TIMEOUT;
        let error = match is_turned_away {
            true => error.before_acting(),
            false => error,
        };
        // Of WorkOS's texts only machine words are kept. Its messages repeat addresses and codes.
        match complaint.words() {
            Some(words) => error.with_source(Cause::Said(words)),
            None => error,
        }
    }
}

fn kind_of(status: u16, operation: Operation, complaint: &Complaint) -> ProviderErrorKind {
    match (status, operation) {
        (_, Operation::Authenticate | Operation::CreateCode | Operation::Select) => {
            refusal::kind_of(status, operation, complaint)
        }
        (429, _) => ProviderErrorKind::RateLimited,
        (408 | 500..=599, _) => ProviderErrorKind::Unavailable,
        (400 | 422, Operation::Create | Operation::Send)
            if complaint.is_about("email")
                || complaint.code() == Some("email_domain_not_deliverable") =>
        {
            ProviderErrorKind::Address
        }
        (_, Operation::Exchange) if complaint.code() == Some("invalid_grant") => {
            ProviderErrorKind::Refused
        }
        // The code comes from a query that anyone can write. So a malformed code does not mean that
        // our configuration is wrong.
        (400 | 422, Operation::Exchange) if complaint.is_about("code") => {
            ProviderErrorKind::Refused
        }
        // This call is authenticated by the person's token, not by our key.
        (401, Operation::Profile) => ProviderErrorKind::Refused,
        // The only parameter is the session's id, so the message is "has expired or is invalid".
        // WorkOS made the session a moment before. So a body that names nothing says nothing of the
        // address or the person.
        (422, Operation::Send) => ProviderErrorKind::Unavailable,
        (404, Operation::Send) if complaint.code() == Some("entity_not_found") => {
            ProviderErrorKind::Unavailable
        }
        (400..=499, _) => ProviderErrorKind::Misconfigured,
        _ => ProviderErrorKind::InvalidAnswer,
    }
}

#[cfg(test)]
mod tests;
