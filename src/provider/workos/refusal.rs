//! Classifies refusals of Magic Auth by WorkOS's machine code.
//!
//! - The codes come from WorkOS's OpenAPI specification of 2026-08 and from its Python SDK 10.8. An
//!   unknown code counts as the person's for a 403 of an authentication, and as our configuration
//!   otherwise.
//! - The code takes precedence over the status, except in an outage: a spent code means the same to
//!   the person as 400 or as 429.

use crate::provider::ProviderErrorKind;
use crate::provider::workos::complaint::Complaint;
use crate::provider::workos::operation::Operation;

pub(super) fn kind_of(
    status: u16,
    operation: Operation,
    complaint: &Complaint,
) -> ProviderErrorKind {
    match status {
        // Before the code: what a server says in an outage is no verdict on the proof.
        408 | 500..=599 => return ProviderErrorKind::Unavailable,
        400..=499 => {}
        _ => return ProviderErrorKind::InvalidAnswer,
    }
    let known = complaint
        .codes()
        .find_map(|code| kind_of_code(operation, code));
    if let Some(kind) = known {
        return kind;
    }
    match (status, operation) {
        (429, _) => ProviderErrorKind::RateLimited,
        // The person's input is sent as it is: if it is no code, our configuration is not at fault.
        (400 | 422, Operation::Authenticate) if complaint.is_about("code") => {
            ProviderErrorKind::CodeWrong
        }
        (400 | 422, Operation::Select) if complaint.is_about("pending_authentication_token") => {
            ProviderErrorKind::Refused
        }
        (400 | 422, Operation::Select) if complaint.is_about("organization_id") => {
            ProviderErrorKind::NotAllowed
        }
        (400 | 422, _) if complaint.is_about("email") => ProviderErrorKind::Address,
        (403, Operation::Authenticate | Operation::Select) if complaint.code().is_some() => {
            ProviderErrorKind::StepUpRequired
        }
        _ => ProviderErrorKind::Misconfigured,
    }
}

