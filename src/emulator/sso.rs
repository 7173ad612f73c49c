//! `/sso/token` and `/sso/profile`: a code for a profile.
//!
//! - A code is removed before the answer is made, so that only one of many requests with it
//!   succeeds.
//! - Bad credentials do not use up the code. The token endpoint answers 400, not 401.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Emulator,
    answer::{self, Answer},
    call::{self, Call},
    id, lock,
};

const PARAMETERS: [&str; 4] = ["client_id", "client_secret", "code", "grant_type"];
const ACCESS_LIFETIME: Duration = Duration::from_secs(600);

impl Emulator {
    pub(super) fn token(&self, call: &Call<'_>) -> Answer {
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(bad) => return bad.answer(),
        };
        let parameters = PARAMETERS.map(|name| fields.get(name).and_then(Value::as_str));
        let [
            Some(client_id),
            Some(client_secret),
            Some(code),
            Some(grant_type),
        ] = parameters
        else {
            let given = PARAMETERS.iter().zip(parameters);
            let missing = given.filter(|(_, value)| value.is_none());
            return refuse_missing(missing.map(|(name, _)| *name));
        };
        if grant_type != "authorization_code" {
            return refuse("unsupported_grant_type", "The grant type is not supported.");
        }
        if client_id.is_empty() {
            return refuse("invalid_client", "Invalid client ID.");
        }
        if !call::is_api_key(client_secret) {
            return refuse("invalid_client", "Invalid client ID or secret.");
        }
        // Drawn before the code is redeemed: a failure here must not use the code up.
        let access_token = match id::draw("") {
            Ok(access_token) => access_token,
            Err(error) => return answer::no_randomness(error),
        };
        let now = self.now();
        let profile = lock(&self.shared.codes).take(code, now);
        let Some(profile) = profile else {
            let text = format!("The code '{code}' has expired or is invalid.");
            return refuse("invalid_grant", &text);
        };
        let body = json!({
            "token_type": "Bearer",
            "access_token": access_token,
            "expires_in": ACCESS_LIFETIME.as_secs(),
            "profile": profile.to_json(),
        });
        lock(&self.shared.access_tokens).put(access_token, profile, now + ACCESS_LIFETIME, now);
        answer::json(StatusCode::OK, &body)
    }

    pub(super) fn profile(&self, call: &Call<'_>) -> Answer {
        let now = self.now();
        let access_tokens = lock(&self.shared.access_tokens);
        let profile = call
            .bearer()
            .and_then(|token| access_tokens.find(token, now));
        match profile {
            Some(profile) => answer::json(StatusCode::OK, &profile.to_json()),
            None => answer::json(
                StatusCode::UNAUTHORIZED,
                &json!({ "error": "Unauthorized" }),
            ),
        }
    }
}

fn refuse(error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description });
    answer::json(StatusCode::BAD_REQUEST, &body)
}

fn refuse_missing<'a>(parameters: impl Iterator<Item = &'a str>) -> Answer {
    let error = |field: &str| {
        let message = format!("{field} is required");
        json!({ "field": field, "code": "missing_required_parameter", "message": message })
    };
    let body = json!({
        "message": "Validation failed",
        "code": "invalid_request_parameters",
        "errors": parameters.map(error).collect::<Vec<_>>(),
    });
    answer::json(StatusCode::UNPROCESSABLE_ENTITY, &body)
}
