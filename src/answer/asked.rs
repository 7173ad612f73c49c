//! `Asked`: what a refusal depends on of a request's head, for a request that is refused after the
//! inner service has taken it.
//!
//! - Whole fields are kept, and read at the refusal as those of any request: nothing is decided
//!   twice, and most requests that are kept are never refused.
//! - They are kept as text, in one piece: to count references to each value takes longer.
//! - A field that `answer`, `language` or `request` begins to read for a refusal belongs into the
//!   list, and one that events say into the second. `tests/hosts/unanswered` compares the refusals,
//!   their languages and their events.
//! - What the application's hook says of the language is asked at once: the hook may read anything.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};

use crate::{
    language::Told,
    request::{head::RequestHead, peer::PeerAddr},
    shared::Shared,
};

/// A browser's request has five to seven of the fields, of 250 to 400 bytes.
const USUAL: usize = 512;

/// Says whether a field decides the audience, or where its answer leads. The layer's own cookies
/// are not among them: this refusal removes none.
fn is_read(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-language"
            | "access-control-request-method"
            | "authorization"
            | "content-type"
            | "hx-current-url"
            | "hx-request"
            | "origin"
            | "purpose"
            | "referer"
            | "sec-fetch-dest"
            | "sec-fetch-mode"
            | "sec-fetch-site"
            | "sec-purpose"
            | "upgrade"
            | "upgrade-insecure-requests"
    )
}

/// Says whether only events say a field.
fn is_told(name: &str) -> bool {
    matches!(
        name,
        "forwarded" | "traceparent" | "user-agent" | "x-forwarded-for" | "x-request-id"
    )
}

/// What a refusal depends on of a request's head.
pub(crate) struct Asked {
    method: Method,
    uri: Uri,
    /// A line for each field: its name, a colon and its value. Neither holds a line break, and no
    /// name holds a colon (RFC 9110, section 5).
    fields: Vec<u8>,
    peer: Option<PeerAddr>,
    language: Option<Told>,
}

impl Asked {
    pub(crate) fn of(shared: &Shared, head: &RequestHead<'_>) -> Self {
        let mut fields = Vec::with_capacity(USUAL);
        let tells = shared.listener.is_set();
        for (name, value) in head.headers() {
            let name = name.as_str();
            if is_read(name) || (tells && is_told(name)) {
                fields.extend_from_slice(name.as_bytes());
                fields.push(b':');
                fields.extend_from_slice(value.as_bytes());
                fields.push(b'\n');
            }
        }
        let peer = tells.then(|| PeerAddr::of(head.extensions()));
        Self {
            method: head.method().clone(),
            uri: head.original_uri().clone(),
            fields,
            peer: peer.flatten(),
            language: shared.languages.told(head),
        }
    }

    /// Returns the kept part of the head, for [`RequestHead::of_parts`].
    pub(crate) fn parts(&self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri.clone();
        if let Some(peer) = self.peer {
            parts.extensions.insert(peer);
        }
        if let Some(language) = &self.language {
            parts.extensions.insert(language.clone());
        }
        let fields = self.fields.split(|byte| *byte == b'\n').filter_map(field);
        parts.headers = fields.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        });
        parts
    }
}

/// Reads a field's line. Behind the last line nothing is left, which is none.
fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = HeaderName::from_bytes(name).ok()?;
    Some((name, HeaderValue::from_bytes(value.get(1..)?).ok()?))
}
