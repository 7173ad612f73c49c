//! `Audience`: the kind of client that sent a request. It decides the form of a refusal, so the
//! layer reads it only when it refuses.

use http::{HeaderMap, Method, header, request::Parts};

use super::{head::RequestHead, names};

/// The kind of client that sent a request. It decides the form of the layer's refusals.
///
#[doc = include_str!("audiences.md")]
///
/// ```
/// use http::Request;
/// use tower_magic_link::Audience;
///
/// let (head, ()) = Request::get("/").header("accept", "text/html").body(())?.into_parts();
/// assert_eq!(Audience::of(&head), Audience::Document);
/// let (head, ()) = Request::get("/").header("accept", "*/*").body(())?.into_parts();
/// assert_eq!(Audience::of(&head), Audience::Program);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Audience {
    /// A person will look at the answer: a browser that navigates. The layer redirects no other
    /// audience.
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

    /// Returns the stable name that metrics have for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc_web",
            Self::GrpcWebText => "grpc_web_text",
            Self::Htmx => "htmx",
            Self::Prefetch => "prefetch",
            Self::Preflight => "preflight",
            Self::Program => "program",
            Self::WebSocket => "websocket",
        }
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
        if head.wants_page() {
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
    let field = headers.get(&names::HX_REQUEST);
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
mod tests;
