use http::Request;

use super::*;

#[test]
fn each_audience_is_recognised_by_its_own_mark() {
    use Audience::{
        Document, Grpc, GrpcWeb, GrpcWebText, Htmx, Prefetch, Preflight, Program, WebSocket,
    };
    let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let preflight = [
        ("origin", "https://other.example"),
        ("access-control-request-method", "PUT"),
    ];
    type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], Audience);
    let cases: [Case<'_>; 48] = [
        (
            "navigation",
            "GET",
            &[("sec-fetch-mode", "navigate")],
            Document,
        ),
        (
            "HEAD navigation",
            "HEAD",
            &[("sec-fetch-mode", "navigate")],
            Document,
        ),
        ("old browser", "GET", &[("accept", chrome)], Document),
        (
            "fetch that says html",
            "GET",
            &[("sec-fetch-mode", "cors"), ("accept", chrome)],
            Program,
        ),
        ("curl", "GET", &[("accept", "*/*")], Program),
        ("nothing said", "GET", &[], Program),
        (
            "form post",
            "POST",
            &[("sec-fetch-mode", "navigate"), ("accept", chrome)],
            Document,
        ),
        (
            "an old browser's form",
            "POST",
            &[("accept", chrome)],
            Document,
        ),
        (
            "a service worker in a page's place",
            "GET",
            &[
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
                ("accept", chrome),
                ("upgrade-insecure-requests", "1"),
            ],
            Document,
        ),
        (
            "a service worker in a form's place",
            "POST",
            &[
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
                ("accept", chrome),
            ],
            Document,
        ),
        (
            "a page's request that a service worker makes anew",
            "GET",
            &[
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
                ("accept", chrome),
                ("upgrade-insecure-requests", "1"),
            ],
            Document,
        ),
        (
            "a form that a service worker makes anew",
            "POST",
            &[
                ("sec-fetch-mode", "cors"),
                ("accept", chrome),
                ("upgrade-insecure-requests", "1"),
            ],
            Document,
        ),
        (
            "a page's request that is made anew for JSON",
            "GET",
            &[
                ("sec-fetch-mode", "cors"),
                ("accept", "application/json, text/html;q=0.5"),
                ("upgrade-insecure-requests", "1"),
            ],
            Program,
        ),
        (
            "a page's request that is made anew for anything",
            "GET",
            &[
                ("sec-fetch-mode", "cors"),
                ("accept", "*/*"),
                ("upgrade-insecure-requests", "1"),
            ],
            Program,
        ),
        (
            "a part of a page",
            "GET",
            &[
                ("sec-fetch-mode", "no-cors"),
                ("accept", chrome),
                ("upgrade-insecure-requests", "1"),
            ],
            Program,
        ),
        (
            "fetch within the origin",
            "GET",
            &[
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
                ("accept", "*/*"),
            ],
            Program,
        ),
        (
            "fetch within the origin, for JSON",
            "POST",
            &[
                ("sec-fetch-mode", "same-origin"),
                ("accept", "application/json, text/html;q=0.5"),
            ],
            Program,
        ),
        ("a program's post", "POST", &[("accept", "*/*")], Program),
        (
            "event source",
            "GET",
            &[("accept", "text/event-stream")],
            Program,
        ),
        (
            "htmx",
            "GET",
            &[("hx-request", "true"), ("accept", "*/*")],
            Htmx,
        ),
        (
            "grpc",
            "POST",
            &[("content-type", "application/grpc")],
            Grpc,
        ),
        (
            "grpc proto",
            "POST",
            &[("content-type", "application/grpc+proto")],
            Grpc,
        ),
        (
            "grpc web",
            "POST",
            &[("content-type", "application/grpc-web+proto")],
            GrpcWeb,
        ),
        (
            "grpc web text",
            "POST",
            &[("content-type", "application/grpc-web-text")],
            GrpcWebText,
        ),
        (
            "not grpc",
            "POST",
            &[("content-type", "application/grpcfoo")],
            Program,
        ),
        (
            "websocket",
            "GET",
            &[("upgrade", "WebSocket"), ("sec-fetch-mode", "websocket")],
            WebSocket,
        ),
        (
            "prefetch",
            "GET",
            &[("sec-purpose", "prefetch"), ("sec-fetch-mode", "navigate")],
            Prefetch,
        ),
        (
            "prerender",
            "GET",
            &[("sec-purpose", "prefetch;prerender")],
            Prefetch,
        ),
        (
            "old prefetch",
            "GET",
            &[("purpose", "prefetch"), ("accept", chrome)],
            Prefetch,
        ),
        (
            "fetch mode before destination",
            "GET",
            &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "document")],
            Program,
        ),
        (
            "two modes",
            "GET",
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")],
            Program,
        ),
        (
            "an iframe, its mode stripped",
            "GET",
            &[("sec-fetch-dest", "iframe"), ("accept", "*/*")],
            Document,
        ),
        (
            "fetch, its mode stripped",
            "GET",
            &[("sec-fetch-dest", "empty"), ("accept", chrome)],
            Program,
        ),
        (
            "site alone says nothing of the mode",
            "GET",
            &[("sec-fetch-site", "cross-site"), ("accept", chrome)],
            Document,
        ),
        (
            "grpc in upper case",
            "POST",
            &[("content-type", "Application/GRPC;charset=x")],
            Grpc,
        ),
        (
            "grpc web text before navigation",
            "GET",
            &[
                ("content-type", "application/grpc-web-text+proto"),
                ("sec-fetch-mode", "navigate"),
            ],
            GrpcWebText,
        ),
        (
            "not grpc web",
            "POST",
            &[("content-type", "application/grpc-webby")],
            Program,
        ),
        (
            "websocket among others",
            "GET",
            &[("upgrade", "h2c, websocket")],
            WebSocket,
        ),
        ("extended connect", "CONNECT", &[], WebSocket),
        (
            "another upgrade",
            "GET",
            &[("upgrade", "h2c"), ("accept", chrome)],
            Document,
        ),
        (
            "prefetch in upper case",
            "GET",
            &[("purpose", "Prefetch"), ("accept", chrome)],
            Prefetch,
        ),
        (
            "another purpose",
            "GET",
            &[("sec-purpose", "prefetching"), ("accept", chrome)],
            Document,
        ),
        (
            "htmx says no",
            "GET",
            &[("hx-request", "false"), ("accept", chrome)],
            Document,
        ),
        ("preflight", "OPTIONS", &preflight, Preflight),
        (
            "a preflight before all else",
            "OPTIONS",
            &[
                preflight[0],
                preflight[1],
                ("upgrade", "websocket"),
                ("content-type", "application/grpc"),
                ("hx-request", "true"),
                ("sec-purpose", "prefetch"),
            ],
            Preflight,
        ),
        ("no preflight: another method", "POST", &preflight, Program),
        (
            "no preflight: no origin",
            "OPTIONS",
            &preflight[1..],
            Program,
        ),
        (
            "no preflight: nothing asked for",
            "OPTIONS",
            &preflight[..1],
            Program,
        ),
    ];
    for (name, method, fields, want) in cases {
        let mut request = Request::builder().method(method);
        for (field, value) in fields {
            request = request.header(*field, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(Audience::of(&head), want, "{name}");
    }
}
