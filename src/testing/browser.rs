//! `Browser`: a person's browser, in the same process as the service.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;
use url::Url;

use self::{
    cookies::CookieStore,
    form::forms_of,
    navigation::{Initiator, Navigation},
};
use super::call::{call, read};
use crate::{
    clock::{Clock, SystemClock},
    provider::Link,
};

mod cookies;
mod form;
mod navigation;
mod visit;

pub use self::visit::Visit;

/// How many redirects in a row a browser follows.
const REDIRECTS: usize = 10;

type InProcess = dyn Fn(Request<String>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync;

/// A browser at one origin, in front of a service in this process. It runs no scripts.
///
/// - It keeps cookies by RFC 6265bis: `Path`, `Domain`, `Secure`, `SameSite=Strict`, the prefixes
///   `__Host-` and `__Secure-`, `Max-Age` and `Expires`. It drops a cookie that breaks these rules
///   or is too large. Unlike a browser it keeps one for a public suffix, such as `Domain=co.uk`,
///   and one with `SameSite=None` and without `Secure`.
/// - It sends the header fields of a navigation: `Host`, `Accept`, `Sec-Fetch-*`, and `Origin` with
///   a posted form.
/// - It follows up to 10 redirects within its origin. A redirect to another origin ends the visit.
/// - A clone has the same service, the same page, and a copy of the cookies. From then on the two
///   are independent.
/// - A request has no [`PeerAddr`](crate::PeerAddr). A test of limits by network must wrap the
///   service in one that adds it.
///
/// Every method that sends a request panics when the service fails, when a request would leave the
/// origin, and after too many redirects.
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, service_fn};
/// use tower_magic_link::{KeyRing, MagicLinkLayer, Session, SigningKey};
/// use tower_magic_link::testing::{Browser, StubProvider};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let provider = StubProvider::new();
/// let keys = KeyRing::new(SigningKey::generate()?);
/// let layer = MagicLinkLayer::builder(provider.clone(), keys)
///     .public_url("https://app.example.com")
///     .build()?;
/// let service = layer.layer(service_fn(|request: Request<String>| async move {
///     let session = request.extensions().get::<Session>().expect("the layer admitted it");
///     Ok::<_, std::convert::Infallible>(Response::new(format!("hello {}", session.email())))
/// }));
///
/// let mut browser = Browser::new(service, "https://app.example.com");
/// let form = browser.get("/reports").await;
/// assert_eq!(form.path(), "/auth/login?return_to=/reports");
/// browser.submit_login("ada@example.com").await;
/// let reports = browser.open(provider.last_link()).await;
/// assert_eq!((reports.path(), reports.status().as_u16()), ("/reports", 200));
/// assert_eq!(reports.text(), "hello ada@example.com");
///
/// browser.get("/auth/logout").await;
/// browser.submit(&[]).await;
/// assert_eq!(browser.get("/reports").await.path(), form.path());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Browser {
    service: Arc<InProcess>,
    clock: Arc<dyn Clock>,
    cookies: CookieStore,
    origin: Url,
    page: Option<Visit>,
}

