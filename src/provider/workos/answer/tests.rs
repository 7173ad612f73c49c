use http::HeaderValue;

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer::new(StatusCode::from_u16(status).unwrap(), &HeaderMap::new())
        .with_body(body.as_bytes().to_vec())
}

#[test]
fn a_refusal_is_the_persons_only_where_the_person_can_mend_it() {
    use Operation::{Create, Exchange, Profile, Select, Send};
    use ProviderErrorKind::{
        Address, InvalidAnswer, Misconfigured, NotAllowed, RateLimited, Refused, Unavailable,
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
            "code missing, by its word alone",
            422,
            Exchange,
            r#"{"errors":[{"code":"code_required"}]}"#.into(),
            Refused,
        ),
        (
            "a field that begins like the code, in a text",
            422,
            Exchange,
            r#"{"errors":[{"code":"code_verifier must be a string"}]}"#.into(),
            Misconfigured,
        ),
        (
            "a field that begins like the code, by its word alone",
            422,
            Exchange,
            r#"{"errors":[{"code":"code_verifier_required"}]}"#.into(),
            Misconfigured,
        ),
        (
            "a field of two words, in a text",
            422,
            Select,
            r#"{"errors":["organization_id must be a string"]}"#.into(),
            NotAllowed,
        ),
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
            Unavailable,
        ),
        (
            "session unknown",
            404,
            Send,
            r#"{"message":"no","code":"entity_not_found","entity_id":"x"}"#.into(),
            Unavailable,
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
