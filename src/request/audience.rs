//! `Audience`: the kind of client that sent a request. It decides the form of a refusal, so the
//! layer reads it only when it refuses.

use http::{HeaderMap, Method, header, request::Parts};

use super::head::RequestHead;

/// The kind of client that sent a request. It decides the form of the layer's refusals.
///
/// | audience | recognised by | without a session | while the store is down |
/// | --- | --- | --- | --- |
/// | [`Preflight`](Self::Preflight) | `OPTIONS` with `Origin` and `Access-Control-Request-Method` | 401 problem, unless [`allow_preflight`](crate::Builder::allow_preflight) | 503 problem |
/// | [`WebSocket`](Self::WebSocket) | `Upgrade: websocket`, or `CONNECT` (HTTP/2: RFC 8441) | 401 problem, no redirect | 503 problem |
/// | [`Grpc`](Self::Grpc) | `Content-Type: application/grpc`, `…+proto` and the like | HTTP 200, `grpc-status: 16` | `grpc-status: 14` |
/// | [`GrpcWeb`](Self::GrpcWeb) | `Content-Type: application/grpc-web…` | the same, as a frame of trailers | the same, as a frame |
/// | [`GrpcWebText`](Self::GrpcWebText) | `Content-Type: application/grpc-web-text…` | the same, in base64 | the same, in base64 |
/// | [`Htmx`](Self::Htmx) | `HX-Request: true` | 401 problem and `HX-Redirect` to the form | 503 problem |
/// | [`Prefetch`](Self::Prefetch) | `Sec-Purpose` or `Purpose`: `prefetch`, `prerender` | 503 problem, nothing consumed, no cookie | the same |
/// | [`Document`](Self::Document) | GET or HEAD that navigates | 303 to the form | a page with 503 |
/// | [`Program`](Self::Program) | everything else: fetch, XHR, EventSource, API clients; every method but GET and HEAD | 401 problem | 503 problem |
///
/// The first matching row applies. A GET or HEAD navigates if the browser says so in
/// `Sec-Fetch-Mode`, or else in `Sec-Fetch-Dest`. If it sends neither, `Accept` decides (RFC 9110,
/// section 12.5.1): it has to name HTML, with at least the weight of JSON.
///
/// A problem is `application/problem+json` (RFC 9457) with a stable `type` and `code`. A 401
/// problem has a `login_url`, and its response carries `WWW-Authenticate: MagicLink login_url="…"`.
/// A 503 response carries `Retry-After`.
///
/// ```
/// use http::Request;
/// use tower_magic_link::Audience;
///
/// let (head, ()) = Request::get("/").header("accept", "text/html").body(())?.into_parts();
/// assert_eq!(Audience::of(&head), Audience::Document);
/// let (head, ()) = Request::post("/").header("accept", "text/html").body(())?.into_parts();
/// assert_eq!(Audience::of(&head), Audience::Program);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Audience {
    /// A person's browser, navigating. The layer redirects no other audience.
    Document,
    /// A gRPC client.
    Grpc,
    /// A gRPC-Web client, its frames in binary.
    GrpcWeb,
    /// A gRPC-Web client, its frames in base64.
    GrpcWebText,
    /// A page that htmx drives.
    Htmx,
    /// A browser that prefetches or prerenders a page.
    Prefetch,
    /// A CORS preflight: a browser asks what another origin's page may send.
    Preflight,
    /// Everything else: fetch, XHR, EventSource, any client of an API.
    Program,
    /// A WebSocket handshake.
    WebSocket,
}

impl Audience {
    /// Returns the audience of a request, from its head alone. It allocates nothing.
    #[must_use]
    pub fn of(head: &Parts) -> Self {
        Self::of_head(&RequestHead::of_parts(head))
    }

    pub(crate) fn of_head(head: &RequestHead<'_>) -> Self {
        let headers = head.headers();
        if head.is_preflight() {
            return Self::Preflight;
        }
        if opens_websocket(headers) || head.method() == Method::CONNECT {
            return Self::WebSocket;
        }
        if let Some(grpc) = grpc(headers) {
            return grpc;
        }
        if is_htmx(headers) {
            return Self::Htmx;
        }
        if head.is_prefetch() {
            return Self::Prefetch;
        }
        // A POST is never redirected to the form: its body would be lost.
        if head.is_safe() && head.wants_page() {
            return Self::Document;
        }
        Self::Program
    }
}

/// Says whether `Upgrade`, a list of protocols, names `websocket` (RFC 9110, section 7.8).
fn opens_websocket(headers: &HeaderMap) -> bool {
    // Lenient, because it only words a refusal. `Upgrade` decides what may become a tunnel.
    let fields = headers.get_all(header::UPGRADE).iter();
    fields
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b','))
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

fn is_htmx(headers: &HeaderMap) -> bool {
    let field = headers.get("hx-request");
    field.is_some_and(|field| field.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Returns the kind of gRPC that `Content-Type` names. A format such as `+proto`, or parameters,
/// may follow the name.
fn grpc(headers: &HeaderMap) -> Option<Audience> {
    let kind = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let is_end = |byte: &u8| matches!(byte, b'+' | b';' | b' ' | b'\t');
    let name = kind.split(is_end).next().unwrap_or_default();
    let is = |want: &[u8]| name.eq_ignore_ascii_case(want);
    if is(b"application/grpc") {
        Some(Audience::Grpc)
    } else if is(b"application/grpc-web") {
        Some(Audience::GrpcWeb)
    } else if is(b"application/grpc-web-text") {
        Some(Audience::GrpcWebText)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
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
        let cases: [Case<'_>; 37] = [
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
                Program,
            ),
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
}
