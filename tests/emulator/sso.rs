//! A code for a profile, and the rest of the paths.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tower_magic_link::emulator::EmulatedProfile;

use crate::{
    Desk, KEY, Read, exchange_of,
    names::{ADA, EVE},
};

#[tokio::test]
async fn a_code_yields_a_token_and_a_profile_once() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let read = desk.exchange(&code).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let body = read.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    let profile = &body["profile"];
    let id = profile["id"].as_str().unwrap();
    let connection = profile["connection_id"].as_str().unwrap();
    assert!(id.starts_with("prof_01") && connection.starts_with("conn_01"));
    let want = json!({
        "object": "profile", "id": id, "connection_id": connection, "connection_type": "MagicLink",
        "organization_id": null, "idp_id": ADA, "email": ADA,
        "first_name": null, "last_name": null, "name": null, "role": null, "roles": null,
        "groups": null, "custom_attributes": {}, "raw_attributes": {},
    });
    assert_eq!(profile, &want);

    let again = desk.exchange(&code).await;
    assert_eq!(again.status, 400);
    let text = format!("The code '{code}' has expired or is invalid.");
    assert_eq!(
        again.json(),
        json!({ "error": "invalid_grant", "error_description": text })
    );
}

#[tokio::test]
async fn a_form_is_as_good_as_json() {
    let desk = Desk::new().await;
    let form = exchange_of(&desk.code().await);
    let read = Read::of(desk.http.post(desk.url("/sso/token")).form(&form)).await;
    assert_eq!(read.status, 200, "{}", read.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_exchanges_at_once_one_succeeds() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let exchanges = (0..32).map(|_| desk.exchange(&code));
    let reads = futures_util::future::join_all(exchanges).await;
    assert_eq!(reads.iter().filter(|read| read.status == 200).count(), 1);
}

#[tokio::test]
async fn an_exchange_that_asks_wrongly_is_refused_and_leaves_the_code() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let missing = |fields: &[&str]| {
        let errors: Vec<_> = fields
            .iter()
            .map(|field| json!({ "field": field, "code": "missing_required_parameter", "message": format!("{field} is required") }))
            .collect();
        json!({ "message": "Validation failed", "code": "invalid_request_parameters", "errors": errors })
    };
    let refused = |error: &str, text: &str| json!({ "error": error, "error_description": text });
    let all = ["client_id", "client_secret", "code", "grant_type"];
    let cases = [
        ("no code", json!({ "code": null }), 422, missing(&["code"])),
        (
            "no credentials",
            json!({ "client_id": null, "client_secret": null }),
            422,
            missing(&["client_id", "client_secret"]),
        ),
        (
            "nothing",
            json!({ "client_id": null, "client_secret": null, "code": null, "grant_type": 1 }),
            422,
            missing(&all),
        ),
        (
            "empty client id",
            json!({ "client_id": "" }),
            400,
            refused("invalid_client", "Invalid client ID."),
        ),
        (
            "wrong secret",
            json!({ "client_secret": "wrong" }),
            400,
            refused("invalid_client", "Invalid client ID or secret."),
        ),
        (
            "other grant",
            json!({ "grant_type": "password" }),
            400,
            refused("unsupported_grant_type", "The grant type is not supported."),
        ),
        (
            "unknown code",
            json!({ "code": "nope" }),
            400,
            refused(
                "invalid_grant",
                "The code 'nope' has expired or is invalid.",
            ),
        ),
    ];
    for (name, change, status, want) in cases {
        let mut body = exchange_of(&code);
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let json = Read::of(desk.http.post(desk.url("/sso/token")).json(&body)).await;
        assert_eq!(
            (json.status.as_u16(), json.json()),
            (status, want.clone()),
            "{name} as json"
        );
        let form: Vec<_> = body
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        let form = Read::of(desk.http.post(desk.url("/sso/token")).form(&form)).await;
        assert_eq!(
            (form.status.as_u16(), form.json()),
            (status, want),
            "{name} as form"
        );
    }
    assert_eq!(desk.exchange(&code).await.status, 200);
}

#[tokio::test]
async fn parameters_in_the_query_are_not_read() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let path = format!(
        "/sso/token?client_id=c&client_secret={KEY}&grant_type=authorization_code&code={code}"
    );
    let read = Read::of(desk.post(&path)).await;
    assert_eq!(read.status, 422);
}

#[tokio::test]
async fn a_code_and_an_access_token_live_until_the_second_they_expire() {
    for (after, exchanged) in [(599, 200), (600, 400)] {
        let desk = Desk::new().await;
        let code = desk.code().await;
        desk.clock.put_forward(Duration::from_secs(after));
        assert_eq!(desk.exchange(&code).await.status, exchanged, "{after}");
    }
    for (after, shown) in [(599, 200), (600, 401)] {
        let desk = Desk::new().await;
        let body = desk.exchange(&desk.code().await).await.json();
        desk.clock.put_forward(Duration::from_secs(after));
        let read = desk.profile(body["access_token"].as_str().unwrap()).await;
        assert_eq!(read.status, shown, "{after}");
    }
}

