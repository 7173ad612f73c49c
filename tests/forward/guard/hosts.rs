//! A request names one host, or is refused.

use super::setting::{Guarded, Version, ask, status};
use crate::{port::free_port, program::Program, upstream};

/// Each with what follows `GET `, and the host that arrives. `None` is 400.
pub(super) const CASES: [(&str, &str, Option<&str>); 17] = [
    (
        "one",
        "/about HTTP/1.1\r\nHost: a.example\r\n",
        Some("a.example"),
    ),
    (
        "a port",
        "/about HTTP/1.1\r\nHost: a.example:81\r\n",
        Some("a.example:81"),
    ),
    (
        "two",
        "/about HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n",
        None,
    ),
    (
        "twice the same",
        "/about HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n",
        None,
    ),
    (
        "two at the sign-in",
        "/auth/login HTTP/1.1\r\nHost: a.example\r\nhost: b.example\r\n",
        None,
    ),
    ("none", "/about HTTP/1.1\r\n", None),
    ("an empty one", "/about HTTP/1.1\r\nHost:\r\n", None),
    ("a user", "/about HTTP/1.1\r\nHost: a@b.example\r\n", None),
    ("a path", "/about HTTP/1.1\r\nHost: a.example/b\r\n", None),
    (
        "a list",
        "/about HTTP/1.1\r\nHost: a.example, b.example\r\n",
        None,
    ),
    (
        "a list without a blank",
        "/about HTTP/1.1\r\nHost: a.example,b.example\r\n",
        None,
    ),
    (
        "absolute-form with a list",
        "http://a.example,b.example/about HTTP/1.1\r\nHost: a.example,b.example\r\n",
        None,
    ),
    (
        "absolute-form",
        "http://a.example/about HTTP/1.1\r\nHost: A.example\r\n",
        Some("a.example"),
    ),
    (
        "absolute-form, another",
        "http://b.example/about HTTP/1.1\r\nHost: a.example\r\n",
        None,
    ),
    (
        "absolute-form, none",
        "http://a.example/about HTTP/1.1\r\n",
        None,
    ),
    (
        "absolute-form with a user",
        "http://u@a.example/about HTTP/1.1\r\nHost: a.example\r\n",
        None,
    ),
    (
        "absolute-form, HTTP/1.0",
        "http://a.example/about HTTP/1.0\r\n",
        Some("a.example"),
    ),
];

/// Pinned: two `Host` fields went on, and of an absolute-form target the host that was not meant.
#[tokio::test]
async fn a_request_that_names_two_hosts_is_refused() {
    let guard = Guarded::before(&upstream::serve().await).await;
    for (name, rest, host) in CASES {
        let head = format!("GET {rest}Connection: close\r\n\r\n");
        let answer = ask(guard.authority(), head.as_bytes()).await;
        let want = if host.is_some() { 200 } else { 400 };
        assert_eq!(status(&answer), want, "{name}: {answer}");
        let Some(host) = host else { continue };
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let fields = upstream::fields_of(body);
        let hosts: Vec<_> = fields.get_all("host").iter().collect();
        assert_eq!(hosts, [host], "{name}");
        assert_eq!(fields["x-forwarded-host"], host, "{name}");
    }
}

#[tokio::test]
async fn over_http2_the_authority_is_the_host() {
    let guard = Guarded::before(&upstream::serve().await).await;
    let http = Version::Http2.client();
    let about = format!("{}/about", guard.origin);
    let answer = http.get(&about).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let fields = upstream::fields_of(&answer.text().await.unwrap());
    assert_eq!(fields["host"], guard.authority());
    assert_eq!(fields["x-forwarded-host"], guard.authority());
    let other = http.get(&about).header("host", "b.example");
    assert_eq!(other.send().await.unwrap().status(), 400);
}

/// Pins: behind a balancer that writes no `X-Forwarded-Host`, the guard handed on a client's own,
/// and a service that makes links of it mailed them with the client's host.
#[tokio::test]
async fn with_a_public_url_no_other_host_is_handed_on_as_the_one_that_was_asked_for() {
    let (port, _held) = free_port();
    let public = format!("localhost:{port}");
    let service = upstream::serve().await;
    let (own_port, url) = (port.to_string(), format!("http://{public}"));
    let capitals = public.to_uppercase();
    let (public, capitals) = (public.as_str(), capitals.as_str());
    for trusted in ["127.0.0.1", "10.0.0.0/8"] {
        let mut guard = Program::example(
            "guard",
            &[
                ("UPSTREAM", &service),
                ("PORT", &own_port),
                ("PUBLIC_URL", &url),
                ("TRUSTED_PROXIES", trusted),
                ("MAGIC_LINK_PUBLIC_PATH", "/about"),
            ],
        );
        guard.says("listening on ");
        for (host, forwarded, want) in [
            (public, None, public),
            (public, Some("evil.example"), public),
            (capitals, Some("evil.example"), capitals),
            ("evil.example", None, public),
            ("evil.example", Some("evil.example"), public),
            ("10.0.0.9:3000", Some(public), public),
        ] {
            let forwarded = forwarded.map(|host| format!("X-Forwarded-Host: {host}\r\n"));
            let head = format!(
                "GET /about HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{}\r\n",
                forwarded.unwrap_or_default()
            );
            let answer = ask(&format!("127.0.0.1:{port}"), head.as_bytes()).await;
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let fields = upstream::fields_of(body);
            assert_eq!(fields["x-forwarded-host"], want, "{trusted}: {head}");
            assert_eq!(fields["host"], host, "{trusted}: {head}");
        }
    }
}
