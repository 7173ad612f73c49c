//! What a frame of the application shows without a session, or without a recent sign-in.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use tower::Layer;
use tower_magic_link::{Session, revocation::Standing, testing::ManualClock};

use crate::{
    answer::Answer,
    names::ORIGIN,
    site::{application, builder, cookie_of, with_cookie},
};

/// Makes a request of a frame in a page of ours.
fn framed(method: &str, destination: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri("/widget?x=1")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", destination)
        .header("sec-fetch-site", "same-origin")
        .header(header::REFERER, format!("{ORIGIN}/board?y=2#z"))
        .body(Full::default())
        .unwrap()
}

fn policy(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    let mut directives = policy.split("; ");
    let found = directives.find(|directive| directive.starts_with("frame-ancestors"));
    found.unwrap().to_owned()
}

/// Pinned: it was sent to the form, which no frame shows: an empty box.
#[tokio::test]
async fn a_frame_without_a_session_says_so_and_opens_the_form_in_the_whole_window() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    for destination in ["iframe", "frame", "embed", "object"] {
        for method in ["GET", "HEAD", "POST"] {
            let at = format!("{method} {destination}");
            let answer = Answer::of(layer.layer(application()), framed(method, destination)).await;
            assert_eq!(answer.status(), 401, "{at}");
            assert_eq!(policy(&answer), "frame-ancestors 'self'", "{at}");
            assert_eq!(answer.header("cache-control"), "no-store", "{at}");
            assert!(answer.header("www-authenticate").contains(ORIGIN), "{at}");
            if method == "HEAD" {
                continue;
            }
            let text = answer.text();
            let link = "href=\"/auth/login?return_to=/board%3Fy%3D2\" target=\"_top\"";
            assert!(text.contains(link), "{at}: {text}");
            assert!(
                !text.contains("<form") && !text.contains("autofocus"),
                "{at}: {text}"
            );
            let is_unsaved = text.contains("nothing that was sent has been saved");
            assert_eq!(is_unsaved, method == "POST", "{at}: {text}");
            // Nobody may have signed in here before.
            let is_stranger = text.contains("You haven’t signed in yet");
            assert_eq!(is_stranger, method == "POST", "{at}: {text}");
            assert!(!text.contains("Your session has ended"), "{at}: {text}");
            assert_eq!(
                text.contains("this part of the page"),
                method == "GET",
                "{at}"
            );
        }
    }
    let mut window = framed("GET", "document");
    let answer = Answer::of(layer.layer(application()), window).await;
    assert_eq!(answer.location(), "/auth/login?return_to=/widget%3Fx%3D1");
    // A page that names itself to nobody, or another site's: back to the front page.
    for referer in ["", "https://evil.example/board"] {
        window = framed("GET", "iframe");
        let referer = referer.parse().unwrap();
        window.headers_mut().insert(header::REFERER, referer);
        let answer = Answer::of(layer.layer(application()), window).await;
        assert!(answer.text().contains("href=\"/auth/login\" target"));
    }
}

/// Pins: a frame in which nobody had sent anything said that nothing of it had been saved.
#[tokio::test]
async fn a_frame_that_needs_a_recent_sign_in_says_so_and_speaks_of_no_form() {
    let clock = ManualClock::new();
    let layer = builder(&clock).build().unwrap();
    let recent = layer.require_recent(Duration::from_secs(600)).unwrap();
    let (cookie, _) = cookie_of(&layer);
    clock.advance(Duration::from_secs(600));
    for (method, needs, is_unsaved) in [
        ("GET", "This part of the page needs a recent", false),
        ("POST", "This step needs a recent", true),
    ] {
        let request = with_cookie(framed(method, "iframe"), &cookie);
        let answer = Answer::of(layer.layer(recent.layer(application())), request).await;
        assert_eq!(answer.status(), 401, "{method}");
        assert_eq!(policy(&answer), "frame-ancestors 'self'", "{method}");
        let text = answer.text();
        assert!(text.contains(needs), "{method}: {text}");
        assert_eq!(text.contains("you sent"), is_unsaved, "{method}: {text}");
        assert_eq!(text.contains("once more."), is_unsaved, "{method}: {text}");
        let link = "href=\"/auth/login?return_to=/board%3Fy%3D2\" target=\"_top\"";
        assert!(text.contains(link), "{method}: {text}");
    }
}

#[tokio::test]
async fn a_frame_hears_of_an_outage_in_the_frame_and_of_an_endpoint_not_at_all() {
    let down = |_: Session| async { Err::<Standing, _>(std::io::Error::other("down")) };
    let layer = builder(&ManualClock::new())
        .revocations(down)
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    let request = with_cookie(framed("GET", "iframe"), &cookie);
    let answer = Answer::of(layer.layer(application()), request).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(policy(&answer), "frame-ancestors 'self'");
    let text = answer.text();
    assert!(
        text.contains("href=\"/widget?x=1\"") && !text.contains("_top"),
        "{text}"
    );
    for path in ["/auth/login", "/auth/logout", "/auth/code?t=x"] {
        let mut request = framed("GET", "iframe");
        *request.uri_mut() = path.parse().unwrap();
        let answer = Answer::of(layer.layer(application()), request).await;
        if !answer.status().is_redirection() {
            assert_eq!(policy(&answer), "frame-ancestors 'none'", "{path}");
        }
    }
}
