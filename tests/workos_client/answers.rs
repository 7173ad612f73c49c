//! What the client makes of an answer: every field, every shape of error, and what may be missing.

use tower_magic_link::{provider::ProviderErrorKind, workos::AccessToken};

use crate::{
    LINK, MARK, Operation, PROFILE, TOKEN, cause, code, failed,
    names::ADA,
    new_session,
    server::{Server, answer, json},
};

#[tokio::test]
async fn every_field_of_a_profile_is_read() {
    let body = r#"{"object":"profile","id":"prof_01","email":"ada@example.com","first_name":"Ada",
        "last_name":"Lovelace","name":"Ada Lovelace","organization_id":"org_01","connection_id":"conn_01",
        "connection_type":"OktaSAML","idp_id":"00u1","role":{"slug":"admin"},
        "roles":[{"slug":"admin"},{"slug":"member","x":1}],"groups":["Engineers"],
        "custom_attributes":{"team": 12345678901234567890123},"raw_attributes":{"a":{"b":[1]}},
        "brand_new":{"x":[]}}"#;
    let server = Server::with([json(200, body)]).await;
    let token = AccessToken::new(TOKEN);
    let profile = server.client().profile(&token).await.unwrap();
    assert_eq!(profile.id(), "prof_01");
    assert_eq!(profile.email(), ADA);
    assert_eq!(profile.first_name(), Some("Ada"));
    assert_eq!(profile.last_name(), Some("Lovelace"));
    assert_eq!(profile.name(), Some("Ada Lovelace"));
    assert_eq!(profile.organization_id(), Some("org_01"));
    assert_eq!(profile.connection_id(), Some("conn_01"));
    assert_eq!(profile.connection_type(), "OktaSAML");
    assert_eq!(profile.idp_id(), Some("00u1"));
    assert_eq!(profile.role(), Some("admin"));
    assert_eq!(profile.roles().collect::<Vec<_>>(), ["admin", "member"]);
    assert_eq!(profile.groups(), ["Engineers"]);
    // Neither the space nor a digit is lost.
    let team = r#"{"team": 12345678901234567890123}"#;
    assert_eq!(profile.custom_attributes(), team);
    assert_eq!(profile.raw_attributes(), r#"{"a":{"b":[1]}}"#);
}

