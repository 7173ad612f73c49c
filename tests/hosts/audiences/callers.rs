//! One caller of each audience, and what it sends.

use http::Method;

use super::{Caller, FORM_AND_BACK, FORM_AND_PAGE, Tongue};

const FORM: &str = "/auth/login";

pub(super) fn callers() -> Vec<Caller> {
    let caller = |name, method, fields, tongue| Caller {
        name,
        method,
        fields,
        tongue,
    };
    let binary = Tongue::Frame {
        kind: "application/grpc-web+proto",
        is_text: false,
    };
    let text = Tongue::Frame {
        kind: "application/grpc-web-text+proto",
        is_text: true,
    };
    let back = Tongue::Problem(FORM_AND_BACK);
    let form = Tongue::Problem(FORM);
    let (get, post) = (Method::GET, Method::POST);
    vec![
        caller(
            "navigation",
            get.clone(),
            &[("sec-fetch-mode", "navigate"), ("accept", "*/*")],
            Tongue::Page,
        ),
        caller(
            "HEAD navigation",
            Method::HEAD,
            &[("sec-fetch-mode", "navigate")],
            Tongue::Page,
        ),
        caller(
            "old browser",
            get.clone(),
            &[("accept", "text/html, */*;q=0.8")],
            Tongue::Page,
        ),
        caller(
            "navigation that posts",
            post.clone(),
            &[("sec-fetch-mode", "navigate"), ("accept", "text/html")],
            Tongue::Unsaved(FORM),
        ),
        caller(
            "navigation that posts, from a page of ours",
            post.clone(),
            &[
                ("sec-fetch-mode", "navigate"),
                ("referer", "https://app.example.com/reports/new?draft=1"),
            ],
            Tongue::Unsaved(FORM_AND_PAGE),
        ),
        caller(
            "navigation that posts, from another site",
            post.clone(),
            &[
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", "cross-site"),
                ("referer", "https://pay.example.net/done"),
            ],
            Tongue::Unsaved(FORM),
        ),
        caller(
            "a service worker in a page's place",
            get.clone(),
            &[
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
                ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("upgrade-insecure-requests", "1"),
            ],
            Tongue::Page,
        ),
        caller(
            "a service worker in a form's place",
            post.clone(),
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
                ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("referer", "https://app.example.com/worker"),
            ],
            Tongue::Unsaved(FORM),
        ),
        caller(
            "a service worker that makes a page's request anew",
            get.clone(),
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
                ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("upgrade-insecure-requests", "1"),
                ("referer", "https://app.example.com/worker.js"),
            ],
            Tongue::Led,
        ),
        caller(
            "a service worker that asks for a page's address",
            get.clone(),
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
                ("accept", "*/*"),
                ("referer", "https://app.example.com/worker.js?v=3"),
            ],
            Tongue::LedProblem,
        ),
        caller(
            "a service worker that posts in a program's place",
            post.clone(),
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
                ("accept", "*/*"),
                ("referer", "https://app.example.com/worker.mjs"),
            ],
            form,
        ),
        caller(
            "an image",
            get.clone(),
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
                ("accept", "image/avif,*/*;q=0.8"),
            ],
            form,
        ),
        caller(
            "fetch",
            get.clone(),
            &[("sec-fetch-mode", "cors"), ("accept", "text/html")],
            form,
        ),
        caller(
            "fetch, from a page of ours",
            get.clone(),
            &[
                ("sec-fetch-mode", "cors"),
                ("referer", "https://app.example.com/reports/new?draft=1"),
            ],
            Tongue::Problem(FORM_AND_PAGE),
        ),
        caller(
            "fetch, from a page of another site",
            get.clone(),
            &[
                ("sec-fetch-mode", "cors"),
                ("referer", "https://app.example.com.evil.example/reports"),
            ],
            form,
        ),
        caller(
            "fetch that deletes",
            Method::DELETE,
            &[("sec-fetch-mode", "cors")],
            form,
        ),
        caller(
            "XHR for JSON",
            get.clone(),
            &[("accept", "application/json, text/html;q=0.9")],
            back,
        ),
        caller(
            "EventSource",
            get.clone(),
            &[("accept", "text/event-stream"), ("sec-fetch-mode", "cors")],
            form,
        ),
        caller("curl", get.clone(), &[("accept", "*/*")], back),
        caller("nobody in particular", get.clone(), &[], back),
        caller(
            "htmx",
            get.clone(),
            &[("hx-request", "true")],
            Tongue::Htmx(FORM),
        ),
        caller(
            "htmx that says where it is",
            post.clone(),
            &[
                ("hx-request", "true"),
                ("hx-current-url", "https://app.example.com/list?p=2#row"),
            ],
            Tongue::Htmx("/auth/login?return_to=/list%3Fp%3D2"),
        ),
        caller(
            "htmx that says that it is elsewhere",
            post.clone(),
            &[
                ("hx-request", "true"),
                ("hx-current-url", "https://app.example.com.evil.example/"),
            ],
            Tongue::Htmx(FORM),
        ),
        caller(
            "gRPC",
            post.clone(),
            &[("content-type", "application/grpc"), ("te", "trailers")],
            Tongue::Grpc,
        ),
        caller(
            "gRPC of JSON",
            post.clone(),
            &[("content-type", "application/grpc+json")],
            Tongue::Grpc,
        ),
        caller(
            "gRPC-Web",
            post.clone(),
            &[("content-type", "application/grpc-web+proto")],
            binary,
        ),
        caller(
            "gRPC-Web in text",
            post,
            &[("content-type", "application/grpc-web-text")],
            text,
        ),
        caller(
            "WebSocket",
            get.clone(),
            &[
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
            ],
            back,
        ),
        caller(
            "WebSocket over HTTP/2",
            Method::CONNECT,
            &[("sec-websocket-version", "13")],
            form,
        ),
        caller(
            "prefetch",
            get.clone(),
            &[("sec-purpose", "prefetch"), ("sec-fetch-mode", "navigate")],
            Tongue::Prefetch,
        ),
        caller(
            "prerender",
            get.clone(),
            &[
                ("sec-purpose", "prefetch;prerender"),
                ("accept", "text/html"),
            ],
            Tongue::Prefetch,
        ),
        caller(
            "old prefetch",
            get,
            &[("purpose", "prefetch")],
            Tongue::Prefetch,
        ),
        caller(
            "CORS preflight",
            Method::OPTIONS,
            &[
                ("origin", "https://other.example"),
                ("access-control-request-method", "PUT"),
            ],
            form,
        ),
    ]
}
