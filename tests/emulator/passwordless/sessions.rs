//! Sessions are created in WorkOS's shape, and refused field by field.

use std::collections::HashSet;

use serde_json::{Value, json};
use tower_magic_link::emulator::Emulator;

use crate::{CALLBACK, Desk, KEY, Read, names::ADA, session};

/// A field and what is wrong with it, for each that is.
type Errors = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn creating_a_session_answers_in_workos_s_shape() {
    let desk = Desk::new().await;
    let read = desk.create_with(session()).await;
    assert_eq!(read.status, 201);
    assert!(!read.headers["x-request-id"].is_empty());
    let body = read.json();
    let keys: HashSet<_> = body.as_object().unwrap().keys().cloned().collect();
    let want = ["object", "id", "email", "expires_at", "link"];
    assert_eq!(keys, want.map(str::to_owned).into());
    assert_eq!(body["object"], "passwordless_session");
    assert_eq!(body["email"], ADA);
    assert_eq!(body["expires_at"], "2020-09-16T15:44:08.000Z");
    let id = body["id"].as_str().unwrap();
    assert_eq!(id.strip_prefix("passwordless_session_").unwrap().len(), 26);
    let link = body["link"].as_str().unwrap();
    let token = link
        .strip_prefix(&desk.url("/passwordless/"))
        .and_then(|rest| rest.strip_suffix("/confirm"))
        .unwrap();
    assert_eq!(token.len(), 26);
}

#[tokio::test]
async fn a_session_that_asks_wrongly_is_refused_by_field() {
    const EMAIL: &str = "email must be a string";
    const KIND: &str = "type must be a valid enum value";
    let desk = Desk::new().await;
    let cases: [(&str, Value, Errors); 18] = [
        ("nothing", json!({}), &[("email", EMAIL), ("type", KIND)]),
        ("no object", json!([]), &[("email", EMAIL), ("type", KIND)]),
        (
            "null address",
            json!({ "email": null }),
            &[("email", EMAIL)],
        ),
        (
            "number for an address",
            json!({ "email": 1 }),
            &[("email", EMAIL)],
        ),
        (
            "no address",
            json!({ "email": "ada" }),
            &[("email", "email must be an email")],
        ),
        (
            "two addresses",
            json!({ "email": "a@b.example,c@d.example" }),
            &[("email", "email must be an email")],
        ),
        (
            "other type",
            json!({ "type": "magiclink" }),
            &[("type", KIND)],
        ),
        (
            "relative redirect",
            json!({ "redirect_uri": "/auth" }),
            &[("redirect_uri", "redirect_uri must be a URL address")],
        ),
        (
            "script redirect",
            json!({ "redirect_uri": "javascript:alert(1)" }),
            &[("redirect_uri", "redirect_uri must be a URL address")],
        ),
        (
            "number for a redirect",
            json!({ "redirect_uri": 1 }),
            &[("redirect_uri", "redirect_uri must be a URL address")],
        ),
        (
            "number for a state",
            json!({ "state": 1 }),
            &[("state", "state must be a string")],
        ),
        (
            "a second too short",
            json!({ "expires_in": 899 }),
            &[("expires_in", "expires_in must not be less than 900")],
        ),
        (
            "zero",
            json!({ "expires_in": 0 }),
            &[("expires_in", "expires_in must not be less than 900")],
        ),
        (
            "a second too long",
            json!({ "expires_in": 86401 }),
            &[("expires_in", "expires_in must not be greater than 86400")],
        ),
        (
            "text for a number",
            json!({ "expires_in": "900" }),
            &[("expires_in", "expires_in must be an integer number")],
        ),
        (
            "fraction",
            json!({ "expires_in": 900.5 }),
            &[("expires_in", "expires_in must be an integer number")],
        ),
        (
            "negative",
            json!({ "expires_in": -900 }),
            &[("expires_in", "expires_in must be an integer number")],
        ),
        (
            "several",
            json!({ "email": "x", "expires_in": 1 }),
            &[
                ("email", "email must be an email"),
                ("expires_in", "expires_in must not be less than 900"),
            ],
        ),
    ];
    for (name, change, want) in cases {
        let mut body = session();
        match change {
            Value::Object(change) if !change.is_empty() => {
                body.as_object_mut().unwrap().extend(change);
            }
            whole => body = whole,
        }
        let read = desk.create_with(body).await;
        assert_eq!(read.status, 422, "{name}");
        let errors: Vec<_> = want
            .iter()
            .map(|(field, code)| json!({ "field": field, "code": code }))
            .collect();
        let want = json!({ "message": "Validation failed", "errors": errors });
        assert_eq!(read.json(), want, "{name}");
    }
}

