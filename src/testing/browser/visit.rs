//! `Visit`: the address at which a browser arrived, and the response there.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode};
use url::{Position, Url};

/// Where a [`Browser`](super::Browser) arrived after all redirects, and the response there.
#[derive(Clone)]
pub struct Visit {
    response: Response<Bytes>,
    url: Url,
}

impl Visit {
    pub(super) const fn new(url: Url, response: Response<Bytes>) -> Self {
        Self { response, url }
    }

    /// Returns the status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the path and query of the address.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Returns a header field of the response: the first, if there are several.
    #[must_use]
    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.response.headers().get(name.into())?.to_str().ok()
    }

    /// Returns the body as text; what is not UTF-8 becomes `U+FFFD`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.response.body())
    }

    /// Returns the response, with its whole body.
    #[must_use]
    pub const fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }
}

/// Prints neither the query nor the body: either may hold a secret.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("status", &self.status())
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}
