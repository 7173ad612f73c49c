//! `Asked`: what a refusal depends on of a request's head, for a request that is refused after the
//! inner service has taken it.
//!
//! - Whole fields are kept, and read at the refusal as those of any request: nothing is decided
//!   twice, and most requests that are kept are never refused.
//! - A field that `answer`, `language` or `request` begins to read for a refusal belongs into the
//!   list, and one that events say into the second. `tests/hosts/unanswered` compares the refusals,
//!   their languages and their events.
//! - What the application's hook says of the language is asked at once: the hook may read anything.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts};

use crate::{
    language::Told,
    request::{head::RequestHead, peer::PeerAddr},
    shared::Shared,
};

/// A browser's request has five to seven of the fields.
const USUAL: usize = 8;

static HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
static HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PURPOSE: HeaderName = HeaderName::from_static("purpose");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the name of a field that decides the audience, or where its answer leads. The layer's
/// own cookies are not among them: this refusal removes none.
///
/// The names are of the program's own: a clone of a request's own may allocate.
fn read(name: &HeaderName) -> Option<&'static HeaderName> {
    Some(match name.as_str() {
        "accept" => &header::ACCEPT,
        "accept-language" => &header::ACCEPT_LANGUAGE,
        "access-control-request-method" => &header::ACCESS_CONTROL_REQUEST_METHOD,
        "authorization" => &header::AUTHORIZATION,
        "content-type" => &header::CONTENT_TYPE,
        "hx-current-url" => &HX_CURRENT_URL,
        "hx-request" => &HX_REQUEST,
        "origin" => &header::ORIGIN,
        "purpose" => &PURPOSE,
        "referer" => &header::REFERER,
        "sec-fetch-dest" => &SEC_FETCH_DEST,
        "sec-fetch-mode" => &SEC_FETCH_MODE,
        "sec-fetch-site" => &SEC_FETCH_SITE,
        "sec-purpose" => &SEC_PURPOSE,
        "upgrade" => &header::UPGRADE,
        "upgrade-insecure-requests" => &header::UPGRADE_INSECURE_REQUESTS,
        _ => return None,
    })
}

/// Returns the name of a field that only events say.
fn told(name: &HeaderName) -> Option<&'static HeaderName> {
    Some(match name.as_str() {
        "forwarded" => &header::FORWARDED,
        "traceparent" => &TRACEPARENT,
        "user-agent" => &header::USER_AGENT,
        "x-forwarded-for" => &FORWARDED_FOR,
        "x-request-id" => &REQUEST_ID,
        _ => return None,
    })
}

/// What a refusal depends on of a request's head.
pub(crate) struct Asked {
    method: Method,
    uri: Uri,
    fields: Vec<(&'static HeaderName, HeaderValue)>,
    peer: Option<PeerAddr>,
    language: Option<Told>,
}

impl Asked {
    pub(crate) fn of(shared: &Shared, head: &RequestHead<'_>) -> Self {
        let mut fields = Vec::with_capacity(USUAL);
        let is_told = shared.listener.is_set();
        for (name, value) in head.headers() {
            let name = read(name).or_else(|| is_told.then(|| told(name)).flatten());
            if let Some(name) = name {
                fields.push((name, value.clone()));
            }
        }
        let peer = is_told.then(|| PeerAddr::of(head.extensions()));
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
        let fields = self.fields.iter();
        parts.headers = fields.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(*name, value.clone());
            headers
        });
        parts
    }
}