#[tokio::test]
async fn what_may_be_left_out_may_be_left_out() {
    let desk = Desk::new().await;
    for lifetime in [900, 86_400] {
        let body = json!({
            "email": ADA, "type": "MagicLink", "expires_in": lifetime,
            "connection": "conn_1", "redirect_uri": null, "state": null,
        });
        let read = desk.create_with(body).await;
        assert_eq!(read.status, 201, "{}", read.text);
        let link = read.json()["link"].as_str().unwrap().to_owned();
        let read = desk.get(&link).await;
        assert_eq!(read.query("state"), None);
        let location = read.location.unwrap();
        assert_eq!(location.host_str(), Some("127.0.0.1"));
        assert_eq!(location.path(), "/auth/callback");
    }
}

#[tokio::test]
async fn without_an_api_key_nothing_is_created_or_sent() {
    let desk = Desk::new().await;
    let (id, _) = desk.create().await;
    let cases = [
        ("none", None),
        ("not a key", Some("Bearer pk_test")),
        ("prefix alone", Some("Bearer sk_")),
        ("other scheme", Some("Basic sk_test")),
        ("no scheme", Some("sk_test")),
    ];
    for (name, authorization) in cases {
        for path in [
            "/passwordless/sessions",
            &format!("/passwordless/sessions/{id}/send"),
        ] {
            let mut request = desk.http.post(desk.url(path)).json(&session());
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let read = Read::of(request).await;
            assert_eq!(read.status, 401, "{name} {path}");
            assert_eq!(
                read.json(),
                json!({ "message": "Unauthorized" }),
                "{name} {path}"
            );
        }
    }
    assert!(desk.emulator.outbox().is_empty());
}

#[tokio::test]
async fn registered_redirect_uris_are_the_only_ones() {
    let builder = Emulator::builder()
        .redirect_uri(CALLBACK)
        .redirect_uri("https://app.example.com/cb");
    let desk = Desk::with(builder).await;
    let cases = [
        ("first", json!(CALLBACK), 201),
        ("second", json!("https://app.example.com/cb"), 201),
        ("default", json!(null), 201),
        ("other path", json!("https://app.example.com/cb/x"), 422),
        ("other host", json!("https://evil.example/cb"), 422),
        ("with a query", json!("https://app.example.com/cb?x=1"), 422),
    ];
    for (name, redirect_uri, want) in cases {
        let mut body = session();
        body["redirect_uri"] = redirect_uri.clone();
        let read = desk.create_with(body).await;
        assert_eq!(read.status, want, "{name}");
        if redirect_uri.is_null() {
            let read = desk.get(read.json()["link"].as_str().unwrap()).await;
            assert!(
                read.location.unwrap().as_str().starts_with(CALLBACK),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_is_what_its_content_type_says() {
    let desk = Desk::new().await;
    let json = session().to_string();
    let cases = [
        ("json", Some("application/json"), json.clone(), 201),
        (
            "json with a charset",
            Some("application/json; charset=utf-8"),
            json.clone(),
            201,
        ),
        ("no type", None, json.clone(), 422),
        ("text", Some("text/plain"), json, 422),
        ("broken json", Some("application/json"), "{".to_owned(), 400),
        (
            "too long",
            Some("application/json"),
            " ".repeat(64 * 1_024 + 1),
            413,
        ),
        (
            "far too long",
            Some("application/json"),
            " ".repeat(700 * 1_024),
            413,
        ),
    ];
    for (name, content_type, body, want) in cases {
        let mut request = desk
            .http
            .post(desk.url("/passwordless/sessions"))
            .bearer_auth(KEY);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let read = Read::of(request.body(body)).await;
        assert_eq!(read.status, want, "{name}");
        read.json();
    }
}
