//! A browser that does not give our cookies back is told so, and why, instead of being sent round
//! and round.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{Rejection, RejectionKind, Session};

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, World},
};

const SESSION: &str = "__Host-magic-link";
const WIDE: &str = "__Secure-magic-link";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const ARRIVED: &str = "__Host-magic-link-arrived";

/// Posts a form as a browser does that has lost its cookies: nothing but the headers shows where it
/// comes from.
async fn post_without_cookies(browser: &mut Browser, headers: &[(&str, &str)]) -> Answer {
    browser.jar.clear();
    let mut request = Request::post("/auth/login")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(format!("email={ADA}").into()).unwrap();
    browser.send(request).await
}

#[tokio::test]
async fn a_browser_that_drops_the_cookie_of_the_form_hears_why() {
    let world = World::new().await;
    let right = ("host", "app.example.com");
    let fetched = ("sec-fetch-site", "same-origin");
    let cases = [
        (
            "cookies off",
            &[right, fetched][..],
            RejectionKind::CookiesBlocked,
            "\"/auth/login\"",
        ),
        (
            "plain http",
            &[right],
            RejectionKind::InsecureConnection,
            "\"https://app.example.com/auth/login\"",
        ),
        (
            "another host",
            &[("host", "www.example.com"), fetched],
            RejectionKind::OtherHost,
            "\"https://app.example.com/auth/login\"",
        ),
    ];
    for (name, headers, trouble, way_on) in cases {
        let mut browser = world.browser();
        browser.get("/auth/login").await;
        let mut answer = post_without_cookies(&mut browser, headers).await;
        if answer.status() == 303 {
            browser.jar.clear();
            let mut check = Request::get(answer.location()).header("accept", "text/html");
            for (name, value) in headers {
                check = check.header(*name, *value);
            }
            answer = browser.send(check.body("".into()).unwrap()).await;
        }
        assert_eq!(answer.status(), 403, "{name}: {}", answer.text());
        assert!(answer.read().contains(trouble.heading()), "{name}");
        assert!(answer.read().contains(way_on), "{name}: {}", answer.text());
        let heard = world.heard();
        let likely = format!("{trouble:?}");
        assert!(
            heard.contains("CookieLost { name: \"__Host-magic-link-browser\""),
            "{name}"
        );
        assert!(
            heard.contains(&format!("likely: {likely}")),
            "{name}: {heard}"
        );
    }
}

#[tokio::test]
async fn the_check_page_opened_by_hand_in_another_browser_is_no_lost_cookie() {
    let world = World::new().await;
    let posted = world
        .browser()
        .post("/auth/login", "email=ada@example.com")
        .await;
    let check = posted.location();
    let pasted = Request::get(check)
        .header("accept", "text/html")
        .header("sec-fetch-site", "none");
    let answer = world.browser().send(pasted.body("".into()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    world.clock.advance(Duration::from_secs(10));
    let answer = world.browser().get(check).await;
    assert_eq!(answer.status(), 200);
    assert!(!world.heard().contains("CookieLost"));
}

#[tokio::test]
async fn a_browser_that_drops_the_session_is_told_on_the_second_bounce_and_may_try_again() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports");
    // The session cookie is too much for something on the way; the small one beside it is not.
    browser.jar.remove(SESSION);
    let bounced = browser.get("/reports").await;
    let login = bounced.location().to_owned();
    let told = browser.get(&login).await;
    assert_eq!(told.status(), 403, "{}", told.text());
    let heard = world.heard();
    assert!(
        heard.contains("CookieLost { name: \"__Host-magic-link\""),
        "{heard}"
    );
    assert!(!browser.jar.contains_key(ARRIVED));
    assert_eq!(
        browser.get(&login).await.status(),
        200,
        "the next try is one"
    );
}

/// The revocation of before reaches a minute ahead, and yet has not ended this session.
#[tokio::test]
async fn a_browser_that_drops_the_session_at_once_after_signing_out_everywhere_is_told_too() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    browser.post("/auth/logout", "everywhere=true").await;
    world.clock.advance(Duration::from_secs(30));
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    assert_eq!(browser.get(&callback).await.location(), "/reports");
    browser.jar.remove(SESSION);
    let told = browser.get("/auth/login").await;
    assert_eq!(told.status(), 403, "{}", told.text());
    assert!(world.heard().contains("CookieLost"));
}

#[tokio::test]
async fn whoever_signs_out_or_is_signed_out_at_once_is_shown_the_form() {
    let world = World::new().await;
    let mut out = world.signed_in(ADA).await;
    assert!(out.jar.contains_key(ARRIVED));
    out.post("/auth/logout", "").await;
    assert!(!out.jar.contains_key(ARRIVED), "it goes with the session");
    assert_eq!(out.get("/auth/login").await.status(), 200);

    let mut ended = world.signed_in(ADA).await;
    let mut elsewhere = world.signed_in(ADA).await;
    elsewhere.post("/auth/logout", "everywhere=true").await;
    let answer = ended.get("/").await;
    assert_eq!(ended.follow(answer).await.status(), 200);
    assert!(!world.heard().contains("CookieLost"));
}