fn kind_of_code(operation: Operation, code: &str) -> Option<ProviderErrorKind> {
    let is_redemption = operation == Operation::Authenticate;
    let is_choice = operation == Operation::Select;
    Some(match code {
        "invalid_pending_authentication_token" | "invalid_grant" | "invalid_credentials"
            if is_choice =>
        {
            ProviderErrorKind::Refused
        }
        // The organization is gone, or the person has left it since they were asked.
        "entity_not_found"
        | "invalid_organization"
        | "invalid_organization_id"
        | "organization_not_found"
            if is_choice =>
        {
            ProviderErrorKind::NotAllowed
        }
        "one_time_code_previously_used" => ProviderErrorKind::CodeUsed,
        "one_time_code_too_many_attempts" | "too_many_failed_verification_attempts" => {
            ProviderErrorKind::TooManyTries
        }
        // Expired, and every future reason of this family.
        code if code.starts_with("one_time_code_") => ProviderErrorKind::CodeExpired,
        // `entity_not_found` means that the address has no user. It must look like a wrong code, or
        // an attacker could enumerate addresses.
        "invalid_one_time_code" | "invalid_credentials" | "invalid_grant" | "entity_not_found"
            if is_redemption =>
        {
            ProviderErrorKind::CodeWrong
        }
        // It may be told: it depends on the domain alone, and not on who has an account.
        "email_domain_not_deliverable" => ProviderErrorKind::Address,
        "access_denied"
        | "action_denied"
        | "invitation_invalid"
        | "policy_denied"
        | "sign_up_not_allowed"
        | "user_not_member_of_organization" => ProviderErrorKind::NotAllowed,
        "daily_quota_exceeded"
        | "rate_limit_exceeded"
        | "sms_challenge_quota_reached"
        | "sms_challenge_rate_limited"
        | "too_many_requests" => ProviderErrorKind::RateLimited,
        // Another request was quicker. The same one succeeds in a moment.
        "concurrent_request" | "lock_timeout" => ProviderErrorKind::Unavailable,
        "client_secret_not_accepted"
        | "client_secret_required"
        | "ip_address_required"
        | "key_pair_not_accepted"
        | "production_feature_requires_billing" => ProviderErrorKind::Misconfigured,
        "account_selection_required"
        | "application_consent_required"
        | "auth_method_disabled"
        | "auth_method_mismatch"
        | "authentication_method_not_allowed"
        | "email_completion_required"
        | "email_password_auth_disabled"
        | "email_verification_required"
        | "mfa_challenge"
        | "mfa_enrollment"
        | "organization_authentication_methods_required"
        | "organization_selection_required"
        | "passkey_progressive_enrollment"
        | "phone_number_required"
        | "radar_challenge"
        | "radar_email_challenge"
        | "radar_sign_up_challenge"
        | "radar_sms_challenge"
        | "radar_sms_sign_in_challenge"
        | "sso_required" => ProviderErrorKind::StepUpRequired,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_meaning_whichever_shape_it_comes_in() {
        use Operation::{Authenticate, CreateCode};
        use ProviderErrorKind::{
            Address, CodeExpired, CodeUsed, CodeWrong, Misconfigured, NotAllowed, RateLimited,
            StepUpRequired, TooManyTries,
        };
        let cases = [
            (400, Authenticate, "invalid_one_time_code", CodeWrong),
            (400, Authenticate, "one_time_code_previously_used", CodeUsed),
            (400, Authenticate, "one_time_code_expired", CodeExpired),
            (400, Authenticate, "one_time_code_withdrawn", CodeExpired),
            (
                400,
                Authenticate,
                "one_time_code_too_many_attempts",
                TooManyTries,
            ),
            (
                429,
                Authenticate,
                "one_time_code_too_many_attempts",
                TooManyTries,
            ),
            (400, Authenticate, "invalid_credentials", CodeWrong),
            (400, Authenticate, "invalid_grant", CodeWrong),
            (404, Authenticate, "entity_not_found", CodeWrong),
            (404, CreateCode, "entity_not_found", Misconfigured),
            (400, Authenticate, "invalid_client", Misconfigured),
            (400, Authenticate, "unauthorized_client", Misconfigured),
            (400, Authenticate, "unsupported_grant_type", Misconfigured),
            (400, Authenticate, "invalid_request", Misconfigured),
            (
                400,
                Authenticate,
                "invalid_pending_authentication_token",
                Misconfigured,
            ),
            (400, Authenticate, "user_mismatch", Misconfigured),
            (400, Authenticate, "invalid_organization_id", Misconfigured),
            (400, Authenticate, "token_too_big", Misconfigured),
            (
                422,
                Authenticate,
                "invalid_request_parameters",
                Misconfigured,
            ),
            (400, Authenticate, "access_denied", NotAllowed),
            (400, Authenticate, "sign_up_not_allowed", NotAllowed),
            (400, CreateCode, "sign_up_not_allowed", NotAllowed),
            (400, CreateCode, "invitation_invalid", NotAllowed),
            (400, CreateCode, "email_domain_not_deliverable", Address),
            (
                400,
                CreateCode,
                "authentication_method_not_allowed",
                StepUpRequired,
            ),
            (429, CreateCode, "daily_quota_exceeded", RateLimited),
            (429, CreateCode, "something_else", RateLimited),
            (403, CreateCode, "something_else", Misconfigured),
            (400, Authenticate, "sso_required", StepUpRequired),
            (
                400,
                Authenticate,
                "organization_authentication_methods_required",
                StepUpRequired,
            ),
            (
                403,
                Authenticate,
                "authentication_method_not_allowed",
                StepUpRequired,
            ),
            (
                403,
                Authenticate,
                "email_verification_required",
                StepUpRequired,
            ),
            (403, Authenticate, "mfa_challenge", StepUpRequired),
            (403, Authenticate, "mfa_enrollment", StepUpRequired),
            (
                403,
                Authenticate,
                "organization_selection_required",
                StepUpRequired,
            ),
            (403, Authenticate, "radar_challenge", StepUpRequired),
            (403, Authenticate, "a_step_of_tomorrow", StepUpRequired),
        ];
        for (status, operation, code, want) in cases {
            let bodies = [
                format!(r#"{{"code":"{code}","message":"x"}}"#),
                format!(r#"{{"error":"{code}","error_description":"x"}}"#),
                format!(r#"{{"code":"bad_request","errors":[{{"code":"{code}"}}]}}"#),
            ];
            for body in bodies {
                let got = kind_of(status, operation, &Complaint::read(body.as_bytes()));
                assert_eq!(got, want, "{status}, {operation:?}: {body}");
            }
        }
    }

    /// The codes of authentication in WorkOS's Python SDK 10.8 that its specification of 2026-08
    /// lacks.
    #[test]
    fn a_code_that_is_new_in_the_sdk_has_its_meaning_by_any_status() {
        use ProviderErrorKind::{
            Misconfigured, NotAllowed, RateLimited, StepUpRequired, TooManyTries, Unavailable,
        };
        let cases = [
            ("account_selection_required", StepUpRequired),
            ("action_denied", NotAllowed),
            ("application_consent_required", StepUpRequired),
            ("auth_method_disabled", StepUpRequired),
            ("auth_method_mismatch", StepUpRequired),
            ("client_secret_not_accepted", Misconfigured),
            ("concurrent_request", Unavailable),
            ("email_completion_required", StepUpRequired),
            ("ip_address_required", Misconfigured),
            ("lock_timeout", Unavailable),
            ("phone_number_required", StepUpRequired),
            ("policy_denied", NotAllowed),
            ("radar_sms_sign_in_challenge", StepUpRequired),
            ("rate_limit_exceeded", RateLimited),
            ("too_many_failed_verification_attempts", TooManyTries),
            ("user_not_member_of_organization", NotAllowed),
        ];
        for (code, want) in cases {
            for status in [400, 403, 422] {
                let body = format!(r#"{{"code":"{code}","message":"x"}}"#);
                let complaint = Complaint::read(body.as_bytes());
                let got = kind_of(status, Operation::Authenticate, &complaint);
                assert_eq!(got, want, "{status} {code}");
            }
        }
    }

    #[test]
    fn without_a_known_code_the_status_and_the_fields_decide() {
        use Operation::{Authenticate, CreateCode};
        use ProviderErrorKind::{
            Address, CodeWrong, InvalidAnswer, Misconfigured, RateLimited, Unavailable,
        };
        let about = |field: &str| {
            format!(
                r#"{{"code":"invalid_request_parameters","errors":[{{"field":"{field}","code":"x"}}]}}"#
            )
        };
        let used = r#"{"code":"one_time_code_previously_used"}"#;
        let cases = [
            ("no code typed", 422, Authenticate, about("code"), CodeWrong),
            ("no address", 422, Authenticate, about("email"), Address),
            (
                "no address to mail to",
                422,
                CreateCode,
                about("email"),
                Address,
            ),
            (
                "no client",
                422,
                Authenticate,
                about("client_id"),
                Misconfigured,
            ),
            (
                "a code when one is made",
                422,
                CreateCode,
                about("code"),
                Misconfigured,
            ),
            (
                "a bad key",
                401,
                CreateCode,
                r#"{"message":"Unauthorized"}"#.into(),
                Misconfigured,
            ),
            ("a page", 403, Authenticate, "<html>".into(), Misconfigured),
            (
                "a page on limits",
                429,
                Authenticate,
                "<html>".into(),
                RateLimited,
            ),
            ("no body", 400, Authenticate, String::new(), Misconfigured),
            ("an outage", 503, Authenticate, used.into(), Unavailable),
            ("a timeout", 408, CreateCode, String::new(), Unavailable),
            ("a redirect", 302, Authenticate, used.into(), InvalidAnswer),
            (
                "beyond http",
                600,
                Authenticate,
                String::new(),
                InvalidAnswer,
            ),
        ];
        for (name, status, operation, body, want) in cases {
            let got = kind_of(status, operation, &Complaint::read(body.as_bytes()));
            assert_eq!(got, want, "{name}");
        }
    }
}
