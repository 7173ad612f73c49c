//! What arrives at the layer's own endpoints: from where, in which shape, by which method.

use http::{Method, Request};
use tower_magic_link::{Builder, RejectionKind};

use crate::{
    names::{ADA, ORIGIN},
    support::World,
};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_post_from_another_site_is_refused_and_nothing_is_sent() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    browser.get("/auth/login").await;
    let stranger = world.browser();
    let sites = [
        (Some("same-origin"), Some(true)),
        (Some("none"), Some(true)),
        (Some("same-site"), Some(false)),
        (Some("cross-site"), Some(false)),
        (None, None),
    ];
    let origins = [
        (Some(ORIGIN), Some(true)),
        (Some("https://evil.example"), Some(false)),
        (None, None),
    ];
    for (site, by_site) in sites {
        for (origin, by_origin) in origins {
            for (has_cookie, jar) in [(true, &browser), (false, &stranger)] {
                for path in ["/auth/login", "/auth/logout"] {
                    let mut request = Request::post(path).header("content-type", FORM);
                    if let Some(site) = site {
                        request = request.header("sec-fetch-site", site);
                    }
                    if let Some(origin) = origin {
                        request = request.header("origin", origin);
                    }
                    let mails = world.emulator().outbox().len();
                    let request = request.body(format!("email={ADA}").into()).unwrap();
                    let answer = jar.clone().send(request).await;
                    let is_taken = by_site.or(by_origin).unwrap_or(has_cookie);
                    let name = format!("{path} {site:?} {origin:?} cookie: {has_cookie}");
                    assert_eq!(answer.status(), if is_taken { 303 } else { 403 }, "{name}");
                    if !is_taken {
                        assert_eq!(answer.code(), "cross_site", "{name}");
                        assert_eq!(world.emulator().outbox().len(), mails, "{name}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_made_up_browser_cookie_vouches_for_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    let made_up = "A".repeat(43);
    browser
        .jar
        .insert("__Host-magic-link-browser".to_owned(), made_up);
    let request = Request::post("/auth/login")
        .header("content-type", FORM)
        .body(format!("email={ADA}").into())
        .unwrap();
    assert_eq!(browser.send(request).await.status(), 403);
}

#[tokio::test]
async fn signing_out_from_another_site_ends_nothing() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    let request = Request::post("/auth/logout")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .body("".into())
        .unwrap();
    let answer = browser.send(request).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_form_that_is_too_large_or_of_another_kind_is_refused_with_its_status() {
    let world = World::new().await;
    let large = format!("email={}", "a".repeat(16 * 1_024));
    let cases = [
        ("large", FORM, large.as_str(), 413, "too_large"),
        (
            "untyped",
            "",
            "email=ada@example.com",
            415,
            "unsupported_media_type",
        ),
        (
            "multipart",
            "multipart/form-data; boundary=x",
            "--x--",
            415,
            "unsupported_media_type",
        ),
        (
            "json",
            "application/json",
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            "text",
            "text/plain",
            "email=ada@example.com",
            415,
            "unsupported_media_type",
        ),
        (
            "field twice",
            FORM,
            "email=ada@example.com&email=eve@example.com",
            400,
            "malformed",
        ),
        (
            "return_to twice",
            FORM,
            "email=ada@example.com&return_to=/a&return_to=/b",
            400,
            "malformed",
        ),
    ];
    for (name, kind, body, status, code) in cases {
        for has_length in [true, false] {
            let mut request = Request::post("/auth/login").header("sec-fetch-site", "same-origin");
            if !kind.is_empty() {
                request = request.header("content-type", kind);
            }
            if has_length {
                request = request.header("content-length", body.len());
            }
            let request = request.body(body.to_owned().into()).unwrap();
            let answer = world.browser().send(request).await;
            assert_eq!(
                (answer.status().as_u16(), answer.code().as_str()),
                (status, code),
                "{name}"
            );
        }
    }
    assert!(world.emulator().outbox().is_empty());
}

#[tokio::test]
async fn an_address_that_mail_cannot_be_sent_to_is_told_on_the_form() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (name, form) in [
        ("missing", ""),
        ("empty", "email="),
        ("spaces", "email=++"),
        ("no address", "email=ada"),
        ("two", "email=ada%40example.com%2Ceve%40example.com"),
        (
            "line break",
            "email=ada%40example.com%0d%0aBcc%3Aeve%40example.com",
        ),
        ("script", "email=%3Cscript%3Ealert(1)%3C/script%3E"),
        ("no text", "email=%ff%fe"),
    ] {
        let answer = browser.post("/auth/login?return_to=/reports", form).await;
        assert_eq!(answer.status(), 422, "{name}");
        assert!(
            answer.text().contains(r#"role="alert""#),
            "{name}: {}",
            answer.text()
        );
        assert!(
            answer.text().contains("return_to=/reports"),
            "{name}: the way back is lost"
        );
        assert_eq!(
            answer.text().matches("<script").count(),
            1,
            "{name}: not ours alone"
        );
    }
    assert!(world.emulator().outbox().is_empty());
}

#[tokio::test]
async fn another_method_is_refused_with_the_methods_that_there_are() {
    let world = World::new().await;
    let cases = [
        ("login", "GET, HEAD, POST"),
        ("logout", "GET, HEAD, POST"),
        ("check", "GET, HEAD"),
        ("callback", "GET, HEAD, POST"),
        ("choose", "GET, HEAD, POST"),
        ("code", "GET, HEAD, POST"),
        ("open", "GET, HEAD, POST"),
        ("session", "GET, HEAD"),
    ];
    for (endpoint, allow) in cases {
        for method in [
            "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = Request::builder()
                .method(method.clone())
                .uri(format!("/auth/{endpoint}"));
            let answer = world.browser().send(request.body("".into()).unwrap()).await;
            assert_eq!(answer.status(), 405, "{method} {endpoint}");
            assert_eq!(answer.header("allow"), allow, "{method} {endpoint}");
        }
    }
    assert_eq!(world.hits(), 0);
}

#[tokio::test]
async fn the_real_method_counts_whatever_a_header_or_field_says() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        let request = Request::get("/auth/logout?_method=POST")
            .header(name, "POST")
            .header("accept", "text/html");
        browser.send(request.body("".into()).unwrap()).await;
        assert_eq!(browser.get("/").await.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn a_page_for_a_person_and_a_problem_for_a_program() {
    let world = World::new().await;
    let page = world.browser().get("/auth/open?t=x").await;
    assert!(
        page.text().contains(RejectionKind::Malformed.heading()),
        "{}",
        page.text()
    );
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let request = Request::get("/auth/open?t=x").body("".into()).unwrap();
    let problem = world.browser().send(request).await;
    assert_eq!(
        (problem.status().as_u16(), problem.code().as_str()),
        (400, "malformed")
    );
    assert_eq!(problem.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn every_answer_of_an_endpoint_is_kept_from_caches_frames_and_sniffers() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    let mut answers = Vec::new();
    for path in [
        "login",
        "check?t=x",
        "callback",
        "callback?error=x",
        "logout",
        "session",
        "open?t=x",
    ] {
        answers.push((path, browser.get(&format!("/auth/{path}")).await));
    }
    answers.push((
        "post login",
        browser.post("/auth/login", "email=ada@example.com").await,
    ));
    answers.push(("post login", browser.post("/auth/login", "email=x").await));
    answers.push(("post logout", browser.post("/auth/logout", "").await));
    answers.push(("no session", browser.get("/auth/session").await));
    for (name, answer) in answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(answer.header("vary"), "cookie", "{name}");
        assert_ne!(answer.status(), 307, "{name}");
        assert!(
            !answer.status().is_redirection() || answer.status() == 303,
            "{name}"
        );
        if answer.header("content-type").starts_with("text/html") {
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("default-src 'none'"), "{name}");
            assert!(policy.contains("frame-ancestors 'none'"), "{name}");
            assert!(policy.contains("form-action 'self'"), "{name}");
            assert!(!policy.contains("unsafe"), "{name}");
        }
        if !answer.header("content-type").ends_with("json") {
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{name}");
        }
    }
}

#[tokio::test]
async fn another_mail_is_sent_once_its_wait_is_over_and_not_before() {
    let world = World::new().await;
    let mut browser = world.browser();
    let posted = browser.post("/auth/login", "email=ada@example.com").await;
    let check = posted.location().to_owned();
    let sealed = check.split_once("t=").unwrap().1;
    let resend = format!("email=ada@example.com&t={sealed}");
    for (after, told) in [(0, "30 seconds"), (7, "23 seconds"), (22, "1 second")] {
        world.clock.advance(std::time::Duration::from_secs(after));
        let page = browser.get(&check).await;
        assert!(page.read().contains(told), "{told}: {}", page.read());
        // Asked for at once it is the same page, with the seconds that are left.
        assert_eq!(browser.post("/auth/login", &resend).await.location(), check);
    }
    assert_eq!(world.emulator().outbox().len(), 1);
    // The wait is this browser's alone: a stranger's attempt holds nobody up.
    let asked = world.browser().post("/auth/login", &resend).await;
    assert_ne!(asked.location(), check);
    assert_eq!(world.emulator().outbox().len(), 2);

    world.clock.advance(std::time::Duration::from_secs(1));
    let page = browser.get(&check).await;
    assert!(!page.text().contains("You can ask"), "{}", page.text());
    assert_ne!(browser.post("/auth/login", &resend).await.location(), check);
    assert_eq!(world.emulator().outbox().len(), 3);
}

#[tokio::test]
async fn a_fragment_that_the_browser_kept_is_led_to_by_a_page_and_none_by_a_redirect() {
    let world = World::new().await;
    for (kept, is_page) in [("", false), ("&fragment=kept", true)] {
        let mut browser = world.browser();
        let form = format!("email=ada@example.com{kept}");
        browser.post("/auth/login?return_to=/reports", &form).await;
        let callback = world.follow_mail(ADA).await;
        let landed = browser.get(&callback).await;
        assert!(browser.jar.contains_key("__Host-magic-link"));
        if is_page {
            assert_eq!(landed.status(), 200);
            assert!(landed.text().contains("href=\"/reports\""));
        } else {
            assert_eq!(landed.location(), "/reports");
        }
    }
}
