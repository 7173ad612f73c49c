//! The refusals of `/user_management/…`, as answers and as [`Fault`]s.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Fault,
    answer::{self, Answer},
};

impl Fault {
    /// Answers `{"code":…,"message":…}`, and does no work. Examples: `daily_quota_exceeded` with
    /// 429, `email_domain_not_deliverable` with 400.
    #[must_use]
    pub fn refusal(status: StatusCode, code: &str) -> Self {
        Self::json(status, &coded(code, "Refused, as ordered."))
    }

    /// Answers 400 `{"error":…,"error_description":…}`, and does no work. Examples:
    /// `sign_up_not_allowed`, `sso_required`.
    #[must_use]
    pub fn oauth_refusal(error: &str) -> Self {
        Self::json(
            StatusCode::BAD_REQUEST,
            &oauth(error, "Refused, as ordered."),
        )
    }

    /// Answers 403 with a step that WorkOS requires after a valid code, and a
    /// `pending_authentication_token` to continue with, and does no work. Examples:
    /// `mfa_enrollment`, `mfa_challenge`, `email_verification_required`,
    /// `organization_selection_required`.
    #[must_use]
    pub fn step_up(code: &str) -> Self {
        let body = json!({
            "code": code,
            "message": "One more step is needed, as ordered.",
            "pending_authentication_token": "pending_as_ordered",
        });
        Self::json(StatusCode::FORBIDDEN, &body)
    }

    fn json(status: StatusCode, body: &Value) -> Self {
        Self::Answer {
            status,
            content_type: "application/json; charset=utf-8".to_owned(),
            body: body.to_string(),
        }
    }
}

pub(super) fn refuse(code: &str, message: &str) -> Answer {
    answer::json(StatusCode::BAD_REQUEST, &coded(code, message))
}

pub(super) fn refuse_oauth(error: &str, description: &str) -> Answer {
    answer::json(StatusCode::BAD_REQUEST, &oauth(error, description))
}

/// Refuses wrong fields, each with its name, a code and a text.
pub(super) fn refuse_fields<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'static str, String)>,
) -> Answer {
    let fields = fields.into_iter();
    let errors =
        fields.map(|(field, code, text)| json!({ "field": field, "code": code, "message": text }));
    let body = json!({
        "code": "invalid_request_parameters",
        "message": "Validation failed",
        "errors": errors.collect::<Vec<_>>(),
    });
    answer::json(StatusCode::UNPROCESSABLE_ENTITY, &body)
}

fn coded(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

fn oauth(error: &str, description: &str) -> Value {
    json!({ "error": error, "error_description": description })
}
