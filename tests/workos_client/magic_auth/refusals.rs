//! The meaning of every refusal in WorkOS's reference.

use tower_magic_link::provider::ProviderErrorKind;

use crate::{
    Operation, failed,
    server::{Server, json},
};

#[tokio::test]
async fn every_refusal_of_the_reference_has_its_kind_and_its_word() {
    use Operation::{MakeCode, Redeem};
    use ProviderErrorKind::{
        Address, CodeExpired, CodeUsed, CodeWrong, Misconfigured, NotAllowed, RateLimited,
        StepUpRequired, TooManyTries,
    };
    let coded = |code: &str| format!(r#"{{"message":"Hunter2","code":"{code}"}}"#);
    let oauth = |error: &str| format!(r#"{{"error":"{error}","error_description":"Hunter2"}}"#);
    let step = |code: &str| {
        format!(
            r#"{{"message":"Hunter2","code":"{code}","pending_authentication_token":"Hunter2","user":{{}}}}"#
        )
    };
    let spent = r#"{"code":"one_time_code_too_many_attempts",
        "message":"One-time code for 'ada.Hunter2@example.com' has had too many failed attempts."}"#;
    let gone = r#"{"message":"User not found: 'Hunter2'.","code":"entity_not_found","entity_id":"Hunter2"}"#;
    let sso = r#"{"error":"sso_required","error_description":"Hunter2","email":"ada.Hunter2@example.com",
        "connection_ids":["conn_Hunter2"],"pending_authentication_token":"Hunter2"}"#;
    let fields = r#"{"message":"Validation failed","code":"invalid_request_parameters",
        "errors":[{"field":"client_id","code":"missing_required_parameter"}]}"#;
    let address = r#"{"message":"Validation failed","errors":[{"field":"email","code":"email must be an email"}]}"#;
    // A code in the wrong field, which must not become the word.
    let leaks = r#"{"message":"x","code":"Hunter2424242"}"#;
    let cases = [
        (
            Redeem,
            400,
            coded("invalid_one_time_code"),
            CodeWrong,
            Some("invalid_one_time_code"),
        ),
        (
            Redeem,
            400,
            coded("one_time_code_previously_used"),
            CodeUsed,
            Some("one_time_code_previously_used"),
        ),
        (
            Redeem,
            400,
            coded("one_time_code_expired"),
            CodeExpired,
            Some("one_time_code_expired"),
        ),
        (
            Redeem,
            400,
            spent.into(),
            TooManyTries,
            Some("one_time_code_too_many_attempts"),
        ),
        (
            Redeem,
            400,
            oauth("invalid_grant"),
            CodeWrong,
            Some("invalid_grant"),
        ),
        (
            Redeem,
            400,
            oauth("invalid_client"),
            Misconfigured,
            Some("invalid_client"),
        ),
        (
            Redeem,
            400,
            oauth("unauthorized_client"),
            Misconfigured,
            Some("unauthorized_client"),
        ),
        (
            Redeem,
            400,
            oauth("access_denied"),
            NotAllowed,
            Some("access_denied"),
        ),
        (
            Redeem,
            400,
            sso.into(),
            StepUpRequired,
            Some("sso_required"),
        ),
        (
            Redeem,
            403,
            step("mfa_enrollment"),
            StepUpRequired,
            Some("mfa_enrollment"),
        ),
        (
            Redeem,
            403,
            step("mfa_challenge"),
            StepUpRequired,
            Some("mfa_challenge"),
        ),
        (
            Redeem,
            403,
            step("email_verification_required"),
            StepUpRequired,
            Some("email_verification_required"),
        ),
        (
            Redeem,
            403,
            step("organization_selection_required"),
            StepUpRequired,
            Some("organization_selection_required"),
        ),
        (
            Redeem,
            403,
            step("radar_challenge"),
            StepUpRequired,
            Some("radar_challenge"),
        ),
        (
            Redeem,
            403,
            step("authentication_method_not_allowed"),
            StepUpRequired,
            Some("authentication_method_not_allowed"),
        ),
        (
            Redeem,
            403,
            step("a_step_of_tomorrow"),
            StepUpRequired,
            Some("a_step_of_tomorrow"),
        ),
        (
            Redeem,
            404,
            gone.into(),
            CodeWrong,
            Some("entity_not_found"),
        ),
        (
            Redeem,
            422,
            fields.into(),
            Misconfigured,
            Some("invalid_request_parameters"),
        ),
        (
            Redeem,
            429,
            oauth("too_many_requests"),
            RateLimited,
            Some("too_many_requests"),
        ),
        (Redeem, 400, leaks.into(), Misconfigured, None),
        (
            Redeem,
            403,
            "<html>Hunter2</html>".into(),
            Misconfigured,
            None,
        ),
        (
            MakeCode,
            400,
            oauth("invitation_invalid"),
            NotAllowed,
            Some("invitation_invalid"),
        ),
        (
            MakeCode,
            400,
            oauth("sign_up_not_allowed"),
            NotAllowed,
            Some("sign_up_not_allowed"),
        ),
        (
            MakeCode,
            400,
            oauth("authentication_method_not_allowed"),
            StepUpRequired,
            Some("authentication_method_not_allowed"),
        ),
        (
            MakeCode,
            400,
            coded("email_domain_not_deliverable"),
            Address,
            Some("email_domain_not_deliverable"),
        ),
        (
            MakeCode,
            401,
            r#"{"message":"Unauthorized"}"#.into(),
            Misconfigured,
            None,
        ),
        (MakeCode, 422, address.into(), Address, None),
        (
            MakeCode,
            422,
            r#"{"message":"Hunter2"}"#.into(),
            Misconfigured,
            None,
        ),
        (
            MakeCode,
            429,
            coded("daily_quota_exceeded"),
            RateLimited,
            Some("daily_quota_exceeded"),
        ),
    ];
    for (operation, status, body, kind, word) in cases {
        let name = format!("{operation:?} {status} {body}");
        let server = Server::with([json(status, &body)]).await;
        let error = failed(&name, operation.run(&server.client()).await);
        assert_eq!((error.kind(), error.code()), (kind, word), "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
        assert_eq!(error.request_id(), Some("req_01"), "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}
