//! Where links come from, and our own mailed link.

use std::time::Duration;

use http::Request;
use tower_magic_link::{Builder, Trouble, emulator::Endpoint};

use crate::support::{ADA, ORIGIN, Post, World};

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

#[tokio::test]
async fn our_own_mail_holds_our_own_link_and_the_providers_sealed_inside() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    assert!(
        world.emulator().outbox().is_empty(),
        "the provider mails nothing"
    );
    let ours = post.link();
    assert!(
        ours.starts_with("/auth/open?t=") && ours.len() < 1_000,
        "{}",
        ours.len()
    );
    assert!(!ours.contains("passwordless"));

    let onward = browser.get(&ours).await;
    let link = onward.location().to_owned();
    assert!(link.starts_with(world.workos.base_url()), "{link}");
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let callback = http.get(link).send().await.unwrap();
    let callback = callback.headers()["location"].to_str().unwrap();
    let landed = browser.get(callback.strip_prefix(ORIGIN).unwrap()).await;
    assert_eq!(landed.location(), "/reports");
}

#[tokio::test]
async fn whoever_visits_our_mailed_link_without_the_browsers_cookie_uses_nothing_up() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let ours = post.link();
    for _ in 0..5 {
        let visited = world.browser().get(&ours).await;
        assert_eq!(visited.status(), 200);
        assert!(visited.text().contains("name=\"code\""));
        let head = Request::head(&ours).body("".into()).unwrap();
        assert_eq!(world.browser().send(head).await.status(), 200);
    }
    assert_eq!(world.emulator().count(Endpoint::Confirm), 0);
    assert_eq!(browser.get(&ours).await.status(), 303);
}

#[tokio::test]
async fn our_mailed_link_ends_with_the_providers_and_cannot_be_forged() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    let check = browser.post("/auth/login", "email=ada@example.com").await;
    let of_the_check_page = check.location().replace("/auth/check", "/auth/open");
    for forged in [
        "/auth/open",
        "/auth/open?t=",
        "/auth/open?t=x",
        &of_the_check_page,
    ] {
        assert_eq!(browser.get(forged).await.status(), 400, "{forged}");
    }
    world.clock.advance(Duration::from_secs(900));
    let late = browser.get(&post.link()).await;
    assert!(
        late.text().contains(Trouble::LinkExpired.heading()),
        "{}",
        late.text()
    );
    assert!(late.text().contains(ADA), "a new link needs no typing");
}

#[tokio::test]
async fn a_mailer_that_fails_is_told_and_the_next_try_works() {
    let post = Post::default();
    post.is_down(true);
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    let answer = browser.post("/auth/login", "email=ada@example.com").await;
    assert_eq!(answer.status(), 502);
    assert!(
        answer.text().contains(Trouble::MailNotSent.heading()),
        "{}",
        answer.text()
    );
    post.is_down(false);
    assert_eq!(
        browser
            .post("/auth/login", "email=ada@example.com")
            .await
            .status(),
        303
    );
}

#[tokio::test]
async fn the_check_page_shows_the_address_in_the_browser_that_asked_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    let posted = browser
        .post("/auth/login?return_to=/reports", "email=ada@example.com")
        .await;
    let check = posted.location().to_owned();
    assert!(!check.contains("ada"), "{check}");
    let own = browser.get(&check).await;
    assert!(own.text().contains(ADA) && own.text().contains("return_to=/reports"));
    world.clock.advance(Duration::from_secs(10));
    let other = world.browser().get(&check).await;
    assert_eq!(other.status(), 200);
    assert!(
        !other.text().contains("ada") && !other.text().contains("reports"),
        "{}",
        other.text()
    );
    assert_eq!(
        browser.get("/auth/check?t=x").await.location(),
        "/auth/login"
    );
    world.clock.advance(Duration::from_secs(1_490));
    let late = browser.get(&check).await;
    assert!(
        late.text().contains(Trouble::Expired.heading()),
        "{}",
        late.text()
    );
}
