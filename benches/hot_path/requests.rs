//! The requests: a browser's, a program's, and a proxy's question.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
};

use axum::extract::{ConnectInfo, OriginalUri};
use http::{HeaderValue, Request, Response, header};
use tower_magic_link::PeerAddr;

pub(crate) const ORIGIN: &str = "https://app.example.com";
/// A path as people have them: the way back to it has to be encoded.
pub(crate) const PATH: &str = "/reports/2026?month=11&sort=amount";
pub(crate) const PROXY: [u8; 4] = [10, 0, 0, 7];

/// A browser's navigation: 12 fields, and 3 cookies with the session's.
pub(crate) fn navigation(path: &str, session: Option<&str>) -> Request<String> {
    let cookies = match session {
        Some(session) => format!("theme=dark; {session}; _ga=GA1.1.1234567890.1764288000"),
        None => "theme=dark; _ga=GA1.1.1234567890.1764288000".to_owned(),
    };
    let request = [
        ("host", "app.example.com"),
        ("connection", "keep-alive"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-GB,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://app.example.com/reports"),
        ("upgrade-insecure-requests", "1"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("cookie", &cookies),
    ]
    .into_iter()
    .fold(Request::get(path), |request, (name, value)| {
        request.header(name, value)
    })
    .body(String::new())
    .unwrap();
    assert_eq!(request.headers().len(), 12);
    request
}

/// A program's request, with a session's token as a bearer token or without.
pub(crate) fn program(path: &str, token: Option<&str>) -> Request<String> {
    let request = Request::get(path)
        .header("host", "app.example.com")
        .header("accept", "application/json")
        .header("user-agent", "reports/2.1");
    bearing(request, token)
}

/// A unary gRPC call, with a session's token as a bearer token or without.
pub(crate) fn grpc(token: Option<&str>) -> Request<String> {
    let request = Request::post("/reports.v1.Reports/List")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "grpc-rust/0.14")
        .header("grpc-timeout", "5S");
    bearing(request, token)
}

fn bearing(request: http::request::Builder, token: Option<&str>) -> Request<String> {
    let request = match token {
        Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    request.body(String::new()).unwrap()
}

/// The question of a proxy that guards another service, about a browser's navigation.
pub(crate) fn question(session: Option<&str>) -> Request<String> {
    let mut request = navigation("/ask", session);
    let fields = request.headers_mut();
    fields.insert("x-forwarded-method", HeaderValue::from_static("GET"));
    fields.insert("x-forwarded-uri", HeaderValue::from_static(PATH));
    let proxy = PeerAddr::from(SocketAddr::from((PROXY, 41_000)));
    request.extensions_mut().insert(proxy);
    request
}

/// The same request as axum hands it on: with extensions of its own.
pub(crate) fn hosted(mut request: Request<String>) -> Request<String> {
    let uri = request.uri().clone();
    let peer = ConnectInfo(SocketAddr::from(([203, 0, 113, 9], 50_000)));
    request.extensions_mut().insert(OriginalUri(uri));
    request.extensions_mut().insert(peer);
    request
}

/// The inner service of a host: answers as a handler does that returns a text.
pub(crate) fn text_answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    let mut response = Response::new(String::new());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    ready(Ok(response))
}

/// A bare inner service: answers without a field.
pub(crate) fn bare_answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    ready(Ok(Response::new(String::new())))
}
