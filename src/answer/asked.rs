//! `Asked`: what a refusal depends on of a request's head, for a request that is refused after the
//! inner service has taken it.
//!
//! - Whole fields are kept, and read at the refusal as those of any request: nothing is decided
//!   twice, and most requests that are kept are never refused.
//! - A field that `answer` or `request` begins to read for a refusal belongs into the list.
//!   `tests/hosts/unanswered/audiences.rs` compares the refusals.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts};

use crate::request::head::RequestHead;

/// A browser's request has five to seven of the fields.
const USUAL: usize = 8;

/// The fields that decide the audience, and where its answer leads. The layer's own cookies are not
/// among them: this refusal removes none.
static READ: [HeaderName; 15] = [
    header::ACCEPT,
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::REFERER,
    header::UPGRADE,
    header::UPGRADE_INSECURE_REQUESTS,
    HeaderName::from_static("hx-current-url"),
    HeaderName::from_static("hx-request"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-purpose"),
];

/// What a refusal depends on of a request's head.
pub(crate) struct Asked {
    method: Method,
    uri: Uri,
    /// The names are those of the list: a clone of a request's own may allocate.
    fields: Vec<(&'static HeaderName, HeaderValue)>,
}

impl Asked {
    pub(crate) fn of(head: &RequestHead<'_>) -> Self {
        let mut fields = Vec::with_capacity(USUAL);
        fields.extend(head.headers().iter().filter_map(|(name, value)| {
            let name = READ.iter().find(|read| *read == name)?;
            Some((name, value.clone()))
        }));
        Self {
            method: head.method().clone(),
            uri: head.original_uri().clone(),
            fields,
        }
    }

    /// Returns the kept part of the head, for [`RequestHead::of_parts`].
    pub(crate) fn parts(&self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri.clone();
        let fields = self.fields.iter();
        parts.headers = fields.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(*name, value.clone());
            headers
        });
        parts
    }
}
