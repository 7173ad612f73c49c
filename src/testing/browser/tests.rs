//! What a browser sends and follows.

use std::{convert::Infallible, future::ready, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use http::{StatusCode, header};
use http_body_util::Full;
use tower::service_fn;

use super::*;

mod cookies;
mod sign_in;

const ORIGIN: &str = "https://app.example.com";

/// What the server of a test says to a path.
type Script = fn(&Request<String>) -> Response<String>;

fn browser_of(script: Script) -> Browser {
    browser_at(ORIGIN, script)
}

fn browser_at(origin: &str, script: Script) -> Browser {
    let service =
        service_fn(move |request: Request<String>| ready(Ok::<_, Infallible>(script(&request))));
    Browser::new(service, origin)
}

/// Says what came: the method, the target, the body, and the fields in their order.
fn echo(request: &Request<String>) -> Response<String> {
    let field = |name: &str| {
        let value = request.headers().get(name);
        value.map_or("-", |value| value.to_str().unwrap())
    };
    Response::new(format!(
        "{} {} {:?} origin={} cookie={} site={}",
        request.method(),
        request.uri(),
        request.body(),
        field("origin"),
        field("cookie"),
        field("sec-fetch-site"),
    ))
}

fn redirect(status: u16, to: &str) -> Response<String> {
    let response = Response::builder().status(status).header("location", to);
    response.body(String::new()).unwrap()
}

async fn panic_of(visit: impl Future<Output = Visit>) -> String {
    let panic = AssertUnwindSafe(visit).catch_unwind().await.unwrap_err();
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[tokio::test]
async fn a_request_has_the_fields_of_a_navigation() {
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        let text = format!("{:?}", request.headers());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
    });
    let mut browser = Browser::new(service, "http://127.0.0.1:3000");
    let text = browser.get("/?a=b#c").await.text().into_owned();
    for field in [
        "\"host\": \"127.0.0.1:3000\"",
        "\"accept\": \"text/html,",
        "\"sec-fetch-mode\": \"navigate\"",
        "\"sec-fetch-dest\": \"document\"",
        "\"sec-fetch-site\": \"none\"",
    ] {
        assert!(text.contains(field), "{field} in {text}");
    }
    assert!(
        !text.contains("origin") && !text.contains("cookie"),
        "{text}"
    );
}

#[tokio::test]
async fn redirects_are_followed_within_the_origin_and_keep_the_method_where_they_should() {
    let form = "<form method=post action='/to/STATUS'><input name=a value=1></form>";
    let cases = [
        (301, "GET /landed \"\" origin=-"),
        (302, "GET /landed \"\" origin=-"),
        (303, "GET /landed \"\" origin=-"),
        (307, "POST /landed \"a=1\" origin=https://app.example.com"),
        (308, "POST /landed \"a=1\" origin=https://app.example.com"),
    ];
    for (status, want) in cases {
        let page = form.replace("STATUS", &status.to_string());
        let service = service_fn(move |request: Request<String>| {
            let response = match request.uri().path().strip_prefix("/to/") {
                Some(status) => redirect(status.parse().unwrap(), "/landed"),
                None if request.uri().path() == "/form" => Response::new(page.clone()),
                None => echo(&request),
            };
            ready(Ok::<_, Infallible>(response))
        });
        let mut browser = Browser::new(service, ORIGIN);
        browser.get("/form").await;
        let landed = browser.submit(&[]).await;
        assert_eq!(landed.path(), "/landed", "{status}");
        assert!(
            landed.text().starts_with(want),
            "{status}: {}",
            landed.text()
        );
        assert!(landed.text().ends_with("site=same-origin"), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_ends_the_visit() {
    let mut browser = browser_of(|_| redirect(302, "https://other.example/x"));
    let visit = browser.get("/away").await;
    assert_eq!((visit.status(), visit.path()), (StatusCode::FOUND, "/away"));
    assert_eq!(
        visit.header(header::LOCATION),
        Some("https://other.example/x")
    );
    assert_eq!(visit.header(header::ALLOW), None);
}

#[tokio::test]
async fn ten_redirects_are_followed_and_an_eleventh_is_not() {
    let mut browser = browser_of(|request| {
        let left: u32 = request.uri().path()[1..].parse().unwrap();
        match left.checked_sub(1) {
            Some(left) => redirect(303, &format!("/{left}")),
            None => Response::new("landed".to_owned()),
        }
    });
    assert_eq!(browser.get("/10").await.text(), "landed");
    let said = panic_of(browser.get("/11")).await;
    assert_eq!(said, "more than 10 redirects in a row");
}

#[tokio::test]
async fn a_browser_stays_at_its_origin() {
    for address in [
        "https://other.example/?t=s",
        "//other.example",
        "http://app.example.com/",
    ] {
        let mut browser = browser_of(echo);
        let said = panic_of(browser.get(address)).await;
        assert!(said.starts_with("this browser is at https://app.example.com, not at "));
        assert!(!said.contains("t=s"), "{said}");
    }
    let said = panic_of(browser_of(echo).open(None)).await;
    assert_eq!(said, "there is no link to open: no sign-in was begun");
    let said = panic_of(browser_of(echo).submit(&[])).await;
    assert_eq!(said, "the browser shows no page yet");
}

#[test]
fn only_an_origin_makes_a_browser() {
    for origin in ["https://app.example.com/", "http://127.0.0.1:3000"] {
        let _ = browser_at(origin, echo);
    }
    for text in [
        "app.example.com",
        "https://app.example.com/x",
        "ftp://a",
        "",
    ] {
        let made = std::panic::catch_unwind(|| browser_at(text, echo));
        assert!(made.is_err(), "{text}");
    }
}

#[tokio::test]
async fn an_axum_router_is_visited_from_another_task() {
    let router = axum::Router::new().fallback(async |body: String| format!("hello {body}"));
    let mut browser = Browser::new::<axum::body::Body>(router, ORIGIN);
    let visit = tokio::spawn(async move { browser.get("/").await });
    assert_eq!(visit.await.unwrap().text(), "hello ");
}
