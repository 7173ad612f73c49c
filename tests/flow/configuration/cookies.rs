//! Settings that no browser's cookies can keep, and what a cookie is bound to.

use http::{Request, header};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    testing::{ManualClock, StubProvider},
};

use super::{builder, is_refused};
use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, app_of},
};

#[test]
fn settings_that_contradict_each_other_or_a_browser_are_refused() {
    let collision = "collides with the mount \"/a/b\"";
    is_refused("public_prefix", "/a\"", collision, |builder| {
        builder.public_prefix("/a/").mount("/a/b")
    });
    // A split of an empty variable: it must not let everybody in.
    is_refused("email_domains", "\"", "names no domain", |builder| {
        builder.email_domains("".split_terminator(','))
    });
    let name = "c".repeat(65);
    is_refused("cookie_name", &name, "1 to 64 letters", |builder| {
        builder.cookie_name(&name)
    });
    is_refused("cookie_name", "a\\r\\nb\"", "1 to 64 letters", |builder| {
        builder.cookie_name("a\r\nb")
    });
    let mount = format!("/{}", "a".repeat(128));
    is_refused("mount", &mount, "at most 128 bytes", |builder| {
        builder.mount(&mount)
    });
}

/// Of what the layer is told, only these two can make a cookie too large: ids and the longest
/// address leave half of it empty.
#[test]
fn cookies_that_no_browser_would_keep_are_refused() {
    let problem = "drop those over 4096";
    is_refused("cookie", "__Host-magic-link\"", problem, |builder| {
        let long = format!("org_{}", "1".repeat(3_000));
        builder.organization("org_1").organization(long)
    });
    is_refused("cookie", "__Host-magic-link\"", problem, |builder| {
        builder.public_url(format!("https://{}example.com", "label.".repeat(300)))
    });
}

/// Signs in at a layer whose provider is a stub, and returns every cookie that was set on the way,
/// and at the sign-out.
async fn cookies_of(origin: &'static str) -> Vec<String> {
    let provider = StubProvider::new();
    let layer = builder(provider.clone())
        .public_url(origin)
        .build()
        .unwrap();
    let mut browser = Browser::new(app_of(&layer), origin);
    let mut answers: Vec<Answer> = Vec::new();
    answers.push(browser.get("/auth/login").await);
    answers.push(browser.post("/auth/login", "email=ada%40example.com").await);
    let link = provider.last_link().unwrap();
    let callback = link.expose().strip_prefix(origin).unwrap().to_owned();
    answers.push(browser.get(&callback).await);
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
    answers.push(browser.post("/auth/logout", "").await);
    answers.iter().flat_map(Answer::set_cookies).collect()
}

#[tokio::test]
async fn cookies_are_secure_and_bound_to_their_host_except_on_plain_http_loopback() {
    let cases = [
        (ORIGIN, true),
        ("https://app.example.com:8443", true),
        ("https://localhost", true),
        ("https://localhost:3000", true),
        ("https://127.0.0.1:3000", true),
        ("http://localhost:3000", false),
        ("http://app.localhost:3000", false),
        ("http://127.0.0.1:3000", false),
        ("http://127.1.2.3", false),
        ("http://[::1]:3000", false),
    ];
    for (origin, is_secure) in cases {
        let cookies = cookies_of(origin).await;
        assert!(cookies.len() >= 3, "{origin}: {cookies:?}");
        for cookie in cookies {
            let attributes: Vec<_> = cookie.split("; ").collect();
            assert_eq!(
                attributes.contains(&"Secure"),
                is_secure,
                "{origin}: {cookie}"
            );
            assert_eq!(
                cookie.starts_with("__Host-magic-link"),
                is_secure,
                "{origin}: {cookie}"
            );
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(attributes.contains(&attribute), "{origin}: {cookie}");
            }
            assert!(!cookie.contains("Domain"), "{origin}: {cookie}");
        }
    }
}

/// Returns the `Cookie` pair of somebody who is signed in at a layer.
fn pair_of(layer: &MagicLinkLayer) -> (String, String) {
    let mut request = Request::new(());
    layer.sign_in(&mut request, ADA);
    let cookie = request.headers()[header::COOKIE].to_str().unwrap();
    let (name, token) = cookie.split_once('=').unwrap();
    (name.to_owned(), token.to_owned())
}

#[tokio::test]
async fn a_session_of_one_deployment_is_none_of_anothers() {
    let of = |origin: &str| {
        builder(StubProvider::new())
            .public_url(origin)
            .build()
            .unwrap()
    };
    let (ours, theirs) = (of(ORIGIN), of("https://staging.example.com"));
    let (plain, other_keys) = (
        of("http://localhost:3000"),
        MagicLinkLayer::builder(
            StubProvider::new(),
            KeyRing::new(SigningKey::generate().unwrap()),
        )
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .build()
        .unwrap(),
    );
    let (name, token) = pair_of(&ours);
    let cases = [
        ("its own", &name, token.clone(), "/ for ada@example.com"),
        (
            "another origin's, with the same keys",
            &name,
            pair_of(&theirs).1,
            "invalid_session",
        ),
        (
            "plain http's, with the same keys",
            &name,
            pair_of(&plain).1,
            "invalid_session",
        ),
        (
            "other keys', of the same origin",
            &name,
            pair_of(&other_keys).1,
            "invalid_session",
        ),
        (
            "its own in a cookie without the prefix",
            &"magic-link-3000".to_owned(),
            token.clone(),
            "no_session",
        ),
        (
            "its own in the browser cookie",
            &"__Host-magic-link-browser".to_owned(),
            token,
            "no_session",
        ),
    ];
    for (case, name, token, want) in cases {
        let mut browser = Browser::new(app_of(&ours), ORIGIN);
        browser.jar.insert(name.clone(), token);
        let answer = browser
            .send(Request::get("/").body("".into()).unwrap())
            .await;
        assert!(answer.text().contains(want), "{case}: {}", answer.text());
    }
}

/// Pinned: two applications on two ports of `localhost` signed each other's people out.
#[tokio::test]
async fn two_applications_on_two_ports_of_localhost_leave_each_others_cookies_alone() {
    let at = |origin: &'static str| {
        let layer = builder(StubProvider::new()).public_url(origin).build();
        let layer = layer.unwrap();
        let (name, token) = pair_of(&layer);
        (Browser::new(app_of(&layer), origin), name, token)
    };
    let origins = [
        ("http://localhost:3000", "magic-link-3000"),
        ("http://localhost:3001", "magic-link-3001"),
        ("http://localhost", "magic-link-80"),
        ("http://[::1]:8080", "magic-link-8080"),
        ("https://localhost:3000", "__Host-magic-link"),
        ("https://app.example.com:8443", "__Host-magic-link"),
    ];
    for (origin, want) in origins {
        assert_eq!(at(origin).1, want, "{origin}");
    }
    let (mut one, name, token) = at("http://localhost:3000");
    let (mut two, other_name, other_token) = at("http://localhost:3001");
    for browser in [&mut one, &mut two] {
        browser.jar.insert(name.clone(), token.clone());
        browser.jar.insert(other_name.clone(), other_token.clone());
        assert_eq!(browser.get("/").await.status(), 200);
        browser.post("/auth/logout", "").await;
    }
    assert!(one.jar.contains_key(&other_name) && !one.jar.contains_key(&name));
    assert!(two.jar.contains_key(&name) && !two.jar.contains_key(&other_name));
    let given = builder(StubProvider::new()).public_url("http://localhost:3000");
    let given = given.cookie_name("acme").build().unwrap();
    assert_eq!(pair_of(&given).0, "acme");
}
