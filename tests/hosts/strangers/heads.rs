//! The request heads that are tried: methods, targets, header fields and their values.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use proptest::{collection, prelude::*, sample::select, strategy::ValueTree, test_runner};
use tower_magic_link::Audience;

use crate::names::ORIGIN;

/// Every method that IANA knows, and some that nobody does.
pub(super) const METHODS: [&str; 47] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "BREW",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "G",
    "GET",
    "GET_",
    "Get",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "get",
    "head",
    "~",
];

/// Fields that some rule reads, or that rivals were led astray by.
const FIELDS: [&str; 20] = [
    "accept",
    "access-control-request-method",
    "authorization",
    "content-type",
    "cookie",
    "forwarded",
    "host",
    "hx-current-url",
    "hx-request",
    "origin",
    "purpose",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-purpose",
    "upgrade",
    "upgrade-insecure-requests",
    "x-forwarded-uri",
    "x-http-method-override",
    "x-original-url",
];

/// What those fields hold at their best.
const VALUES: [&str; 25] = [
    "",
    "*/*",
    "/about",
    "1",
    "GET",
    "Bearer x",
    "__Host-magic-link=",
    "__Host-magic-link=eyJhbGciOiJub25lIn0.e30.",
    "application/grpc",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/json;q=0.5, text/html;q=\"",
    "application/x-www-form-urlencoded",
    "cors",
    "document",
    ORIGIN,
    "https://app.example.com/x",
    "navigate",
    "null",
    "prefetch;prerender",
    "same-origin",
    "text/html",
    "text/html;a=\"\\",
    "true",
    "websocket",
];

fn methods() -> impl Strategy<Value = Method> {
    let method = |name: &str| Method::from_bytes(name.as_bytes()).unwrap();
    prop_oneof![
        4 => select(vec![Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]),
        2 => select(METHODS.to_vec()).prop_map(method),
        1 => "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,24}".prop_map(move |name| method(&name)),
    ]
}

fn uris() -> impl Strategy<Value = Uri> {
    let known = [
        "/",
        "/hello?x=1",
        "//evil.example/x",
        "/auth",
        "/auth/",
        "/auth/login",
        "/auth/logout",
        "/auth/login/",
        "/auth//login",
        "/AUTH/login",
        "/auth%2flogin",
        "/x/auth/login",
        "*",
        "/auth/../hello",
        "app.example.com:443",
        "http://evil.example/auth/session",
    ];
    prop_oneof![
        select(known.to_vec()).prop_map(|uri| uri.parse().unwrap()),
        "/[!-~]{0,40}".prop_filter_map("no URI", |uri| uri.parse().ok()),
    ]
}

pub(super) fn fields() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let names = prop_oneof![
        4 => select(FIELDS.to_vec()).prop_map(HeaderName::from_static),
        1 => "[a-z0-9_-]{1,16}".prop_map(|name| name.parse().unwrap()),
    ];
    let bytes = collection::vec(any::<u8>(), 0..32);
    let values = prop_oneof![
        4 => select(VALUES.to_vec()).prop_map(HeaderValue::from_static),
        1 => bytes.prop_filter_map("no value", |bytes| HeaderValue::from_bytes(&bytes).ok()),
    ];
    (names, values)
}

/// Heads in which each audience's marks stand beside any others', also several times and in bytes
/// that are no text.
pub(super) fn heads() -> impl Strategy<Value = Parts> {
    let marks = select(vec![
        vec![],
        vec![("accept", "text/html")],
        vec![("sec-fetch-mode", "navigate")],
        vec![("content-type", "application/grpc")],
        vec![("origin", "null"), ("access-control-request-method", "PUT")],
    ]);
    (methods(), uris(), marks, collection::vec(fields(), 0..8)).prop_map(
        |(method, uri, marks, fields)| {
            let (mut head, ()) = Request::new(()).into_parts();
            (head.method, head.uri) = (method, uri);
            for (name, value) in marks {
                head.headers.append(name, HeaderValue::from_static(value));
            }
            head.headers
                .extend(fields.into_iter().map(|(name, value)| (Some(name), value)));
            head
        },
    )
}

#[test]
fn the_heads_that_are_tried_are_of_every_audience() {
    let mut runner = test_runner::TestRunner::deterministic();
    let mut seen = HashSet::new();
    for _ in 0..2_000 {
        let head = heads().new_tree(&mut runner).unwrap().current();
        seen.insert(Audience::of(&head));
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}
