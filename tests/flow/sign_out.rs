//! Signing out in a browser that does not say where a form comes from.

use std::time::Duration;

use http::Request;
use tower_magic_link::provider::Identity;

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, World},
};

const SESSION: &str = "__Host-magic-link";
const BROWSER: &str = "__Host-magic-link-browser";

/// Makes a browser that has a session which the application issued, and never saw the form.
fn issued(world: &World) -> Browser {
    let mut browser = world.browser();
    let ada = Identity::new("user-1", ADA.parse().unwrap());
    let issued = world.layer.issuer().issue(&ada).unwrap();
    let token = issued.token().expose().to_owned();
    browser.jar.insert(SESSION.to_owned(), token);
    browser
}

/// Posts a form with these fields about its origin.
async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(path)
        .header("host", "app.example.com")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body("email=ada%40example.com".into()).unwrap();
    browser.send(request).await
}

const NULL: (&str, &str) = ("origin", "null");

/// Pinned: our own page has `Referrer-Policy: no-referrer`, so a browser without fetch metadata
/// posts its form with `Origin: null`, and was refused for good without the browser cookie.
#[tokio::test]
async fn a_session_that_never_saw_the_form_signs_out_in_a_browser_that_names_no_site() {
    let world = World::new().await;
    for fields in [&[NULL][..], &[]] {
        let mut browser = issued(&world);
        let page = browser.get("/auth/logout").await;
        assert!(page.text().contains("<button"), "{}", page.text());
        assert!(!browser.jar.contains_key(BROWSER));
        let copy = browser.clone();
        let out = post(&mut browser, "/auth/logout", fields).await;
        assert_eq!(out.location(), "/auth/logout", "{fields:?}");
        assert!(!browser.jar.contains_key(SESSION));
        assert_eq!(copy.clone().get("/").await.status(), 303, "{fields:?}");
    }
    // The session has ended by itself meanwhile: there is no error to show.
    let mut late = issued(&world);
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let out = post(&mut late, "/auth/logout", &[NULL]).await;
    assert_eq!(out.location(), "/auth/logout");
    assert!(!late.jar.contains_key(SESSION));
}

#[tokio::test]
async fn the_session_cookie_vouches_for_no_other_form_and_against_no_word_of_the_browsers() {
    let world = World::new().await;
    let cases = [
        (
            "a sibling",
            "/auth/logout",
            &[NULL, ("sec-fetch-site", "same-site")][..],
        ),
        (
            "a stranger",
            "/auth/logout",
            &[NULL, ("sec-fetch-site", "cross-site")],
        ),
        (
            "a sibling's origin",
            "/auth/logout",
            &[("origin", "https://www.example.com")],
        ),
        ("two origins", "/auth/logout", &[NULL, ("origin", ORIGIN)]),
        ("two empty origins", "/auth/logout", &[NULL, NULL]),
        ("signing in", "/auth/login", &[NULL]),
        ("signing in, unstated", "/auth/login", &[]),
    ];
    for (name, path, fields) in cases {
        let mut browser = issued(&world);
        let refused = post(&mut browser, path, fields).await;
        assert_eq!(refused.status(), 403, "{name}");
        assert!(refused.set_cookies().is_empty(), "{name}");
        assert_eq!(browser.get("/").await.status(), 200, "{name}");
    }
    // A cookie that is not ours, and a bearer token, which any site could send.
    let token = issued(&world).jar[SESSION].clone();
    let bearer = format!("Bearer {token}");
    let mut forged = world.browser();
    let signature = token.rsplit_once('.').unwrap().0;
    forged
        .jar
        .insert(SESSION.to_owned(), format!("{signature}.AAAA"));
    assert_eq!(
        post(&mut forged, "/auth/logout", &[NULL]).await.status(),
        403
    );
    let mut program = world.browser();
    let fields = [NULL, ("authorization", bearer.as_str())];
    assert_eq!(
        post(&mut program, "/auth/logout", &fields).await.status(),
        403
    );
}
