//! Links are made from the public URL alone.

use http::Request;
use tower_magic_link::{Builder, emulator::Endpoint};

use crate::{names::ADA, support::World};

#[tokio::test]
async fn links_are_made_from_the_public_url_whatever_the_request_says_of_its_host() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let names = [
        "host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-forwarded-port",
        "x-original-host",
        "x-original-url",
        "x-rewrite-url",
        "x-host",
        "forwarded",
    ];
    let hosts = [
        "evil.example",
        "app.example.com.evil.example",
        "app.example.com@evil.example",
        "127.0.0.1",
        "[::1]",
    ];
    let values: Vec<String> = hosts
        .iter()
        .flat_map(|host| {
            [
                (*host).to_owned(),
                format!("{host}:443"),
                format!("https://{host}"),
                format!("host={host};proto=http"),
            ]
        })
        .collect();
    for name in names {
        for value in &values {
            let request = Request::post("https://evil.example/auth/login")
                .header(name, value)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("email={ADA}").into())
                .unwrap();
            let answer = world.browser().send(request).await;
            assert!(
                answer.location().starts_with("/auth/check?t="),
                "{name}: {value}"
            );
        }
    }
    let requests = world.emulator().requests();
    let asked: Vec<_> = requests
        .iter()
        .filter(|request| request.endpoint() == Some(Endpoint::Create))
        .map(|request| serde_json::from_slice::<serde_json::Value>(request.body()).unwrap())
        .collect();
    assert_eq!(asked.len(), names.len() * values.len());
    for body in asked {
        assert_eq!(
            body["redirect_uri"],
            "https://app.example.com/auth/callback"
        );
        assert_eq!(body["expires_in"], 900);
        assert_eq!(body["type"], "MagicLink");
        let state = body["state"].as_str().unwrap();
        assert!(state.len() < 1_000 && !state.contains(ADA), "{state}");
    }
}
