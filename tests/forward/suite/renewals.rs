//! A renewed session reaches its browser, and no cache.

use super::{Stage, list};
use crate::front::Front;

/// The fields that one kind of cache obeys before `Cache-Control`.
const AIMED: [&str; 4] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "edge-control",
    "surrogate-control",
];

/// Pins: a cache of Cloudflare's, Akamai's or nginx's was still told to keep a renewal.
pub(super) async fn a_renewal_reaches_the_browser_and_no_cache(stage: &Stage) {
    for path in ["/page", "/cacheable", "/missing", "/broken", "/theirs"] {
        let person = stage.person_to_renew().await;
        let answer = person.get(path, &[]).await;
        let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies.len(), 1, "{path}: {cookies:?}");
        let cookie = cookies[0].to_str().unwrap();
        assert!(cookie.starts_with("magic-link=ey"), "{path}: {cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(attribute), "{path}: {cookie}");
        }
        let caching = list(&answer, "cache-control");
        assert!(caching.contains("no-store"), "{path}: {caching:?}");
        // nginx cannot take the service's word from its errors. no-store counts more.
        let stays = stage.front == Front::Nginx && answer.status().as_u16() >= 400;
        assert!(stays || !caching.contains("public"), "{path}: {caching:?}");
        for other in AIMED.iter().chain(&["x-accel-expires"]) {
            assert_eq!(list(&answer, other), "", "{path}: {other}");
        }
        let varies = list(&answer, "vary").to_lowercase();
        assert!(varies.contains("cookie"), "{path}: {varies:?}");
        let reached = stage.reached.take();
        assert_eq!(reached.len(), 1, "{path}");
        assert_eq!(reached[0].values("set-cookie"), [""; 0], "{path}");
        assert_eq!(reached[0].values("x-auth-email").len(), 1, "{path}");
    }
}

pub(super) async fn a_renewal_hides_nothing_that_the_service_sets(stage: &Stage) {
    let person = stage.person_to_renew().await;
    let answer = person.get("/steal", &[]).await;
    let cookies = list(&answer, "set-cookie");
    assert!(cookies.contains("theirs=1"), "{cookies}");
    assert!(cookies.contains("magic-link=ey"), "{cookies}");
}

pub(super) async fn a_response_without_renewal_is_cached_as_the_service_says(stage: &Stage) {
    let person = stage.person().await;
    let answer = person.get("/cacheable", &[]).await;
    assert_eq!(list(&answer, "cache-control"), "public, max-age=600");
    for other in AIMED {
        assert_eq!(list(&answer, other), "max-age=600", "{other}");
    }
    assert_eq!(list(&answer, "set-cookie"), "");
}

pub(super) async fn a_response_to_a_session_is_the_browsers_alone_unless_the_service_says_otherwise(
    stage: &Stage,
) {
    // Traefik can replace the field, and not add it only where it is missing.
    let private = match stage.front {
        Front::Traefik => "",
        _ => "private",
    };
    let theirs = "public, max-age=600";
    let (person, stranger) = (stage.person().await, stage.stranger());
    let cases = [
        (&person, "/page", private),
        (&person, "/about", private),
        (&person, "/cacheable", theirs),
        (&person, "/missing", theirs),
        (&person, "/broken", theirs),
        (&stranger, "/about", ""),
    ];
    for (who, path, want) in cases {
        let answer = who.get(path, &[]).await;
        assert_eq!(list(&answer, "cache-control"), want, "{path}");
        drop(answer.bytes().await);
    }
}

pub(super) async fn a_response_depends_on_the_cookie_and_says_so(stage: &Stage) {
    let person = stage.person().await;
    let answer = person.get("/cacheable", &[]).await;
    let varies = list(&answer, "vary").to_lowercase();
    assert!(varies.contains("accept-encoding"), "{varies:?}");
    // Traefik can replace the field, and not add to it.
    if stage.front != Front::Traefik {
        assert!(varies.contains("cookie"), "{varies:?}");
    }
}

pub(super) async fn a_clients_set_cookie_does_nothing(stage: &Stage) {
    let person = stage.person().await;
    let fields = [("set-cookie", "magic-link=evil")];
    let answer = person.get("/cacheable", &fields).await;
    assert_eq!(list(&answer, "set-cookie"), "");
    assert_eq!(list(&answer, "cache-control"), "public, max-age=600");
}
