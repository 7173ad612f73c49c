//! Where links come from, and our own mailed link.

use std::time::Duration;

use http::Request;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, RejectionKind, SigningKey,
    emulator::Endpoint,
    provider::{
        AuthorizationCode, Identity, IdentityProvider, Link, ProviderError, ProviderErrorKind,
        Start, Started,
    },
    testing::ManualClock,
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, World, app_of},
};

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

/// A provider whose link is whatever it likes.
struct Odd(&'static str);

impl IdentityProvider for Odd {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::with_link(Link::new(self.0)))
    }

    async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }
}

/// Pinned: a link that ended in a newline passed as a URL, and was too much for the `Location` of
/// its visit.
#[tokio::test]
async fn a_providers_link_is_followed_in_the_form_that_was_parsed() {
    let cases = [
        (
            "https://idp.example/x?y=z",
            Some("https://idp.example/x?y=z"),
            "https://idp.example",
        ),
        (
            "https://idp.example/x\n",
            Some("https://idp.example/x"),
            "https://idp.example",
        ),
        (
            " https://idp.example/\r\n x",
            Some("https://idp.example/%20x"),
            "https://idp.example",
        ),
        (
            "https://idp.example/\u{e9}",
            Some("https://idp.example/%C3%A9"),
            "https://idp.example",
        ),
        (
            "HTTPS://IDP.example:443",
            Some("https://idp.example/"),
            "https://idp.example",
        ),
        ("example:open?x=1", Some("example:open?x=1"), "'self';"),
        ("", None, ""),
        ("/x", None, ""),
        ("https://", None, ""),
    ];
    for (link, want, form_action) in cases {
        let post = Post::default();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(Odd(link), keys)
            .public_url(ORIGIN)
            .mailer(post.clone())
            .clock(ManualClock::new())
            .build()
            .unwrap();
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let Some(want) = want else {
            assert_eq!(answer.status(), 502, "{link:?}");
            assert!(post.letters().is_empty(), "{link:?}");
            continue;
        };
        let ours = post.link();
        let onward = browser.get(&ours).await;
        assert_eq!(onward.location(), want, "{link:?}");
        let mut elsewhere = Browser::new(app_of(&layer), ORIGIN);
        let page = elsewhere.get(&ours).await;
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains(form_action), "{link:?}: {policy}");
        assert!(!policy.contains("null"), "{link:?}: {policy}");
    }
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
        late.text().contains(RejectionKind::LinkExpired.heading()),
        "{}",
        late.text()
    );
    assert!(late.text().contains(ADA), "a new link needs no typing");
}

/// Returns where pressing "Send a new link" leads, and what the form brings along.
fn new_link(page: &str) -> (String, String) {
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).unwrap_or_default();
        rest.split_once(end).unwrap_or_default().0.to_owned()
    };
    let action = between("<form method=\"post\" action=\"", "\"");
    (action, between("name=\"t\" value=\"", "\""))
}

/// Our own link has the provider's inside, and that left no room to say where the person wanted to
/// go.
#[tokio::test]
async fn our_mailed_link_that_came_too_late_knows_where_the_person_wanted_to_go() {
    let fits = format!("/reports?filter={}", "x".repeat(200));
    // Room for it in the state, and none beside the provider's link.
    let long = format!("/reports?filter={}", "x".repeat(560));
    let longest = format!("/reports?filter={}", "x".repeat(1_900));
    assert!(long.len() < 600);
    for (name, wanted, is_in_a_cookie) in [
        ("short", "/reports", false),
        ("fits", &fits, false),
        ("long", &long, true),
        ("longest", &longest, true),
    ] {
        let post = Post::default();
        let world = World::with(|builder| builder.mailer(post.clone())).await;
        let mut browser = world.browser();
        let form = format!("/auth/login?return_to={wanted}");
        browser
            .post(&form, "email=ada@example.com&fragment=kept")
            .await;
        let link = post.link();
        assert!(ORIGIN.len() + link.len() < 1_000, "{name}: {}", link.len());
        let is_kept = browser.jar.contains_key("__Host-magic-link-return");
        assert_eq!(is_kept, is_in_a_cookie, "{name}");

        world.clock.advance(Duration::from_secs(900));
        // What it wanted is for the browser that began alone.
        let stranger = world.browser().get(&link).await.text();
        assert!(!stranger.contains("/reports"), "{name}: {stranger}");
        let late = browser.get(&link).await;
        assert_eq!(late.status(), 400, "{name}");
        let (action, before) = new_link(&late.text());
        let resend = format!("email=ada@example.com&t={before}");
        let posted = browser.post(&action, &resend).await;
        let check = browser.follow(posted).await;
        assert_eq!(check.status(), 200, "{name}");
        let onward = browser.get(&post.link()).await;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let callback = http.get(onward.location()).send().await.unwrap();
        let callback = callback.headers()["location"].to_str().unwrap();
        // The fragment was kept by the browser: a page leads there.
        let landed = browser.get(callback.strip_prefix(ORIGIN).unwrap()).await;
        let to = format!("href=\"{wanted}\"");
        assert!(landed.text().contains(&to), "{name}: {}", landed.text());
    }
}

