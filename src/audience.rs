//! Who asks, and so in which language a refusal is heard. Read when refusing, never when admitting.
//!
//! | audience | recognised by |
//! | --- | --- |
//! | WebSocket | `Upgrade: websocket`, or an HTTP/2 extended CONNECT |
//! | gRPC, gRPC-Web | `Content-Type: application/grpc…` |
//! | htmx | `HX-Request: true` |
//! | prefetch | `Sec-Purpose` or `Purpose` |
//! | document | GET or HEAD, and `Sec-Fetch-Mode: navigate`, else an `Accept` that prefers HTML |
//! | program | everything else |

use http::{HeaderMap, Method, header};

use crate::head::RequestHead;

/// Who hears a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person's browser, navigating.
    Document,
    /// A gRPC client.
    Grpc,
    /// A gRPC-Web client, its frames in binary.
    GrpcWeb,
    /// A gRPC-Web client, its frames in base64.
    GrpcWebText,
    /// A page that htmx drives.
    Htmx,
    /// A browser that asks ahead of the person.
    Prefetch,
    /// fetch, XHR, EventSource, any API client.
    Program,
    /// A WebSocket handshake.
    WebSocket,
}

impl Audience {
    pub(crate) fn of(head: &RequestHead<'_>) -> Self {
        let headers = head.headers();
        let has = |name: header::HeaderName, want: &str| {
            headers
                .get(name)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(want.as_bytes()))
        };
        if has(header::UPGRADE, "websocket") || head.method() == Method::CONNECT {
            return Self::WebSocket;
        }
        if let Some(grpc) = grpc(headers) {
            return grpc;
        }
        if has(header::HeaderName::from_static("hx-request"), "true") {
            return Self::Htmx;
        }
        if head.is_prefetch() {
            return Self::Prefetch;
        }
        if head.is_safe() && wants_page(headers) {
            return Self::Document;
        }
        Self::Program
    }
}

fn grpc(headers: &HeaderMap) -> Option<Audience> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.strip_prefix("application/grpc")?;
    let is = |name: &str| {
        kind.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';', ' ']))
    };
    if is("-web-text") {
        Some(Audience::GrpcWebText)
    } else if is("-web") {
        Some(Audience::GrpcWeb)
    } else if is("") {
        Some(Audience::Grpc)
    } else {
        None
    }
}

/// Says whether the answer is shown to a person. Fetch metadata wins over `Accept`, which scripts send as they like.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    if let Some(mode) = headers.get("sec-fetch-mode") {
        return mode == "navigate";
    }
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut best = Preference::default();
    for range in accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        best.weigh(range);
    }
    best.html > 0 && best.html >= best.json
}

/// The quality, in thousandths, that an `Accept` gives to the two answers that we have (RFC 9110, section 12.5.1).
/// A wildcard counts for neither: `*/*` is what curl and fetch send.
#[derive(Default)]
struct Preference {
    html: u16,
    json: u16,
}

impl Preference {
    fn weigh(&mut self, range: &str) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|parameter| {
                parameter
                    .strip_prefix("q=")
                    .or(parameter.strip_prefix("Q="))
            })
            .map_or(1_000, thousandths);
        let is = |want: &str| kind.eq_ignore_ascii_case(want);
        if is("text/html") || is("application/xhtml+xml") {
            self.html = self.html.max(quality);
        } else if is("application/json") || is("application/problem+json") {
            self.json = self.json.max(quality);
        }
    }
}

/// Reads a quality value: `0`, `1`, or up to three digits behind the point. Anything else is 0: not wanted.
fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let is_digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" if is_digits => 1_000,
        "0" if is_digits => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn each_audience_is_recognised_by_its_own_mark() {
        use Audience::{Document, Grpc, GrpcWeb, GrpcWebText, Htmx, Prefetch, Program, WebSocket};
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], Audience);
        let cases: [Case<'_>; 24] = [
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
                "xhtml",
                "GET",
                &[("accept", "application/xhtml+xml")],
                Document,
            ),
            (
                "html and json alike",
                "GET",
                &[("accept", "text/html, application/json")],
                Document,
            ),
            (
                "json first",
                "GET",
                &[("accept", "application/json, text/html;q=0.5")],
                Program,
            ),
            (
                "html refused",
                "GET",
                &[("accept", "text/html;q=0")],
                Program,
            ),
            (
                "html with bad quality",
                "GET",
                &[("accept", "text/html;q=x")],
                Program,
            ),
            (
                "html in another field",
                "GET",
                &[("accept", "text/plain"), ("accept", "text/html")],
                Document,
            ),
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
        ];
        for (name, method, fields, want) in cases {
            let mut request = Request::builder().method(method);
            for (field, value) in fields {
                request = request.header(*field, *value);
            }
            let request = request.body(()).unwrap();
            assert_eq!(Audience::of(&RequestHead::of(&request)), want, "{name}");
        }
    }
}