/// The application signs them out, and not `/auth/logout`: within a minute of signing in that is no
/// dropped cookie.
#[tokio::test]
async fn whoever_the_application_signs_out_at_once_is_shown_the_form() {
    let world = World::new().await;
    let issuer = world.layer.issuer();
    let leave = world
        .layer
        .layer(service_fn(move |request: Request<Full<Bytes>>| {
            let issuer = issuer.clone();
            async move {
                let mut response = Response::new(Full::<Bytes>::default());
                if let Some(session) = request.extensions().get::<Session>() {
                    issuer.sign_out(session).await.unwrap();
                }
                for removal in issuer.removals() {
                    response.headers_mut().append("set-cookie", removal);
                }
                response
                    .headers_mut()
                    .insert("cache-control", "no-store".parse().unwrap());
                Ok::<_, std::convert::Infallible>(response)
            }
        }));
    let signed_in = world.signed_in(ADA).await;
    assert!(signed_in.jar.contains_key(ARRIVED));
    let mut out = Browser::new(BoxCloneSyncService::new(leave), ORIGIN);
    out.jar = signed_in.jar;
    assert_eq!(out.get("/leave").await.status(), 200);
    let mut after = world.browser();
    after.jar = out.jar;
    assert!(!after.jar.contains_key(SESSION) && !after.jar.contains_key(ARRIVED));
    let bounced = after.get("/reports").await;
    assert_eq!(after.follow(bounced).await.status(), 200);
    assert!(!world.heard().contains("CookieLost"));
}

/// Begins a sign-in in a browser that has a session from before, and returns it as it is after the
/// sign-in and as it was a moment before.
async fn anew(world: &World) -> (Browser, Browser) {
    let mut browser = world.signed_in(ADA).await;
    // The session is older than a minute.
    browser.jar.remove(ARRIVED);
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    let before = browser.clone();
    assert_eq!(browser.get(&callback).await.location(), "/reports");
    assert_ne!(browser.jar[SESSION], before.jar[SESSION]);
    (browser, before)
}

/// Pinned: signing in again ends the former session. A poll that had left with its cookie was
/// refused after that, and its answer removed the new cookie.
#[tokio::test]
async fn a_late_refusal_of_the_former_session_leaves_the_new_one() {
    let (get, post) = (Method::GET, Method::POST);
    let form = "application/x-www-form-urlencoded";
    let cases = [
        ("fetch", &get, &[("sec-fetch-mode", "cors")][..]),
        (
            "an old browser's fetch",
            &get,
            &[("accept", "application/json")],
        ),
        ("EventSource", &get, &[("accept", "text/event-stream")]),
        (
            "an image",
            &get,
            &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        ),
        ("htmx", &get, &[("hx-request", "true")]),
        (
            "a frame",
            &get,
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        ),
        (
            "a form",
            &post,
            &[("sec-fetch-mode", "navigate"), ("content-type", form)],
        ),
        ("WebSocket", &get, &[("upgrade", "websocket")]),
        ("gRPC", &post, &[("content-type", "application/grpc")]),
        (
            "gRPC-Web",
            &post,
            &[("content-type", "application/grpc-web")],
        ),
        ("a prefetch", &get, &[("sec-purpose", "prefetch")]),
        (
            "a preflight",
            &Method::OPTIONS,
            &[("origin", ORIGIN), ("access-control-request-method", "PUT")],
        ),
    ];
    for (name, method, fields) in cases {
        let world = World::new().await;
        let (mut browser, mut before) = anew(&world).await;
        let mut request = Request::builder().method(method).uri("/poll");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let late = before.send(request.body("".into()).unwrap()).await;
        let rejection = late.head.extensions.get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::RevokedSession, "{name}");
        browser.keep(&late.head.headers);
        let page = browser.get("/reports").await;
        assert_eq!(page.status(), 200, "{name}: {}", page.text());
        assert!(!world.heard().contains("CookieLost"), "{name}");
    }
}

/// Pinned: a sign-out, or a reload, whose answer came after that of a sign-in in another tab
/// removed the new session and not the cookie beside it.
#[tokio::test]
async fn whoever_a_late_answer_signs_out_is_shown_the_form() {
    for (name, is_form) in [("a sign-out", true), ("a reload", false)] {
        let world = World::new().await;
        let (mut browser, mut before) = anew(&world).await;
        let late = match is_form {
            true => before.post("/auth/logout", "").await,
            false => before.get("/reports").await,
        };
        assert_eq!(late.status(), 303, "{name}");
        browser.keep(&late.head.headers);
        assert!(!browser.jar.contains_key(SESSION), "{name}");
        let form = browser.get("/auth/login").await;
        assert_eq!(form.status(), 200, "{name}: {}", form.text());
        assert!(!world.heard().contains("CookieLost"), "{name}");
    }
}