/// Mail clients cut long links, whatever part of them is long.
#[tokio::test]
async fn our_mailed_link_is_under_1_000_characters_behind_the_longest_origin_and_mount() {
    let label = "b".repeat(60);
    let host = format!("{label}.{label}.{label}.{label}.example");
    let long_origin = format!("https://{}:65535", &host[..host.len().min(253)]);
    let long_mount = format!("/{}", "m".repeat(127));
    let longest = format!("{}@{label}.{label}.{label}.example", "a".repeat(63));
    assert_eq!((long_origin.len(), longest.len()), (265, 254));
    for (origin, mount) in [
        (ORIGIN, "/auth"),
        (&long_origin, "/auth"),
        (ORIGIN, &long_mount),
        (&long_origin, &long_mount),
    ] {
        let post = Post::default();
        let configure = |builder: Builder| {
            let builder = builder.mailer(post.clone()).insecure_no_throttle();
            builder.public_url(origin).mount(mount)
        };
        let world = World::with(configure).await;
        for email in [ADA, &longest] {
            for length in [0, 100, 200, 300, 400, 500, 1_900] {
                let name = format!("{} {} {} {length}", origin.len(), mount.len(), email.len());
                let mut browser = Browser::new(app_of(&world.layer), origin);
                let wanted = "x".repeat(length);
                let form = format!("{mount}/login?return_to=/reports?filter={wanted}");
                let posted = browser.post(&form, &format!("email={email}")).await;
                assert_eq!(posted.status(), 303, "{name}");
                let link = post.last().link.unwrap();
                assert!(link.len() < 1_000, "{name}: {}", link.len());
                let onward = browser.get(link.strip_prefix(origin).unwrap()).await;
                let to = onward.location();
                assert!(to.starts_with(world.workos.base_url()), "{name}: {to}");
            }
        }
    }
}

/// Whoever asks for an address that is not taken is not told, and not by a cookie either.
#[tokio::test]
async fn a_long_way_back_is_kept_alike_whether_a_mail_was_made_or_not() {
    let post = Post::default();
    let domains = |builder: Builder| builder.email_domains(["example.com"]);
    let world = World::with(|builder| domains(builder.mailer(post.clone()))).await;
    for length in [0, 200, 350, 450, 560, 1_900] {
        let form = format!(
            "/auth/login?return_to=/reports?filter={}",
            "x".repeat(length)
        );
        let mut kept = Vec::new();
        for domain in ["example.com", "example.net"] {
            let mut browser = world.browser();
            let email = format!("n{length:04}@{domain}");
            let answer = browser.post(&form, &format!("email={email}")).await;
            assert_eq!(answer.status(), 303, "{email}");
            kept.push(browser.jar.into_keys().collect::<Vec<_>>());
        }
        assert_eq!(kept[0], kept[1], "{length}");
    }
    assert_eq!(post.letters().len(), 6);
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
        answer.text().contains(RejectionKind::MailNotSent.heading()),
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
        late.text()
            .contains(RejectionKind::AttemptExpired.heading()),
        "{}",
        late.text()
    );
}
