//! Which cookies a browser keeps, and where it sends them.

use std::time::Duration;

use super::*;
use crate::testing::ManualClock;

/// A browser that was handed one cookie by `/set/here`, and what it sends to a path then.
async fn sent_after(origin: &str, cookie: &'static str, path: &str) -> String {
    let service = service_fn(move |request: Request<String>| {
        let mut response = echo(&request);
        if request.uri().path() == "/set/here" {
            let cookie = cookie.parse().unwrap();
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        ready(Ok::<_, Infallible>(response))
    });
    let mut browser = Browser::new(service, origin).with_clock(ManualClock::new());
    browser.get("/set/here").await;
    let text = browser.get(path).await.text().into_owned();
    let (_, cookie) = text.split_once("cookie=").unwrap();
    cookie.split_once(' ').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_cookie_is_kept_and_sent_as_a_browser_does() {
    let long = Box::leak(format!("a={}; Path=/", "x".repeat(4_096)).into_boxed_str());
    let cases = [
        ("plain", "a=1; Path=/", "/", "a=1"),
        ("of a folder, below it", "a=1; Path=/x", "/x/y", "a=1"),
        ("of a folder, itself", "a=1; Path=/x", "/x", "a=1"),
        ("of a folder, a longer name", "a=1; Path=/x", "/xy", "-"),
        ("of a folder, above it", "a=1; Path=/x", "/", "-"),
        ("without a path, in the folder", "a=1", "/set/there", "a=1"),
        ("without a path, elsewhere", "a=1", "/", "-"),
        ("with a path that is none", "a=1; Path=x", "/set/x", "a=1"),
        ("secure", "a=1; Path=/; Secure", "/", "a=1"),
        ("for an hour", "a=1; Path=/; Max-Age=3600", "/", "a=1"),
        ("for no time", "a=1; Path=/; Max-Age=0", "/", "-"),
        ("for less", "a=1; Path=/; Max-Age=-1", "/", "-"),
        (
            "until a time that is past",
            "a=1; Path=/; Expires=Wed, 31 Dec 2025 23:59:59 GMT",
            "/",
            "-",
        ),
        (
            "until a time to come",
            "a=1; Path=/; Expires=Thu, 01 Jan 2026 00:00:01 GMT",
            "/",
            "a=1",
        ),
        (
            "for an hour, whatever else it says",
            "a=1; Path=/; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "/",
            "a=1",
        ),
        ("host", "__Host-a=1; Path=/; Secure", "/", "__Host-a=1"),
        ("host, not secure", "__Host-a=1; Path=/", "/", "-"),
        (
            "host, in a folder",
            "__Host-a=1; Path=/set; Secure",
            "/set",
            "-",
        ),
        ("host, without a path", "__Host-a=1; Secure", "/set/x", "-"),
        (
            "host, with a domain",
            "__Host-a=1; Path=/; Secure; Domain=app.example.com",
            "/",
            "-",
        ),
        ("host, in small letters", "__host-a=1; Path=/", "/", "-"),
        ("secure by name alone", "__Secure-a=1; Path=/", "/", "-"),
        (
            "of the domain",
            "__Secure-a=1; Path=/; Secure; Domain=example.com",
            "/",
            "__Secure-a=1",
        ),
        ("of another", "a=1; Path=/; Domain=example.org", "/", "-"),
        (
            "of a longer one",
            "a=1; Path=/; Domain=x.app.example.com",
            "/",
            "-",
        ),
        (
            "of a part of a name",
            "a=1; Path=/; Domain=ample.com",
            "/",
            "-",
        ),
        ("too large", long, "/", "-"),
    ];
    for (name, cookie, path, want) in cases {
        assert_eq!(sent_after(ORIGIN, cookie, path).await, want, "{name}");
    }
    let loopback = "http://127.0.0.1:3000";
    let cases = [
        ("plain", "a=1; Path=/", "a=1"),
        ("secure", "a=1; Path=/; Secure", "-"),
        ("of the address", "a=1; Path=/; Domain=127.0.0.1", "a=1"),
        ("of a part of it", "a=1; Path=/; Domain=0.0.1", "-"),
    ];
    for (name, cookie, want) in cases {
        assert_eq!(sent_after(loopback, cookie, "/").await, want, "{name}");
    }
}

#[tokio::test]
async fn cookies_are_replaced_by_name_domain_and_path_and_go_longest_path_first() {
    let mut browser = browser_of(|request| {
        let mut response = echo(request);
        let cookies: &[&str] = match request.uri().path() {
            "/first" => &["a=1; Path=/", "b=1; Path=/", "a=2; Path=/x"],
            "/again" => &["a=3; Path=/"],
            "/remove" => &["a=; Path=/x; Max-Age=0", "b=; Path=/y; Max-Age=0"],
            _ => &[],
        };
        for cookie in cookies {
            let cookie = cookie.parse().unwrap();
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    });
    browser.get("/first").await;
    assert!(
        browser
            .get("/x")
            .await
            .text()
            .contains("cookie=a=2; a=1; b=1 ")
    );
    browser.get("/again").await;
    assert!(
        browser
            .get("/x")
            .await
            .text()
            .contains("cookie=a=2; a=3; b=1 ")
    );
    browser.get("/remove").await;
    assert!(browser.get("/x").await.text().contains("cookie=a=3; b=1 "));
    assert_eq!(
        (browser.cookie("b"), browser.cookie("c")),
        (Some("1"), None)
    );
}

#[tokio::test]
async fn a_cookie_ends_with_its_time_or_with_the_browser() {
    let clock = ManualClock::new();
    let service = service_fn(async |_: Request<String>| {
        let response = Response::builder()
            .header("set-cookie", "hour=1; Path=/; Max-Age=3600")
            .header("set-cookie", "open=1; Path=/");
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    });
    let mut browser = Browser::new(service, ORIGIN).with_clock(clock.clone());
    browser.get("/").await;
    let mut reopened = browser.clone();
    reopened.restart();
    assert_eq!(
        (reopened.cookie("hour"), reopened.cookie("open")),
        (Some("1"), None)
    );
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(
        (browser.cookie("hour"), browser.cookie("open")),
        (None, Some("1"))
    );
}

#[tokio::test]
async fn a_link_from_another_site_brings_no_strict_cookie() {
    let mut browser = browser_of(|request| match request.uri().path() {
        "/set" => {
            let response = Response::builder()
                .header("set-cookie", "lax=1; Path=/; SameSite=Lax")
                .header("set-cookie", "strict=1; Path=/; SameSite=Strict");
            response.body(String::new()).unwrap()
        }
        "/link" => redirect(303, "/landed"),
        _ => echo(request),
    });
    browser.get("/set").await;
    let opened = browser.open(Link::new(format!("{ORIGIN}/link#part"))).await;
    assert_eq!(opened.path(), "/landed");
    assert!(opened.text().ends_with("cookie=lax=1 site=cross-site"));
    let typed = browser.get("/landed").await;
    assert!(typed.text().ends_with("cookie=lax=1; strict=1 site=none"));
}
