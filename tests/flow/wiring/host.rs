//! A page that is shown at another host than the public URL's.

use http::{Method, Request};
use tower_magic_link::Builder;

use super::warnings;
use crate::support::{Browser, World, app_of};

const PART: &str = "at another host";

/// Asks for a page of the layer's at this host, with these fields.
async fn open(browser: &mut Browser, host: &str, method: Method, fields: &[(&str, &str)]) {
    let mut request = Request::builder().method(method).uri("/auth/login");
    request = request.header("host", host);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    browser.send(request.body("".into()).unwrap()).await;
}

/// Opens the form of a layer three times, and returns what it warned of.
async fn warned(
    public_url: &str,
    configure: impl FnOnce(Builder) -> Builder,
    host: &str,
    fields: &[(&str, &str)],
) -> Vec<String> {
    crate::secrets::listen();
    let world = World::with(|builder| configure(builder.public_url(public_url))).await;
    let fields = [&[("accept", "text/html")], fields].concat();
    for _ in 0..3 {
        let mut browser = Browser::new(app_of(&world.layer), public_url);
        open(&mut browser, host, Method::GET, &fields).await;
    }
    warnings(public_url, PART)
}

#[tokio::test]
async fn a_page_at_another_host_of_this_machine_is_warned_of_once_with_both_lines_to_change() {
    let public_url = "http://127.0.0.1:41001";
    let lines = warned(public_url, |builder| builder, "localhost:41001", &[]).await;
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    for part in [
        "localhost:41001",
        "Open http://127.0.0.1:41001, or set .public_url(\"http://localhost:41001\")",
        "trusted_proxies",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn the_public_urls_own_host_is_not_warned_of_in_any_spelling() {
    let cases = [
        ("http://127.0.0.1:41002", "127.0.0.1:41002"),
        ("http://localhost:41003", "LOCALHOST:41003"),
        ("https://own-41004.example.com", "own-41004.example.com"),
        ("https://own-41005.example.com", "Own-41005.example.com:443"),
        ("https://own-41006.example.com", "no host"),
        ("https://own-41007.example.com", ""),
    ];
    for (public_url, host) in cases {
        let lines = warned(public_url, |builder| builder, host, &[]).await;
        assert_eq!(lines, [""; 0], "{public_url} {host}");
    }
}

#[tokio::test]
async fn a_strangers_host_is_cut_and_cleaned_and_is_no_line_to_change() {
    let public_url = "https://app-41010.example.com";
    let host = format!("evil.example/\"{}", "x".repeat(500));
    let lines = warned(public_url, |builder| builder, &host, &[]).await;
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(line.contains("evil.example/?xxx"), "{line}");
    assert!(!line.contains(&"x".repeat(100)), "{line}");
    assert!(!line.contains(".public_url("), "{line}");
    assert!(line.contains("address that people use"), "{line}");
}

#[tokio::test]
async fn behind_a_proxy_that_rewrites_the_host_its_word_counts_if_it_is_trusted() {
    let trusted = |builder: Builder| builder.trusted_proxies(["10.0.0.0/8"]);
    let untrusted = |builder: Builder| builder;
    type Configure = fn(Builder) -> Builder;
    type Case<'c> = (
        &'c str,
        Configure,
        &'c [(&'c str, &'c str)],
        Option<&'c str>,
    );
    let cases: [Case<'_>; 6] = [
        (
            "nothing",
            untrusted,
            &[],
            Some("name the proxy in .trusted_proxies"),
        ),
        ("trusted, silent", trusted, &[], Some("have the proxy send")),
        (
            "untrusted, agrees",
            untrusted,
            &[("x-forwarded-host", "{}")],
            Some("name the proxy"),
        ),
        ("agrees", trusted, &[("x-forwarded-host", "{}")], None),
        (
            "agrees",
            trusted,
            &[("forwarded", "for=192.0.2.1;host={}")],
            None,
        ),
        (
            "differs",
            trusted,
            &[("x-forwarded-host", "www.example.com")],
            Some("www.example.com"),
        ),
    ];
    for (number, (name, configure, fields, want)) in cases.into_iter().enumerate() {
        let own = format!("proxied-4102{number}.example.com");
        let fields: Vec<_> = fields
            .iter()
            .map(|(field, value)| (*field, value.replace("{}", &own)))
            .collect();
        let fields: Vec<_> = fields
            .iter()
            .map(|(field, value)| (*field, value.as_str()))
            .collect();
        let lines = warned(
            &format!("https://{own}"),
            configure,
            "backend:8080",
            &fields,
        )
        .await;
        assert_eq!(
            lines.len(),
            usize::from(want.is_some()),
            "{name}: {lines:?}"
        );
        for (line, want) in lines.iter().zip(want) {
            assert!(line.contains(want), "{name}: {line}");
            assert!(line.contains("rewrites Host"), "{name}: {line}");
        }
    }
}

#[tokio::test]
async fn hosts_of_the_session_cookies_domain_and_programs_are_not_warned_of() {
    let wide = |builder: Builder| builder.cookie_domain("example.com");
    let public_url = "https://login-41030.example.com";
    let lines = warned(public_url, wide, "Reports.example.com:443", &[]).await;
    assert_eq!(lines, [""; 0]);
    let lines = warned(public_url, wide, "reports.badexample.com", &[]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let public_url = "https://app-41031.example.com";
    let program = [("sec-fetch-mode", "cors")];
    let lines = warned(public_url, |builder| builder, "10.0.0.7:8080", &program).await;
    assert_eq!(lines, [""; 0], "a probe");
}

/// The page of a post that is refused is the first that some browsers see.
#[tokio::test]
async fn a_refused_post_at_another_host_is_warned_of_too() {
    crate::secrets::listen();
    let public_url = "http://localhost:41040";
    let world = World::with(|builder| builder.public_url(public_url)).await;
    let mut browser = Browser::new(app_of(&world.layer), public_url);
    let fields = [
        ("accept", "text/html"),
        ("origin", "http://127.0.0.1:41040"),
    ];
    open(&mut browser, "127.0.0.1:41040", Method::POST, &fields).await;
    assert_eq!(warnings(public_url, PART).len(), 1);
}