#[tokio::test]
async fn an_access_token_shows_its_profile_and_anything_else_is_401() {
    let desk = Desk::new().await;
    let body = desk.exchange(&desk.code().await).await.json();
    let access_token = body["access_token"].as_str().unwrap();
    for _ in 0..2 {
        let read = desk.profile(access_token).await;
        assert_eq!(
            (read.status.as_u16(), read.json()),
            (200, body["profile"].clone())
        );
    }
    for (name, token) in [("api key", KEY), ("unknown", "nope"), ("empty", "")] {
        let read = desk.profile(token).await;
        assert_eq!(
            (read.status.as_u16(), read.json()),
            (401, json!({ "error": "Unauthorized" })),
            "{name}"
        );
    }
    assert_eq!(desk.get(&desk.url("/sso/profile")).await.status, 401);
}

#[tokio::test]
async fn a_test_decides_who_the_next_codes_turn_out_to_be() {
    let desk = Desk::new().await;
    let who = |body: Value| {
        let profile = &body["profile"];
        let text = |name: &str| profile[name].as_str().unwrap_or_default().to_owned();
        (
            text("email"),
            text("connection_type"),
            text("organization_id"),
        )
    };
    desk.emulator
        .next_profile(|profile| profile.with_email(EVE));
    desk.emulator.next_profile(|_| {
        EmulatedProfile::of("bob@example.org")
            .with_connection_type("GoogleOAuth")
            .with_organization("org_1")
            .with_names("Bob", "Dylan")
            .with_role("admin")
            .with_group("staff")
            .with_custom_attribute("plan", "gold")
            .with_raw_attribute("sub", "1")
            .with_id("prof_bob")
            .with_connection("conn_google")
            .with_idp_id("1")
    });
    let (first, second, third) = (desk.code().await, desk.code().await, desk.code().await);
    // The other order: a code keeps its profile.
    let third = desk.exchange(&third).await.json();
    let second = desk.exchange(&second).await.json();
    let first = desk.exchange(&first).await.json();
    let magic = |email: &str| (email.to_owned(), "MagicLink".to_owned(), String::new());
    assert_eq!(
        first["profile"]["id"], third["profile"]["id"],
        "another address, the same person"
    );
    assert_eq!(who(first), magic(EVE));
    assert_eq!(who(third), magic(ADA));
    let want = json!({
        "object": "profile", "id": "prof_bob", "connection_id": "conn_google", "connection_type": "GoogleOAuth",
        "organization_id": "org_1", "idp_id": "1", "email": "bob@example.org",
        "first_name": "Bob", "last_name": "Dylan", "name": "Bob Dylan", "role": { "slug": "admin" },
        "roles": [{ "slug": "admin" }], "groups": ["staff"], "custom_attributes": { "plan": "gold" },
        "raw_attributes": { "sub": "1" },
    });
    assert_eq!(second["profile"], want);

    desk.emulator
        .every_profile(|profile| profile.with_organization("org_all"));
    for _ in 0..2 {
        let body = desk.exchange(&desk.code().await).await.json();
        assert_eq!(body["profile"]["organization_id"], "org_all");
    }
}

#[tokio::test]
async fn other_methods_are_405_and_other_paths_404() {
    let desk = Desk::new().await;
    let cases = [
        (Method::GET, "/passwordless/sessions", 405, Some("POST")),
        (
            Method::GET,
            "/passwordless/sessions/x/send",
            405,
            Some("POST"),
        ),
        (
            Method::POST,
            "/passwordless/x/confirm",
            405,
            Some("GET, HEAD"),
        ),
        (Method::PUT, "/sso/token", 405, Some("POST")),
        (Method::POST, "/sso/profile", 405, Some("GET, HEAD")),
        (Method::GET, "/", 404, None),
        (Method::POST, "/sso/token/", 404, None),
        (Method::GET, "/user_management/users", 404, None),
    ];
    for (method, path, status, allow) in cases {
        let read = Read::of(desk.http.request(method.clone(), desk.url(path))).await;
        assert_eq!(read.status, status, "{method} {path}");
        let got = read
            .headers
            .get("allow")
            .map(|allow| allow.to_str().unwrap());
        assert_eq!(got, allow, "{method} {path}");
        assert!(read.json()["message"].is_string(), "{method} {path}");
        assert!(read.headers.contains_key("x-request-id"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_head_has_no_body() {
    let desk = Desk::new().await;
    for path in ["/sso/profile", "/passwordless/unknown/confirm", "/nowhere"] {
        let read = Read::of(desk.http.head(desk.url(path))).await;
        assert!(read.status.is_client_error(), "{path}");
        assert_eq!(read.text, "", "{path}");
    }
}
