//! A session's link is mailed, redirects once, and ends.

use std::time::Duration;

use serde_json::json;

use crate::{CALLBACK, Desk, Read, names::ADA, session};

#[tokio::test]
async fn sending_a_session_mails_its_link() {
    let desk = Desk::new().await;
    let (id, link) = desk.create().await;
    assert!(desk.emulator.outbox().is_empty());
    let read = desk.send(&id).await;
    assert_eq!(
        (read.status.as_u16(), read.text.as_str()),
        (201, r#"{"success":true}"#)
    );
    let [mail] = &desk.emulator.outbox()[..] else {
        panic!("one mail");
    };
    assert_eq!((mail.address(), mail.link().unwrap()), (ADA, link.as_str()));
}

#[tokio::test]
async fn a_session_that_is_unknown_used_or_expired_is_not_sent() {
    let desk = Desk::new().await;
    let (expired, _) = desk.create().await;
    desk.clock.put_forward(Duration::from_secs(900));
    let (used, link) = desk.create().await;
    desk.get(&link).await;
    let cases = [
        ("unknown", "session_123", "session_123"),
        ("encoded slash", "a%2Fb", "a/b"),
        ("used", &used, &used),
        ("expired", &expired, &expired),
    ];
    for (name, id, echo) in cases {
        let read = desk.send(id).await;
        assert_eq!(read.status, 422, "{name}");
        let text = format!("The passwordless session '{echo}' has expired or is invalid.");
        assert_eq!(read.json(), json!({ "message": text }), "{name}");
    }
    assert!(desk.emulator.outbox().is_empty());
}

#[tokio::test]
async fn a_link_redirects_with_a_code_and_the_state_as_it_was_given() {
    let desk = Desk::new().await;
    let states = [
        "st",
        "s t/+=&%#?",
        "é\u{1f600}\u{0}",
        "a\r\nset-cookie: b=c",
        "",
    ];
    for state in states {
        let mut body = session();
        body["state"] = state.into();
        body["redirect_uri"] = "http://localhost:3000/cb?keep=a%20b#part".into();
        let link = desk.create_with(body).await.json()["link"]
            .as_str()
            .unwrap()
            .to_owned();
        let read = desk.get(&link).await;
        assert_eq!(read.status, 302, "{state:?}");
        assert_eq!(read.query("code").unwrap().len(), 26, "{state:?}");
        assert_eq!(read.query("state").as_deref(), Some(state), "{state:?}");
        assert_eq!(read.query("keep").as_deref(), Some("a b"), "{state:?}");
        let location = read.location.unwrap();
        assert!(
            location
                .as_str()
                .starts_with("http://localhost:3000/cb?keep=a%20b&code=")
        );
        assert_eq!(location.fragment(), Some("part"));
    }
}

#[tokio::test]
async fn a_link_is_good_for_one_request() {
    let desk = Desk::new().await;
    for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
        let (_, link) = desk.create().await;
        let first = Read::of(desk.http.request(method.clone(), &link)).await;
        assert!(first.query("code").is_some(), "{method}");
        let second = desk.get(&link).await;
        assert_eq!(second.status, 302, "{method}");
        assert_eq!(
            second.query("error").as_deref(),
            Some("access_denied"),
            "{method}"
        );
        assert!(
            second.query("error_description").unwrap().contains("used"),
            "{method}"
        );
        assert_eq!(second.query("state").as_deref(), Some("st"), "{method}");
        assert_eq!(second.query("code"), None, "{method}");
        assert!(second.location.unwrap().as_str().starts_with(CALLBACK));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_one_gets_the_code() {
    let desk = Desk::new().await;
    let (_, link) = desk.create().await;
    let gets = (0..32).map(|_| desk.get(&link));
    let reads = futures_util::future::join_all(gets).await;
    assert_eq!(
        reads
            .iter()
            .filter(|read| read.query("code").is_some())
            .count(),
        1
    );
}

#[tokio::test]
async fn a_link_lives_until_the_second_it_expires() {
    for (after, want) in [
        (1_799, None),
        (1_800, Some("access_denied")),
        (80_000, Some("access_denied")),
    ] {
        let desk = Desk::new().await;
        let mut body = session();
        body["expires_in"] = 1_800.into();
        let link = desk.create_with(body).await.json()["link"]
            .as_str()
            .unwrap()
            .to_owned();
        desk.clock.put_forward(Duration::from_secs(after));
        let read = desk.get(&link).await;
        assert_eq!(read.query("error").as_deref(), want, "{after}");
        assert_eq!(read.query("state").as_deref(), Some("st"), "{after}");
        assert_eq!(read.query("code").is_none(), want.is_some(), "{after}");
    }
}

#[tokio::test]
async fn a_link_that_is_unknown_or_long_forgotten_is_a_page_of_404() {
    let desk = Desk::new().await;
    let (_, link) = desk.create().await;
    desk.clock.put_forward(Duration::from_secs(900 + 86_400));
    for link in [link, desk.url("/passwordless/unknown/confirm")] {
        let read = desk.get(&link).await;
        assert_eq!(read.status, 404);
        assert!(
            read.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(read.location.is_none());
    }
}