#[tokio::test]
async fn an_older_or_sparser_answer_is_taken() {
    let least = r#"{"id":"prof_01","email":"a@example.com","connection_type":"MagicLink"}"#;
    let nulls = r#"{"id":"prof_01","email":"a@example.com","connection_type":"MagicLink",
        "connection_id":null,"organization_id":null,"idp_id":"","first_name":null,"last_name":"",
        "name":null,"role":null,"roles":null,"groups":null,"custom_attributes":null,
        "raw_attributes":null}"#;
    let cases = [
        ("older", format!(r#""profile":{PROFILE}"#)),
        (
            "nulls",
            format!(r#""token_type":null,"expires_in":null,"profile":{nulls}"#),
        ),
        (
            "least",
            format!(r#""profile":{least},"oauth_tokens":{{"scopes":[]}}"#),
        ),
    ];
    for (name, rest) in cases {
        let body = format!(r#"{{"access_token":"{TOKEN}",{rest}}}"#);
        // Not declared as JSON either.
        let server = Server::with([answer(200, &[], body.as_bytes())]).await;
        let got = server.client().profile_and_token(&code()).await;
        let got = got.expect(name);
        assert_eq!((got.token_type(), got.expires_in()), (None, None), "{name}");
        let profile = got.into_profile();
        assert_eq!(profile.organization_id(), None, "{name}");
        assert_eq!(profile.last_name(), None, "{name}");
        assert_eq!(profile.role(), None, "{name}");
        assert_eq!(profile.roles().count(), 0, "{name}");
        assert!(profile.groups().is_empty(), "{name}");
        assert_eq!(profile.raw_attributes(), "{}", "{name}");
        assert_eq!(profile.custom_attributes(), "{}", "{name}");
    }

    let server = Server::with([json(201, r#"{"id":"s_1","later":[]}"#)]).await;
    let session = server.client().create_session(&new_session()).await;
    let session = session.unwrap();
    assert_eq!(session.id(), "s_1");
    assert_eq!((session.email(), session.expires_at()), (None, None));
    assert_eq!(session.link(), None);

    let sent = [
        ("empty", ""),
        ("bare", "{}"),
        ("null", r#"{"success":null}"#),
    ];
    for (name, body) in sent {
        let server = Server::with([answer(200, &[], body.as_bytes())]).await;
        server.client().send_session("s_1").await.expect(name);
    }
}

#[tokio::test]
async fn an_answer_of_another_shape_is_not_understood() {
    use Operation::{Create, Exchange, Profile, Send};
    let no_id = format!(r#"{{"link":"{LINK}"}}"#);
    let no_profile = format!(r#"{{"access_token":"{TOKEN}"}}"#);
    let no_token = format!(r#"{{"profile":{PROFILE}}}"#);
    let number = format!(r#"{{"access_token":7,"profile":{PROFILE}}}"#);
    let text = format!(r#"{{"access_token":"a","expires_in":"{MARK}","profile":{PROFILE}}}"#);
    let endless = "[".repeat(50_000);
    let no_address = r#"{"id":"prof_01","connection_type":"MagicLink"}"#;
    let cases = [
        ("html", Create, "<html>Hunter2</html>"),
        ("empty", Create, ""),
        ("list", Create, r#"["Hunter2"]"#),
        ("no id", Create, &no_id),
        ("id is a number", Create, r#"{"id":1}"#),
        ("id is empty", Create, r#"{"id":""}"#),
        ("id is a dot segment", Create, r#"{"id":".."}"#),
        ("cut short", Create, r#"{"id":"Hunter2"#),
        ("nested without an end", Create, &endless),
        (
            "link is a map",
            Create,
            r#"{"id":"a","link":{"Hunter2":1}}"#,
        ),
        ("not sent", Send, r#"{"success":false,"message":"Hunter2"}"#),
        ("html for a mail", Send, "<html>"),
        ("no profile", Exchange, &no_profile),
        ("no token", Exchange, &no_token),
        ("token is a number", Exchange, &number),
        ("expires in a text", Exchange, &text),
        ("empty for a token", Exchange, ""),
        ("no address", Profile, no_address),
        ("no kind", Profile, r#"{"id":"p","email":"a@example.com"}"#),
        ("an envelope", Profile, &no_token),
    ];
    for (name, operation, body) in cases {
        let server = Server::with([json(200, body)]).await;
        let error = failed(name, operation.run(&server.client()).await);
        assert_eq!(error.kind(), ProviderErrorKind::InvalidAnswer, "{name}");
        assert_eq!(error.status(), Some(200), "{name}");
        assert_eq!(error.request_id(), Some("req_01"), "{name}");
        assert!(error.to_string().contains("invalid answer"), "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn every_shape_of_error_becomes_a_kind_and_a_safe_word() {
    use Operation::{Create, Exchange, Profile, Send};
    use ProviderErrorKind::{Address, Misconfigured, RateLimited, Refused, Unavailable};
    let recorded = r#"{"message":"Validation failed","errors":[
        {"field":"email","code":"email must be a string"},
        {"field":"type","code":"type must be a valid enum value"}]}"#;
    let invalid = r#"{"message":"Validation failed","code":"invalid_request_parameters","errors":[
        {"field":"client_id","code":"missing_required_parameter","message":"Hunter2"}]}"#;
    let grant = r#"{"error":"invalid_grant",
        "error_description":"The code '01Hunter2CODE' has expired or is invalid."}"#;
    let client = r#"{"error":"invalid_client","error_description":"Invalid client ID."}"#;
    let key = r#"{"error":"unauthorized_client","error_description":"Unauthorized"}"#;
    let entity = r#"{"message":"Hunter2","code":"entity_not_found","entity_id":"Hunter2"}"#;
    let expired = r#"{"message":"The passwordless session 'Hunter2' has expired or is invalid."}"#;
    let unauthorized = r#"{"message":"Unauthorized sk_test_Hunter2"}"#;
    let denied = r#"{"message":"Hunter2","code":"access_denied"}"#;
    let many = r#"{"message":"Rate limit exceeded","code":"too_many_requests"}"#;
    let html = "<html>Hunter2</html>";
    let cases = [
        ("a", 401, Create, unauthorized, Misconfigured, None),
        (
            "b",
            403,
            Create,
            denied,
            Misconfigured,
            Some("access_denied"),
        ),
        (
            "c",
            422,
            Exchange,
            invalid,
            Misconfigured,
            Some("invalid_request_parameters, client_id"),
        ),
        (
            "c, recorded",
            422,
            Create,
            recorded,
            Address,
            Some("email, type"),
        ),
        (
            "d, grant",
            400,
            Exchange,
            grant,
            Refused,
            Some("invalid_grant"),
        ),
        (
            "d, client",
            400,
            Exchange,
            client,
            Misconfigured,
            Some("invalid_client"),
        ),
        (
            "d, key",
            400,
            Exchange,
            key,
            Misconfigured,
            Some("unauthorized_client"),
        ),
        (
            "d, no word",
            400,
            Exchange,
            r#"{"error":"01Hunter2CODE"}"#,
            Misconfigured,
            None,
        ),
        (
            "e",
            404,
            Send,
            entity,
            Unavailable,
            Some("entity_not_found"),
        ),
        ("f", 404, Create, html, Misconfigured, None),
        ("f, outage", 502, Exchange, html, Unavailable, None),
        ("no body", 403, Exchange, "", Misconfigured, None),
        ("session", 422, Send, expired, Unavailable, None),
        (
            "token",
            401,
            Profile,
            r#"{"error":"Unauthorized"}"#,
            Refused,
            None,
        ),
        (
            "too many",
            429,
            Send,
            many,
            RateLimited,
            Some("too_many_requests"),
        ),
    ];
    for (name, status, operation, body, kind, words) in cases {
        let server = Server::with([json(status, body)]).await;
        let error = failed(name, operation.run(&server.client()).await);
        assert_eq!(error.kind(), kind, "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
        assert_eq!(error.request_id(), Some("req_01"), "{name}");
        let want = words.map(|words| format!("workos says {words}"));
        assert_eq!(cause(&error), want, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}
