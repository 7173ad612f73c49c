//! The layer's own mailed link: what it holds, and when it ends.

use std::time::Duration;

use http::Request;
use tower_magic_link::{Builder, RejectionKind, emulator::Endpoint};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, World, app_of},
};

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