impl Browser {
    /// Makes a browser without cookies. The origin is that of the layer's `public_url`.
    ///
    /// If the service accepts any body type, as an axum router does, name one:
    /// `Browser::new::<axum::body::Body>(router, "https://app.example.com")`.
    ///
    /// # Panics
    ///
    /// When the text is not an `http` or `https` origin.
    #[must_use]
    pub fn new<B: From<String> + 'static>(
        service: impl Service<
            Request<B>,
            Response = Response<impl Body<Error: fmt::Debug> + Send + 'static>,
            Error: fmt::Debug,
            Future: Send,
        > + Clone
        + Send
        + 'static,
        origin: &str,
    ) -> Self {
        // A mutex, because a service need not be `Sync`. It is cloned under the lock and called
        // outside.
        let service = Mutex::new(service);
        Self {
            service: Arc::new(move |request| {
                let service = service.lock().unwrap_or_else(PoisonError::into_inner);
                let mut service = service.clone();
                Box::pin(async move { read(call(&mut service, request).await).await })
            }),
            clock: Arc::new(SystemClock),
            cookies: CookieStore::default(),
            origin: origin_of(origin),
            page: None,
        }
    }

    /// Sets the clock by which cookies expire. Default: the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Goes to an address that a person types: a path, or a whole URL of the origin.
    pub async fn get(&mut self, address: &str) -> Visit {
        let url = self.resolve(&self.origin, address);
        self.navigate(Navigation::get(url, Initiator::Person)).await
    }

    /// Opens a mailed link, as from a page of another site that shows the mail.
    ///
    /// # Panics
    ///
    /// When there is no link.
    pub async fn open(&mut self, link: impl Into<Option<Link>>) -> Visit {
        let Some(link) = link.into() else {
            panic!("there is no link to open: no sign-in was begun");
        };
        let url = self.resolve(&self.origin, link.expose());
        self.navigate(Navigation::get(url, Initiator::OtherSite))
            .await
    }

    /// Fills in the form that asks for an address, and sends it.
    ///
    /// # Panics
    ///
    /// When the current page has no field `email` to type into.
    pub async fn submit_login(&mut self, email: &str) -> Visit {
        self.submit(&[("email", email)]).await
    }

    /// Sends a form of the current page: the first that accepts all of these fields, and whose
    /// other required fields are filled in.
    ///
    /// Only fields that a person can reach count: a text input, a tick box, or a button with its
    /// value. Hidden fields are sent as they are. If no button is given, the browser presses the
    /// form's first button without a name.
    ///
    /// # Panics
    ///
    /// When the page has no such form.
    pub async fn submit(&mut self, fields: &[(&str, &str)]) -> Visit {
        let Some(page) = &self.page else {
            panic!("the browser shows no page yet");
        };
        let forms = forms_of(&page.text());
        let filled = forms
            .iter()
            .find_map(|form| Some((form, form.filled(fields)?)));
        let Some((form, body)) = filled else {
            let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
            panic!("{} has no form for {names:?}, but {forms:?}", page.path());
        };
        let url = self.resolve(page.url(), form.action());
        self.navigate(Navigation::form(url, form, body)).await
    }

    /// Returns the value of a cookie that the browser keeps.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.value(name, self.clock.now())
    }

    /// Closes the browser and opens it again, which drops the session cookies.
    pub fn restart(&mut self) {
        self.cookies.end_session();
        self.page = None;
    }

    async fn navigate(&mut self, mut navigation: Navigation) -> Visit {
        for _ in 0..=REDIRECTS {
            let now = self.clock.now();
            let cookies = self.cookies.sent_with(&navigation, now);
            let response = (self.service)(navigation.request(cookies.as_deref())).await;
            self.cookies.keep(response.headers(), navigation.url(), now);
            match navigation.redirected(&response) {
                // Another origin ends the walk: this browser has one service, and a real one would
                // leave it here.
                Some(next) if next.url().origin() == self.origin.origin() => navigation = next,
                _ => {
                    let visit = Visit::new(navigation.into_url(), response);
                    self.page = Some(visit.clone());
                    return visit;
                }
            }
        }
        panic!("more than {REDIRECTS} redirects in a row");
    }

    fn resolve(&self, base: &Url, address: &str) -> Url {
        match base.join(address) {
            Ok(url) if url.origin() == self.origin.origin() => url,
            // The address may be a secret: a link that signs in.
            Ok(url) => panic!("this browser is at {}, not at {}", self.at(), origin(&url)),
            Err(error) => panic!("no address: {error}"),
        }
    }

    fn at(&self) -> String {
        origin(&self.origin)
    }
}

/// Prints no cookie's value.
impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("origin", &self.at())
            .field("cookies", &self.cookies)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

fn origin_of(text: &str) -> Url {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.filter(|url| origin(url) == text.trim_end_matches('/')) else {
        panic!("{text:?} is not an origin such as https://app.example.com");
    };
    url
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests;
