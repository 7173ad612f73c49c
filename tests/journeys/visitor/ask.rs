//! A request that the browser makes, and where it comes from.

use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use crate::names::ORIGIN;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A page of another site, as mail that is read in the browser.
    Elsewhere,
    /// No page: typed, or clicked in another program.
    Nowhere,
    /// A page of ours.
    Ours,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) form: Option<String>,
    pub(crate) from: From,
    pub(crate) headers: HeaderMap,
    /// Where redirects may lead, by the page that the form was on.
    pub(super) allowed: Option<Vec<String>>,
}

impl Ask {
    pub(crate) fn get(url: &str, from: From) -> Self {
        Self {
            method: Method::GET,
            url: Url::parse(ORIGIN).unwrap().join(url).unwrap(),
            form: None,
            from,
            headers: HeaderMap::new(),
            allowed: None,
        }
    }

    pub(crate) fn head(url: &str) -> Self {
        Self {
            method: Method::HEAD,
            ..Self::get(url, From::Nowhere)
        }
    }

    pub(crate) fn post(url: &str, form: impl Into<String>, from: From) -> Self {
        Self {
            method: Method::POST,
            form: Some(form.into()),
            ..Self::get(url, from)
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .append(name, HeaderValue::try_from(value).unwrap());
        self
    }

    pub(super) fn is_ours(&self) -> bool {
        self.url.origin().ascii_serialization() == ORIGIN
    }

    /// Returns what a redirect asks for.
    pub(super) fn redirected(&self, location: &str) -> Self {
        let url = self.url.join(location).unwrap();
        let origin = url.origin().ascii_serialization();
        if let Some(allowed) = &self.allowed {
            // Chromium and WebKit hold the page's `form-action` against redirects too
            // (w3c/webappsec-csp#8).
            assert!(allowed.contains(&origin), "{origin} is not in {allowed:?}");
        }
        let is_ours = self.is_ours() && origin == ORIGIN;
        let from = match self.from {
            From::Ours if is_ours => From::Ours,
            From::Nowhere => From::Nowhere,
            From::Elsewhere | From::Ours => From::Elsewhere,
        };
        Self {
            method: if self.method == Method::HEAD {
                Method::HEAD
            } else {
                Method::GET
            },
            url,
            form: None,
            from,
            headers: self.headers.clone(),
            allowed: self.allowed.clone(),
        }
    }
}