/// Pinned: with "remember me" the session goes when the browser closes, and the cookie beside it
/// stayed for its minute. Whoever opened the browser again was told that it blocks cookies.
#[tokio::test]
async fn whoever_closes_the_browser_and_opens_it_again_at_once_is_shown_the_form() {
    for (form, is_kept) in [("", false), ("&remember_me=on", true)] {
        let world = World::with(|builder| builder.remember_me(DAY * 30)).await;
        let mut browser = world.browser();
        browser.get("/auth/login").await;
        let form = format!("email=ada%40example.com{form}");
        browser.post("/auth/login", &form).await;
        let callback = world.follow_mail(ADA).await;
        let landed = browser.get(&callback).await;
        // Closing: what has no lifetime goes.
        for set in landed.set_cookies() {
            let (name, _) = set.split_once('=').unwrap();
            if !set.contains("Max-Age") {
                browser.jar.remove(name);
            }
        }
        assert_eq!(browser.jar.contains_key(SESSION), is_kept);
        assert_eq!(browser.jar.contains_key(ARRIVED), is_kept);
        let bounced = browser.get("/reports").await;
        assert_eq!(browser.follow(bounced).await.status(), 200);
        assert!(!world.heard().contains("CookieLost"));
    }
}

/// Pinned: a sibling host removes the session's cookie, and cannot reach the one beside it.
#[tokio::test]
async fn whoever_signs_out_at_a_sibling_host_at_once_is_shown_the_form() {
    for form in ["", "everywhere=true"] {
        let world = World::with(|builder| builder.cookie_domain("example.com")).await;
        let mut browser = world.browser();
        browser.cookie_domain = Some("example.com");
        browser.sign_in(&world, ADA, "/").await;
        let mut sibling = world.browser();
        sibling.cookie_domain = Some("example.com");
        let token = browser.jar.remove(WIDE).unwrap();
        sibling.jar.insert(WIDE.to_owned(), token);
        sibling.post("/auth/logout", form).await;
        assert!(!sibling.jar.contains_key(WIDE) && browser.jar.contains_key(ARRIVED));
        let bounced = browser.get("/reports").await;
        let answer = browser.follow(bounced).await;
        assert_eq!(answer.status(), 200, "{form}: {}", answer.text());
        assert!(!world.heard().contains("CookieLost"));
    }
}

#[tokio::test]
async fn a_session_that_was_dropped_is_told_of_for_a_minute_alone_and_by_our_own_word() {
    for (name, wait, is_told) in [("at once", 0, true), ("59", 59, true), ("60", 60, false)] {
        // The session's cookie without a lifetime, so that the one beside it has none either.
        let world = World::with(|builder| builder.remember_me(DAY * 30)).await;
        let mut browser = world.signed_in(ADA).await;
        browser.jar.remove(SESSION);
        world.clock.advance(Duration::from_secs(wait));
        let told = browser.clone().get("/auth/login").await;
        assert_eq!(told.status(), if is_told { 403 } else { 200 }, "{name}");
        // Pinned: the way on led to the form without the page that was wanted.
        let told = browser.clone().get("/auth/login?return_to=/reports").await;
        assert_eq!(told.status(), if is_told { 403 } else { 200 }, "{name}");
        let form = "/auth/login?return_to=/reports\"";
        assert!(told.text().contains(form), "{name}: {}", told.text());
        let elsewhere = browser.get("/auth/login?return_to=//evil.example").await;
        assert_eq!(
            elsewhere.status(),
            if is_told { 403 } else { 200 },
            "{name}"
        );
        assert!(!elsewhere.text().contains("evil"), "{name}");
    }
    let world = World::new().await;
    for planted in ["1", "99999999999", "AAAA"] {
        let mut browser = world.browser();
        browser.jar.insert(ARRIVED.to_owned(), planted.to_owned());
        assert_eq!(browser.get("/auth/login").await.status(), 200, "{planted}");
    }
}

#[tokio::test]
async fn a_program_that_names_no_site_is_refused_as_before() {
    let world = World::new().await;
    let request = Request::post("/auth/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("email={ADA}").into())
        .unwrap();
    let answer = world.browser().send(request).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.code(), RejectionKind::CrossSite.code());
}

/// Pinned: a POST that was refused by its head led to the form without the page that was wanted.
#[tokio::test]
async fn a_form_that_is_refused_unread_leads_back_with_the_page_that_was_wanted() {
    let world = World::new().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let text = ("content-type", "text/plain");
    let cases = [
        ("plain http", form, ("origin", "null"), 403, ORIGIN),
        (
            "another site",
            form,
            ("sec-fetch-site", "same-site"),
            403,
            "",
        ),
        ("no form", text, ("sec-fetch-site", "same-origin"), 415, ""),
    ];
    for (name, kind, from, status, origin) in cases {
        for (wanted, back) in [("/reports", "?return_to=/reports"), ("//evil.example", "")] {
            let mut request = Request::post(format!("/auth/login?return_to={wanted}"))
                .header("accept", "text/html");
            for (field, value) in [kind, from] {
                request = request.header(field, value);
            }
            let request = request.body(format!("email={ADA}").into()).unwrap();
            let answer = world.browser().send(request).await;
            assert_eq!(answer.status(), status, "{name}");
            let way_on = format!("href=\"{origin}/auth/login{back}\"");
            assert!(answer.text().contains(&way_on), "{name}: {}", answer.text());
        }
    }
}
