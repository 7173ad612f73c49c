//! One request of a navigation, and where its redirect leads.

use http::{Method, Request, Response, StatusCode, header};
use url::{Position, Url};

use super::form::Form;

/// What Chromium sends.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Who began a navigation, which its redirects do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Initiator {
    /// A link on a page of another site.
    OtherSite,
    /// An address that was typed.
    Person,
    /// A form on a page of the origin.
    SamePage,
}

/// One request of a navigation.
#[derive(Clone)]
pub(super) struct Navigation {
    initiator: Initiator,
    /// What is posted; `None` is a GET.
    posted: Option<String>,
    url: Url,
}

impl Navigation {
    pub(super) const fn get(url: Url, initiator: Initiator) -> Self {
        Self {
            initiator,
            posted: None,
            url,
        }
    }

    pub(super) fn form(mut url: Url, form: &Form, filled: String) -> Self {
        let posted = if form.is_post() {
            Some(filled)
        } else {
            url.set_query(Some(&filled));
            None
        };
        Self {
            initiator: Initiator::SamePage,
            posted,
            url,
        }
    }

    pub(super) const fn initiator(&self) -> Initiator {
        self.initiator
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn into_url(self) -> Url {
        self.url
    }

    /// Returns where a redirect leads, and what is sent there.
    pub(super) fn redirected<B>(&self, response: &Response<B>) -> Option<Self> {
        // 307 and 308 keep the method; the others make a GET of a POST (fetch standard, "HTTP
        // redirect fetch").
        let posted = match response.status() {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => None,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => self.posted.clone(),
            _ => return None,
        };
        let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
        Some(Self {
            // A redirect keeps the site that began: `Sec-Fetch-Site` covers the whole chain (Fetch
            // Metadata).
            initiator: self.initiator,
            posted,
            url: self.url.join(location).ok()?,
        })
    }

    #[expect(clippy::expect_used, reason = "every part is the text of a URL")]
    pub(super) fn request(&self, cookies: Option<&str>) -> Request<String> {
        let method = match self.posted {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let site = match self.initiator {
            Initiator::OtherSite => "cross-site",
            Initiator::Person => "none",
            Initiator::SamePage => "same-origin",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(&self.url[Position::BeforePath..Position::AfterQuery])
            .header(
                header::HOST,
                &self.url[Position::BeforeHost..Position::BeforePath],
            )
            .header(header::ACCEPT, ACCEPT)
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", site)
            .header("sec-fetch-user", "?1");
        if self.posted.is_some() {
            let kind = "application/x-www-form-urlencoded";
            request = request
                .header(header::ORIGIN, self.url.origin().ascii_serialization())
                .header(header::CONTENT_TYPE, kind);
        }
        if let Some(cookies) = cookies {
            request = request.header(header::COOKIE, cookies);
        }
        let body = self.posted.clone().unwrap_or_default();
        request.body(body).expect("a request")
    }
}
