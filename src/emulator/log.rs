//! `SeenRequest`: a request that a client sent, for tests of clients.
//!
//! - The log keeps only the last requests, but its counts per endpoint include all.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use super::Endpoint;

/// How many requests are kept: 32 MiB in the worst case, as bodies have at most 64 KiB.
const LIMIT: usize = 512;

/// A request that came in. `Debug` shows its method and endpoint: the rest holds keys, codes and
/// links.
#[derive(Clone)]
pub struct SeenRequest {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) endpoint: Option<Endpoint>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    requests: VecDeque<SeenRequest>,
    total: u64,
    counts: HashMap<Endpoint, usize>,
}

impl SeenRequest {
    /// Returns the endpoint, if the method and the path name one.
    #[must_use]
    pub const fn endpoint(&self) -> Option<Endpoint> {
        self.endpoint
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path and query. They include the link's token if the request followed a link.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the headers, including the API key.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, including any code. Empty if it was longer than 64 KiB.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenRequest")
            .field("method", &self.method)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Keeps a request and returns the id for its answer: shaped like WorkOS's UUIDs, but
    /// sequential.
    pub(super) fn push(&mut self, request: SeenRequest) -> String {
        if let Some(endpoint) = request.endpoint {
            *self.counts.entry(endpoint).or_default() += 1;
        }
        if self.requests.len() == LIMIT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.total += 1;
        // The form of a UUID, as WorkOS's request ids have, and in order, so that a test can tell
        // them apart.
        format!("00000000-0000-4000-8000-{:012x}", self.total)
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(super) fn count(&self, endpoint: Endpoint) -> usize {
        self.counts.get(&endpoint).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn request() -> SeenRequest {
        SeenRequest {
            method: Method::POST,
            uri: Uri::from_static("/passwordless/secret/confirm"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"secret"),
            endpoint: Some(Endpoint::Token),
        }
    }

    #[test]
    fn counts_are_exact_however_many_requests_were_forgotten() {
        let mut log = Log::default();
        let ids: HashSet<_> = (0..LIMIT + 3).map(|_| log.push(request())).collect();
        assert_eq!(ids.len(), LIMIT + 3);
        assert_eq!(log.requests().len(), LIMIT);
        assert_eq!(log.count(Endpoint::Token), LIMIT + 3);
        assert_eq!(log.count(Endpoint::Send), 0);
    }

    #[test]
    fn debug_shows_method_and_endpoint_alone() {
        let debug = format!("{:?}", request());
        assert_eq!(
            debug,
            "SeenRequest { method: POST, endpoint: Some(Token), .. }"
        );
    }
}
