//! `Audience`: the kind of client that sent a request. It decides the form of a refusal, so the
//! layer reads it only when it refuses.

use http::{HeaderValue, Method, request::Parts};

use super::{head::RequestHead, said::Said};

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
        let head = RequestHead::of_parts(head);
        Self::of_head(&head, &head.said())
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

    /// Does the same by what the head says, which the caller knows already.
    pub(crate) fn of_head(head: &RequestHead<'_>, said: &Said<'_>) -> Self {
        if head.is_preflight() {
            return Self::Preflight;
        }
        if said.opens_websocket() || head.method() == Method::CONNECT {
            return Self::WebSocket;
        }
        if let Some(grpc) = said.content_type().and_then(grpc) {
            return grpc;
        }
        if said.htmx().is_some_and(is_htmx) {
            return Self::Htmx;
        }
        if said.is_prefetch() {
            return Self::Prefetch;
        }
        if said.wants_page() {
            return Self::Document;
        }
        Self::Program
    }
}

fn is_htmx(field: &HeaderValue) -> bool {
    field.as_bytes().eq_ignore_ascii_case(b"true")
}

/// Returns the kind of gRPC that `Content-Type` names. A format such as `+proto`, or parameters,
/// may follow the name.
fn grpc(kind: &HeaderValue) -> Option<Audience> {
    let is_end = |byte: &u8| matches!(byte, b'+' | b';' | b' ' | b'\t');
    let name = kind.as_bytes().split(is_end).next().unwrap_or_default();
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
